"""How often faults are tried: the counts of docs/reliability.md, and their long version.

    python benchmarks/reliability.py                 # run the tests of faults and write the page
    python benchmarks/reliability.py --long          # as many cases as hours allow
    python benchmarks/reliability.py --cases FILE --check    # are these the counts of the page?

The tests count themselves (`pytest --cases FILE`); nothing here knows what they do.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import RESULTS, machine

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reliability.md"
RESULT = RESULTS / "reliability.json"
START, END = "<!-- cases -->\n", "<!-- end of cases -->"
# All tests that count cases.
TESTS = (
    "tests/faults", "tests/testing", "tests/inference/test_out_of_memory.py",
    "tests/workflows/test_large_maps.py", "tests/workflows/search/test_search.py",
    "tests/training/test_resume.py", "tests/scenes/readers", "tests/workflows/test_retrieve.py",
    "tests/deployed/test_onnx_file.py", "tests/scenes/test_addresses.py",
)  # fmt: skip
# Some numbers depend on how fast the machine is.
ENOUGH = 0.9
Counts = dict[tuple[str, str], int]


def count(*options: str) -> Counts:
    """Run the tests and return how many cases there were, by promise and kind."""
    with tempfile.TemporaryDirectory() as folder:
        cases = Path(folder) / "cases.json"
        words = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile"]
        words += ["--cases", str(cases), *options]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        subprocess.run(words, cwd=ROOT, env=environment, check=True)
        return read(cases)


def read(cases: Path) -> Counts:
    """Read what the tests counted."""
    return {(promise, what): number for promise, what, number in json.loads(cases.read_text())}


def table(usual: Counts, long: Counts, about: dict[str, Any]) -> str:
    """Return the page's table."""
    lines = ["| promise | cases | each change | long |", "|---|---|---:|---:|"]
    for promise, what in sorted({*usual, *long}):
        numbers = [counts.get((promise, what)) for counts in (usual, long)]
        shown = " | ".join("–" if number is None else f"{number:,}" for number in numbers)
        lines.append(f"| {promise} | {what} | {shown} |")
    total = sum(usual.values())
    lines.append(
        f"\n{total:,} cases with each change, none of which ended otherwise than promised."
    )
    if about:
        lines.append(
            f"The long version was run on {about['date']} (PyTorch {about['torch']}, "
            f"{about['processor']})."
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--long", action="store_true", help="as many cases as hours allow")
    parser.add_argument("--cases", type=Path, help="counts of a run of all tests, instead of one")
    parser.add_argument("--check", action="store_true", help="fail if the page has other counts")
    parser.add_argument("tests", nargs="*", default=TESTS, help="files and folders of tests")
    arguments = parser.parse_args()
    known = json.loads(RESULT.read_text()) if RESULT.exists() else {"usual": [], "long": []}
    usual, long = (
        {(promise, what): number for promise, what, number in known[name]}
        for name in ("usual", "long")
    )
    about = known.get("about", {})
    if arguments.cases:
        counted = read(arguments.cases)
    else:
        counted = count(*arguments.tests, *(["--long"] if arguments.long else []))
    if arguments.long:
        long, about = long | counted, machine()
    elif arguments.check:
        compare(usual, counted)
        return
    else:
        usual = counted if arguments.cases or arguments.tests == TESTS else usual | counted
    rows = {
        name: [[*key, number] for key, number in sorted(counts.items())]
        for name, counts in (("usual", usual), ("long", long))
    }
    RESULT.write_text(json.dumps({"about": about, **rows}, indent=1) + "\n")
    text = PAGE.read_text(encoding="utf-8")
    within = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)
    PAGE.write_text(
        within.sub(lambda _: f"{START}{table(usual, long, about)}{END}", text), encoding="utf-8"
    )
    print(PAGE)


def compare(page: Counts, counted: Counts) -> None:
    """End with a message if there are far fewer cases, or other ones, than the page says."""
    fewer = [
        f"{promise}, {what}: {number:,} on the page, {counted.get((promise, what), 0):,} tried"
        for (promise, what), number in page.items()
        if counted.get((promise, what), 0) < ENOUGH * number
    ]
    new = [f"{promise}, {what}: not on the page" for promise, what in counted.keys() - page.keys()]
    if fewer or new:
        raise SystemExit(
            "docs/reliability.md is not what was tried:\n"
            + "\n".join([*fewer, *new])
            + "\nWrite it anew: python benchmarks/reliability.py"
        )


if __name__ == "__main__":
    main()
