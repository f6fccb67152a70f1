"""Unfinished maps whose files are damaged: what is damaged is computed once more, or refused."""

import shutil

import numpy as np
import pytest

import hsi
from hsi.errors import RunError
from hsi.mapping.unfinished import FOLDER

FLIPS, MANY_FLIPS = 12, 200


class Interrupting:
    def __init__(self, row):
        self.row = row

    def __call__(self, done, total):
        if done >= self.row:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def stopped(run, scene, tmp_path_factory):
    """Return the folder of a map that was stopped after some rows, and the whole map."""
    out = tmp_path_factory.mktemp("maps")
    whole = hsi.map_scene(run, scene, out=out / "whole", device="cpu", confidence=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hsi.inference.dense.TILE", 8)
        with pytest.raises(KeyboardInterrupt):
            hsi.map_scene(
                run, scene, out=out / "stopped", device="cpu", confidence=True,
                progress=Interrupting(20),
            )  # fmt: skip
        yield out / "stopped", whole.raster.read_bytes()


@pytest.mark.parametrize("name", ["class_map.raw", "confidence.raw", "rows"])
def test_damaged_rows_are_mapped_once_more(run, scene, stopped, tmp_path, counted, how_many, name):
    folder, expected = stopped
    rng = np.random.default_rng(0)
    recomputed = 0
    flips = how_many(FLIPS, MANY_FLIPS)
    for number in range(flips):
        out = tmp_path / str(number)
        shutil.copytree(folder, out)
        path = out / FOLDER / name
        content = bytearray(path.read_bytes())
        content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
        path.write_bytes(content)
        saved = hsi.map_scene(run, scene, out=out, device="cpu", confidence=True, resume=True)
        recomputed += any("are damaged and are mapped once more" in note for note in saved.notes)
        assert saved.raster.read_bytes() == expected
    assert recomputed >= flips // 4  # the others lay in rows that were not done yet
    counted("atomic and checked", "bit flips, all noticed", flips)


def test_a_damaged_journal_is_refused(run, scene, stopped, tmp_path):
    shutil.copytree(stopped[0], tmp_path / "map")
    path = tmp_path / "map" / FOLDER / "journal.json"
    path.write_text(path.read_text().replace("8", "9", 1))
    with pytest.raises(RunError, match=r"damaged \(the sha256 of journal\.json"):
        hsi.map_scene(run, scene, out=tmp_path / "map", device="cpu", confidence=True, resume=True)
