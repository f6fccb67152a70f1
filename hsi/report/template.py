"""A page as text: a `string.Template` and its style sheet.

The page asks nothing of the network; its content security policy forbids it to.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from string import Template

from hsi.report.explorer import Explorer

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'"
# Where among the sections the explorer stands.
EXPLORER = "explorer"

STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1c1c1c; --muted: #5a5a5a; --paper: #ffffff; --tint: #f4f5f6; --line: #d5d8dc;
  --mark: #0072b2; --caution: #fdf3dc; --caution-line: #d99a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e8e8e8; --muted: #a9adb2; --paper: #16181b; --tint: #212429; --line: #3b4046;
    --mark: #56b4e9; --caution: #332a14; --caution-line: #e69f00;
  }
}
* { box-sizing: border-box; }
html { font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
body { margin: 0; color: var(--ink); background: var(--paper); }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 1.5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 0.75rem; }
.scores { display: flex; flex-wrap: wrap; gap: 1rem; margin: 0; }
.scores div { flex: 1 1 9rem; padding: 0.75rem 1rem; background: var(--tint);
  border-left: 4px solid var(--mark); }
.scores dt { color: var(--muted); }
.scores dd { margin: 0; font-size: 2rem; line-height: 1.2; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.basis { color: var(--muted); margin: 0.75rem 0 0; }
.notes { margin: 1.5rem 0 0; padding: 0.75rem 1rem; background: var(--caution);
  border-left: 4px solid var(--caution-line); }
.notes h2 { font-size: 1rem; margin: 0 0 0.25rem; }
.notes ul { margin: 0; padding-left: 1.2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--muted); padding-bottom: 0.5rem; }
th, td { padding: 0.35rem 0.75rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th:first-child { padding-left: 0; }
.wide th, .wide td { overflow-wrap: normal; }
thead th { border-bottom: 2px solid var(--line); vertical-align: bottom; }
tbody th { min-width: 8rem; font-weight: 600; }
.pairs tbody th { width: 9rem; min-width: 0; color: var(--muted); font-weight: 400; }
td.number { white-space: nowrap; }
.number { text-align: right; overflow-wrap: normal; font-variant-numeric: tabular-nums; }
figure { margin: 0 0 2rem; }
figcaption { color: var(--muted); margin-bottom: 0.5rem; }
img { display: block; max-width: 100%; height: auto; background: #ffffff;
  border: 1px solid var(--line); }
pre { margin: 0; padding: 0.75rem 1rem; background: var(--tint); white-space: pre-wrap;
  overflow-wrap: anywhere; }
@media print {
  :root {
    color-scheme: light;
    --ink: #000000; --muted: #444444; --paper: #ffffff; --tint: #ffffff; --line: #999999;
    --mark: #000000; --caution: #ffffff; --caution-line: #000000;
  }
  html { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  figure, tr, .scores, .notes, pre { break-inside: avoid; }
  img { border: 0; max-height: 22cm; width: auto; }
}
"""

_PAGE = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main>
<header>
<h1>$title</h1>
</header>
$sections
</main>$data
</body>
</html>
""")

_NOTE = """\
<noscript><p class="basis">With scripts, this page also shows the scene itself: its layers over each
other, and the spectrum of any pixel.</p></noscript>
<p class="basis explorer-note" id="explorer-failed" hidden>The scene could not be shown in this
browser; the figures below are complete without it.</p>"""


def render_page(title: str, sections: Iterable[str], *, explorer: Explorer | None = None) -> str:
    """Return a page of sections that are HTML already; empty ones are left out.

    Parameters
    ----------
    title : str
        As text.
    sections : iterable of str
        HTML, from top to bottom. The explorer takes the place of `EXPLORER`.
    explorer : Explorer, optional
        The part with scripts. Without, no script may run.
    """
    policy, style, data = POLICY, STYLE, ""
    shown = [each for each in sections if each]
    if explorer is not None:
        policy = f"{POLICY}; {explorer.policy}"
        style, data = STYLE + explorer.style, f"\n{explorer.data}"
    place = f"{_NOTE}\n{explorer.section}" if explorer else ""
    text = "\n".join(place if each == EXPLORER else each for each in shown)
    return _PAGE.substitute(
        title=escape(title), policy=policy, style=style, sections=text, data=data
    )
