"""Components that are made where they are asked for: each row is read once, and nothing changes."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hsi.errors import SceneError, UsageError
from hsi.inference import predict_scene
from hsi.sampling import BandPCA
from hsi.scenes import Scene
from hsi.scenes.lazy import LazyCube
from hsi.training import components
from hsi.training.components import ComponentCube

BANDS = 16


class Recorded(LazyCube):
    """A cube that notes what is read of it."""

    def __init__(self, cube, chunks=None):
        super().__init__(cube.shape, cube.dtype)
        self.inner, self.chunks, self.rectangles = cube, chunks, []

    def read(self, rows, cols, bands):
        assert len(bands) == BANDS
        self.rectangles.append((rows.start, rows.stop, cols.start, cols.stop))
        return self.inner[rows, cols][:, :, bands]

    @property
    def times(self):
        """How often each pixel was read."""
        times = np.zeros(self.shape[:2], int)
        for top, bottom, left, right in self.rectangles:
            times[top:bottom, left:right] += 1
        return times

    @property
    def largest(self):
        return max((b - t) * (r - c) for t, b, c, r in self.rectangles) * BANDS * 4


def values(rows, cols, seed, holes):
    rng = np.random.default_rng(seed)
    cube = rng.normal(500, 90, (rows, cols, BANDS)).astype(np.float32)
    cube[rng.random((rows, cols)) < holes] = -1
    return cube


@pytest.fixture(scope="module")
def pca():
    return BandPCA(13, whiten=True).fit(values(40, 40, 9, 0).reshape(-1, BANDS))


@settings(max_examples=25)
@given(
    rows=st.integers(1, 40),
    cols=st.integers(1, 30),
    chunk=st.sampled_from([None, (1, 30), (7, 5), (64, 64)]),
    block=st.integers(1, 40_000),
    held=st.sampled_from([0, 10**4, 10**9]),
    holes=st.sampled_from([0, 0.2, 1]),
    seed=st.integers(0, 9),
)
def test_rectangles_are_those_of_the_whole(pca, rows, cols, chunk, block, held, holes, seed):
    cube = values(rows, cols, seed, holes)
    scene = Scene(name="s", cube=Recorded(cube, chunk), nodata=-1)
    whole = pca.transform(cube, valid=(cube != -1).all(axis=2))
    rng = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(components, "READ_BYTES", block)
        reduced = ComponentCube(scene, pca, max_bytes=held)
        for _ in range(4):
            top, left = rng.integers(rows), rng.integers(cols)
            key = slice(top, rng.integers(top, rows) + 1), slice(left, rng.integers(left, cols) + 1)
            found, valid = reduced.rectangle(*key)
            np.testing.assert_allclose(found, whole[key], rtol=0, atol=1e-5)
            assert np.array_equal(valid, (cube[key] != -1).all(axis=2))
            assert np.array_equal(reduced[key], found)


@pytest.mark.parametrize("chunk", [None, (16, 16), (7, 100)])
def test_from_top_to_bottom_each_pixel_is_read_once_and_little_at_a_time(pca, chunk, monkeypatch):
    monkeypatch.setattr(components, "READ_BYTES", 30_000)
    cube = Recorded(values(100, 50, 0, 0), chunk)
    reduced = ComponentCube(Scene(name="s", cube=cube), pca)
    for top in range(0, 100, 20):
        for left in range(0, 50, 25):
            reduced.rectangle(
                slice(max(top - 4, 0), min(top + 24, 100)), slice(max(left - 4, 0), left + 25)
            )
    assert (cube.times == 1).all()
    assert cube.largest <= 30_000
    assert len(reduced._blocks) < 10


def test_where_rows_do_not_fit_only_the_rectangle_is_read(pca):
    cube = Recorded(values(100, 50, 0, 0))
    reduced = ComponentCube(Scene(name="s", cube=cube), pca, max_bytes=1000)
    reduced.rectangle(slice(10, 20), slice(30, 40))
    assert cube.times.sum() == 100
    assert (cube.times[10:20, 30:40] == 1).all()


def test_a_pixel_has_the_same_bits_whatever_was_read_before(pca, monkeypatch):
    monkeypatch.setattr(components, "READ_BYTES", 20_000)
    scene = Scene(name="s", cube=values(60, 30, 0, 0.1), nodata=-1)
    whole = ComponentCube(scene, pca)[:]
    for top in (0, 1, 13, 31, 59):
        later = ComponentCube(scene, pca)
        assert np.array_equal(later[top : top + 9], whole[top : top + 9])


def test_a_fill_value_is_found_in_the_strip_that_holds_it(pca, monkeypatch):
    monkeypatch.setattr(components, "READ_BYTES", 30_000)
    cube = values(100, 50, 0, 0)
    cube[71, 33] = -1e7
    reduced = ComponentCube(Scene(name="s", cube=cube), pca)
    reduced[:60]
    with pytest.raises(SceneError, match=r"(?s)s holds -1e\+07 at row 71, column 33 .*--nodata"):
        reduced[60:80]


@settings(max_examples=15)
@given(
    method=st.sampled_from(["dense", "patches"]),
    rows=st.integers(1, 26),
    cols=st.integers(1, 26),
    side=st.integers(3, 16),
    held=st.booleans(),
    holes=st.sampled_from([0, 0.3]),
    seed=st.integers(0, 99),
)
def test_a_map_in_strips_is_that_of_the_scene_as_a_whole(
    classifier_of_any, method, rows, cols, side, held, holes, seed
):
    classifier = classifier_of_any
    cube = values(rows, cols, seed, holes)
    valid = (cube != -1).all(axis=2)
    scores = predict_scene(
        classifier.network, classifier.reduction.transform(cube, valid=valid), method="patches",
        device="cpu",
    )  # fmt: skip
    recorded = Recorded(cube)
    scene = Scene(name="s", cube=recorded, nodata=-1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(components, "READ_BYTES", 2_000)
        patch.setattr("hsi.inference.dense.TILE", side)
        patch.setattr("hsi.inference.patchwise.PATCH_TILE", side)
        patch.setattr("hsi.training.scene_tiles.FOR_ROWS", 0.35 if held else 0)
        found = classifier.class_map(scene, method=method, device="cpu")
    first, second = np.sort(scores, axis=0)[[-1, -2]]
    clear = first - second > 1e-4 * np.ptp(scores)
    expected = np.where(valid, classifier.class_ids[scores.argmax(axis=0)], 0)
    assert np.array_equal(found[clear], expected[clear])
    assert np.array_equal(found == 0, ~valid)
    if held:
        assert (recorded.times == 1).all()


@pytest.fixture(scope="module")
def classifier_of_any(pca):
    from hsi.models import build_model
    from hsi.training import Classifier

    options = {"name": "hybridsn-dw", "bands": 13, "classes": 3, "patch_size": 9}
    torch.manual_seed(0)
    ids = np.array([3, 10, 14], dtype=np.int32)
    return Classifier(
        network=build_model(**options).eval(),
        options=options,
        reduction=pca,
        class_ids=ids,
        class_names={each: str(each) for each in ids.tolist()},
        class_colors={each: (each, each, each) for each in ids.tolist()},
    )


def test_components_of_a_classifier_are_those_of_its_reduction(classifier, field):
    expected = classifier.reduction.transform(field.cube, valid=field.valid)
    np.testing.assert_allclose(classifier.components(field), expected, rtol=0, atol=1e-5)
    again = dataclasses.replace(field, cube=Recorded(np.asarray(field.cube)))
    classifier.components(again)
    assert (again.cube.times == 1).all()


def test_a_network_in_bfloat16_is_refused_with_words(classifier_of_any):
    import copy

    half = copy.deepcopy(classifier_of_any.network).to(torch.bfloat16)
    own = dataclasses.replace(classifier_of_any, network=half)
    with pytest.raises(UsageError, match="the network is in bfloat16"):
        own.class_map(Scene(name="s", cube=values(5, 5, 0, 0)), device="cpu")


def test_without_a_limit_a_map_takes_no_more_than_makes_it_faster(classifier_of_any):
    scene = Scene(name="s", cube=values(30, 30, 0, 0))
    assert classifier_of_any.tiles(scene, device="cpu").plan["max_memory"] <= 2**30
    plan = classifier_of_any.tiles(scene, device="cpu", max_memory="3G").plan
    assert plan["max_memory"] == 3 * 2**30
