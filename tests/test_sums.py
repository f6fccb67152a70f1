"""Sums of files: what is written gets one, and what was changed is not read."""

import os
import subprocess

import numpy as np
import pytest

from hsi import files
from hsi.errors import RunError
from hsi.files import atomic_path, atomic_paths, make_folder_with_sums, move_into_place, write_text
from hsi.sums import NAME, check_sum, expect_sum, has_sums, remove_sums, sum_of


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "made" / "folder"
    make_folder_with_sums(made)
    write_text(made / "one.txt", "one")
    with atomic_paths(made / "two.bin", made / "beside.txt") as (two, beside):
        two.write_bytes(bytes(1000))
        beside.write_text("beside")
    (made / "complete").mkdir()
    (made / "complete" / "three").write_text("three")
    move_into_place(made / "complete" / "three", made / "three")
    return made


FILES = ("one.txt", "two.bin", "beside.txt", "three")


def test_sha256sum_agrees(folder):
    done = subprocess.run(["sha256sum", "-c", NAME], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {line.split(":")[0] for line in done.stdout.splitlines()} == set(FILES)


def test_what_was_changed_is_refused(folder):
    rng = np.random.default_rng(0)
    for name in FILES:
        path = folder / name
        check_sum(path)
        whole = path.read_bytes()
        for place in rng.integers(0, len(whole), 20):
            changed = bytearray(whole)
            changed[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(changed)
            with pytest.raises(RunError, match=r"is damaged, or was changed by hand") as refused:
                check_sum(path)
            assert str(refused.value).count("\n") < 5
            assert sum_of(path) in str(refused.value)
        path.write_bytes(whole)
        check_sum(path)


def test_a_damaged_listing_lets_nothing_damaged_pass(folder):
    listing = folder / NAME
    whole = listing.read_bytes()
    refused = 0
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << (place % 8)
        listing.write_bytes(changed)
        for name in FILES:  # which are whole: they are read, or refused for the listing's sake
            try:
                check_sum(folder / name)
            except RunError:
                refused += 1
    assert refused > 60 * len(FILES)


def test_a_new_file_replaces_the_sum_of_the_old(folder):
    write_text(folder / "one.txt", "another")
    check_sum(folder / "one.txt")
    assert (folder / NAME).read_text().count("one.txt") == 1


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("at", ["sum_of", "expect_sum", "settle_sum"])
def test_an_interruption_leaves_no_file_that_is_taken_for_damaged(folder, monkeypatch, at):
    real = getattr(files, at)

    def stop(*arguments):
        if at != "settle_sum":
            real(*arguments)
        raise StoppedError

    monkeypatch.setattr(files, at, stop)
    with pytest.raises(StoppedError):
        write_text(folder / "one.txt", "another")
    check_sum(folder / "one.txt")
    assert (folder / "one.txt").read_text() == ("another" if at == "settle_sum" else "one")
    monkeypatch.setattr(files, at, real)
    write_text(folder / "one.txt", "a third")
    check_sum(folder / "one.txt")
    (folder / "one.txt").write_text("another")
    with pytest.raises(RunError):
        check_sum(folder / "one.txt")


def test_the_rename_may_be_where_it_stops(folder, monkeypatch):
    expect_sum(folder / "one.txt", "0" * 64)
    check_sum(folder / "one.txt")


def test_without_sums_nothing_is_checked(tmp_path):
    with atomic_path(tmp_path / "file") as path:
        path.write_text("text")
    assert not has_sums(tmp_path)
    check_sum(tmp_path / "file")
    check_sum(tmp_path / "not there")


def test_sums_stay_as_long_as_one_of_their_files(folder):
    (folder / "mine.txt").write_text("mine")
    for name in FILES:
        remove_sums(folder)
        assert has_sums(folder)
        (folder / name).unlink()
    remove_sums(folder)
    assert not has_sums(folder)


def test_names_need_not_be_in_utf8(folder):
    name = os.fsdecode(b"caf\xe9")
    write_text(folder / name, "au lait")
    check_sum(folder / name)
    (folder / name).write_text("noir")
    with pytest.raises(RunError):
        check_sum(folder / name)


def test_lines_of_others_stay_as_they_are(tmp_path):
    listing = tmp_path / NAME
    theirs = f"# of the data\n{'a' * 64} *data.bin\nnothing\n"
    listing.write_text(theirs)
    make_folder_with_sums(tmp_path)
    write_text(tmp_path / "map.txt", "map")
    lines = listing.read_text().splitlines()
    assert lines[:2] == ["# of the data", "nothing"]
    assert f"{'a' * 64}  data.bin" in lines
    (tmp_path / "data.bin").write_bytes(b"other")
    with pytest.raises(RunError):
        check_sum(tmp_path / "data.bin")
    check_sum(tmp_path / "map.txt")
