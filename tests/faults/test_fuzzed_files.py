"""Whatever is wrong in a file, it is read or refused in words: in bounded time and memory."""

import json
import runpy
import signal
import tomllib
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = tomllib.loads((HERE / "cases/readers.toml").read_text())["case"]
READERS = Counter(case["reader"] for case in CASES)
PROGRAM = HERE / "read_damaged.py"
USUAL, LONG = 2_000, 100_000
MEMORY, SECONDS = 2**30, 10
# So many crashes are enough to know.
MOST_CRASHES = 20


def read_all(processes, case, valid, beside, seeds, folder):
    """Read files damaged with these seeds.

    Return how many were refused, what went wrong, and the seconds of computing it took.
    """
    begun = folder / "begun.json"
    refused, wrong, crashes, computed = 0, [], 0, 0.0
    while seeds and crashes < MOST_CRASHES:
        given = {
            "case": case, "valid": str(valid), "beside": str(beside), "seeds": seeds,
            "work": str(folder / f"work{crashes}"), "begun": str(begun), "memory": MEMORY,
            "seconds": SECONDS, "doors": str(HERE / "doors.py"),
        }  # fmt: skip
        begun.unlink(missing_ok=True)
        process = processes.Process(target=runpy.run_path, args=(str(PROGRAM), given))
        process.start()
        process.join()
        assert begun.is_file(), "a valid file is not read"
        seed, more, others, used = json.loads(begun.read_text().splitlines()[0])
        refused, wrong, computed = refused + more, wrong + others, computed + used
        if seed is None:
            break
        crashes += 1
        name = signal.Signals(-process.exitcode).name if process.exitcode < 0 else process.exitcode
        wrong.append([seed, f"ended by {name}"])
        seeds = range(seed + 1, seeds.stop)
    return refused, wrong, computed


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_damaged_file_is_read_or_refused(
    case, processes, write_valid, tmp_path, how_many, counted
):
    case = {"opened": case["damaged"]} | case
    # Several kinds of files of one reader share its number.
    number = how_many(USUAL, LONG) // READERS[case["reader"]]
    valid, beside = write_valid(case["valid"]), write_valid(case["valid"], 1)
    refused, wrong, computed = read_all(processes, case, valid, beside, range(number), tmp_path)
    print(f"{computed:.1f} s of computing")
    assert not wrong, "\n".join(f"seed {seed}: {what}" for seed, what in wrong[:30])
    # Damage is damage: were nothing refused, nothing would be read.
    assert refused > number // 100
    counted("hostile files", f"mutated files, {case['reader']}", number)
