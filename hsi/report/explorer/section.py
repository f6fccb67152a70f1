"""The explorer as HTML: its section, the data that it reads, and the script that shows them.

The page's content security policy names the scripts by their hashes, so that no other one runs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from string import Template
from typing import Any

from hsi.report.explorer.contents import Exploration

# In this order, they are one script.
SCRIPTS = (
    "unpack.js", "data.js", "colors.js", "layers.js", "view.js", "pointer.js", "map.js", "keys.js",
    "stepping.js", "plotting.js", "spectrum.js", "charts.js", "composite.js", "pixel.js",
    "start.js",
)  # fmt: skip
# As radio buttons, in the order of the keys 1, 2, ...; each with the blocks that it needs.
LAYERS = {
    "composite": ("Composite", {"composite"}),
    "truth": ("Ground truth", {"truth"}),
    "map": ("Class map", {"map"}),
    "confidence": ("Confidence", {"confidence"}),
    "errors": ("Errors", {"map", "truth"}),
    "sets": ("Split", {"sets"}),
}


@dataclass(frozen=True, kw_only=True)
class Explorer:
    """The pieces of a page that make its explorer.

    Attributes
    ----------
    style, section, data : str
        Style sheet; the section; elements with data and scripts, for the end of the body.
    policy : str
        The sources that the content security policy must allow, one directive.
    """

    style: str
    section: str
    data: str
    policy: str


def render_explorer(exploration: Exploration) -> Explorer:
    """Return an exploration as HTML that needs nothing from elsewhere."""
    script, library = _script(), plotly_script()
    blocks = {name: block.text for name, block in exploration.blocks.items()}
    blocks["plotly"] = _deflated(library)
    elements = [
        f'<script type="application/json" id="hsi-data">{as_script_data(exploration.about)}'
        "</script>"
    ]
    elements += [
        f'<script type="text/plain" id="hsi-{name}">{text}</script>'
        for name, text in blocks.items()
    ]
    elements.append(f"<script>{script}</script>")
    return Explorer(
        style=_asset("explorer.css"),
        section=_section(exploration),
        data="\n".join(elements),
        policy=f"script-src {_hash(script)} {_hash(library)}",
    )


def as_script_data(value: Any) -> str:
    r"""Return JSON that may stand inside a script element, whatever texts are in it.

    Examples
    --------
    >>> print(as_script_data({"name": "</script>"}))
    {"name":"\u003c/script\u003e"}
    """
    # ASCII: JSON escapes U+2028 and U+2029, which older scripts take for line ends.
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def plotly_script() -> str:
    """Return the library that draws the charts."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


@cache
def _deflated(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")


@cache
def _script() -> str:
    parts = "\n".join(_asset(name) for name in SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}\n}})();\n'


def _asset(name: str) -> str:
    return (resources.files(__package__) / "assets" / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _section(exploration: Exploration) -> str:
    blocks = exploration.blocks.keys()
    shown = {name: title for name, (title, needed) in LAYERS.items() if needed <= blocks}
    top = next((name for name in ("map", "truth") if name in shown), "composite")
    name = exploration.about["scene"]["name"]
    return Template(_asset("explorer.html")).substitute(
        name=escape(name),
        top=_radios(shown, checked=top),
        below="\n".join(
            f'<option value="{value}">{title}</option>' for value, title in shown.items()
        ),
        several="" if len(shown) > 1 else "hidden",
        errors="" if "errors" in shown else "hidden",
        limits=escape(" ".join(exploration.limits)),
    )


def _radios(choices: dict[str, str], *, checked: str) -> str:
    keys = list(LAYERS)
    return "\n".join(
        f'<label><input type="radio" name="top" value="{value}"'
        f"{' checked' if value == checked else ''}> {title} "
        f"<kbd>{keys.index(value) + 1}</kbd></label>"
        for value, title in choices.items()
    )
