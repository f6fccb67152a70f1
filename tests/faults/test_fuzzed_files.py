"""Whatever is wrong in a file, it is read or refused in words: in bounded time and memory."""

import json
import multiprocessing
import runpy
import signal
import tomllib
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = tomllib.loads((HERE / "cases/readers.toml").read_text())["case"]
READERS = Counter(case["reader"] for case in CASES)
PROGRAM, MUTATIONS = HERE / "read_damaged.py", HERE / "mutations.py"
USUAL, LONG = 2_000, 100_000
MEMORY, SECONDS = 2**30, 10
# So many crashes are enough to know.
MOST_CRASHES = 20


@pytest.fixture(scope="session")
def server():
    """Return how processes are started that have everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["hsi.workflows", "hsi.backbones", "geopandas", "h5py"])
    return context


def read_all(server, case, valid, beside, seeds, folder):
    """Read files damaged with these seeds; return how many were refused, and what went wrong."""
    begun = folder / "begun.json"
    refused, wrong, crashes = 0, [], 0
    while seeds and crashes < MOST_CRASHES:
        given = {
            "case": case, "valid": str(valid), "beside": str(beside), "seeds": seeds,
            "work": str(folder / f"work{crashes}"), "begun": str(begun), "memory": MEMORY,
            "seconds": SECONDS, "mutations": str(MUTATIONS),
        }  # fmt: skip
        begun.unlink(missing_ok=True)
        process = server.Process(target=runpy.run_path, args=(str(PROGRAM), given))
        process.start()
        process.join()
        assert begun.is_file(), "a valid file is not read"
        seed, more, others = json.loads(begun.read_text())
        refused, wrong = refused + more, wrong + others
        if seed is None:
            break
        crashes += 1
        name = signal.Signals(-process.exitcode).name if process.exitcode < 0 else process.exitcode
        wrong.append([seed, f"ended by {name}"])
        seeds = range(seed + 1, seeds.stop)
    return refused, wrong


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_damaged_file_is_read_or_refused(case, server, write_valid, tmp_path, how_many, counted):
    case = {"opened": case["damaged"]} | case
    # Several kinds of files of one reader share its number.
    number = how_many(USUAL, LONG) // READERS[case["reader"]]
    valid, beside = write_valid(case["valid"]), write_valid(case["valid"], 1)
    refused, wrong = read_all(server, case, valid, beside, range(number), tmp_path)
    assert not wrong, "\n".join(f"seed {seed}: {what}" for seed, what in wrong[:30])
    # Damage is damage: were nothing refused, nothing would be read.
    assert refused > number // 100
    counted("hostile files", f"mutated files, {case['reader']}", number)
