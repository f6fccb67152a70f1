"""Files made to do harm: refused or left alone; nothing elsewhere is opened, asked or run."""

import ctypes
import json
import os
import re
import runpy
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = tomllib.loads((HERE / "cases/hostile.toml").read_text())["case"]
WRITERS = {
    name: value
    for path in sorted((HERE / "hostile").glob("*.py"))
    for name, value in runpy.run_path(str(path)).items()
}
MEMORY, SECONDS = 2**28, 10
READ = "it is read"
IN_OPEN = 0x20


class Watch:
    """Tells whether any process has opened a file since."""

    def __init__(self, path):
        library = ctypes.CDLL(None, use_errno=True)
        self.queue = library.inotify_init1(os.O_NONBLOCK)
        assert self.queue >= 0
        assert library.inotify_add_watch(self.queue, os.fsencode(path), IN_OPEN) >= 0

    def opened(self):
        try:
            return bool(os.read(self.queue, 4096))
        except BlockingIOError:
            return False

    def close(self):
        os.close(self.queue)


@pytest.fixture
def watch(tmp_path):
    secret = tmp_path / "outside" / "secret"
    secret.parent.mkdir()
    made = []

    def begin():
        if not secret.exists():
            secret.write_text("secret")
        made.append(Watch(secret))
        return made[-1]

    yield secret, begin
    for each in made:
        each.close()


def test_the_watch_sees_what_is_opened(watch):
    secret, begin = watch
    watching = begin()
    assert not watching.opened()
    secret.read_bytes()
    assert watching.opened()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_file_made_to_do_harm(case, processes, watch, server, tmp_path, counted):
    secret, begin = watch
    folder = tmp_path / "inside"
    folder.mkdir()
    opened = WRITERS[case["written"]](folder, secret, server.address)
    server.asked.clear()
    before = {path for path in tmp_path.rglob("*") if not path.is_symlink()}
    watching = begin()
    out = tmp_path / "out.json"
    given = {
        "doors": str(HERE / "doors.py"), "read": case["read"], "opened": str(opened),
        "options": case.get("options", {}), "memory": MEMORY, "seconds": SECONDS, "out": str(out),
    }  # fmt: skip
    process = processes.Process(target=runpy.run_path, args=(str(HERE / "read_hostile.py"), given))
    process.start()
    process.join()
    assert process.exitcode == 0
    answer = json.loads(out.read_text())
    # A link to a file is a file among photographs; one to a folder is none.
    assert watching.opened() == case.get("opens_the_link", False)
    assert server.asked == []
    left = folder / "left.json"
    assert {path for path in tmp_path.rglob("*") if not path.is_symlink()} - before <= {
        secret, out, left,
    } | set((tmp_path / "cache").rglob("*")) | {tmp_path / "cache"}  # fmt: skip
    assert "wrong" not in answer, answer["wrong"]
    if left.exists():
        assert json.loads(left.read_text()) == [str(folder / "x" / name) for name in case["left"]]
    if case["expected"] == READ:
        assert answer["said"] is None
    else:
        assert re.search(re.escape(case["expected"]), answer["said"] or "it was read")
    assert answer["peak"] <= MEMORY
    counted("hostile files", "files made to do harm")
