"""The table of docs/backbones.md: every image network and its size.

python benchmarks/backbone_table.py
"""

from __future__ import annotations

from hsi.backbones import BACKBONES, build_backbone
from hsi.backbones.published import FILES
from hsi.models import count_parameters
from hsi.models.cost import shapes_alone


def main() -> None:
    print(table())


def table() -> str:
    """Return the table in Markdown, for 3 channels and 1000 classes; LeNet-5 for 1 and 10."""
    lines = ["| name | parameters | published weights |", "|---|---:|---|"]
    for name in BACKBONES:
        sizes = {"channels": 1, "classes": 10} if name == "lenet5" else {}
        with shapes_alone():
            parameters = count_parameters(build_backbone(name, **sizes))
        weights = f"`{FILES[name]}`" if name in FILES else ""
        lines.append(f"| `{name}` | {parameters:,} | {weights} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
