"""Retrievals from end to end: what is learned, from what, and what is found."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import rasterio
import torch

import hsi
from hsi.errors import RunError, SceneError, UsageError
from hsi.retrieval import average_precisions, chance_precisions, cosines
from hsi.training.retrieval_run import RetrievalRun
from hsi.training.split_file import write_split
from hsi.workflows.retrieve import (
    feature_pair,
    figure_path,
    find,
    open_pair,
    raster_pair,
    resume_retrieval,
    train_retrieval,
)

CPU = torch.device("cpu")
TIMES = ("train_seconds", "test_seconds")


@pytest.fixture
def pair(scene):
    return raster_pair(scene, "rgb")


@pytest.fixture
def placed(retrieved, pair):
    """Where each pixel lies, ``(rows, cols, dimensions)`` of each modality."""
    retriever, (rows, cols) = retrieved.retriever, pair.valid.shape
    places = np.argwhere(np.ones((rows, cols), bool))
    return {
        modality: retriever.embed(
            modality, retriever.patches(modality, pair.scene(modality), device=CPU), places
        ).reshape(rows, cols, -1)
        for modality in ("first", "second")
    }


def weights(run):
    return (run.path / "model.safetensors").read_bytes()


def test_a_run_has_everything_and_the_figures_of_its_test_pixels(retrieved, pair, placed):
    metrics = retrieved.metrics
    test = retrieved.split_file.split.test
    classes = pair.first.labels[test]
    one, other = placed["first"][test], placed["second"][test]
    for way, queries in (("first_to_second", (one, other)), ("second_to_first", (other, one))):
        expected = average_precisions(*queries, classes=classes).mean()
        assert metrics["map"][way] == pytest.approx(expected, abs=1e-5)
    assert metrics["chance"]["mean"] == pytest.approx(chance_precisions(classes).mean())
    assert metrics["map"]["mean"] > metrics["chance"]["mean"] + 0.1
    shares = [each["pixels"] / len(classes) for each in metrics["per_class"]]
    by_class = [each["first_to_second"] for each in metrics["per_class"]]
    assert np.dot(shares, by_class) == pytest.approx(metrics["map"]["first_to_second"])
    assert {each.name for each in retrieved.path.iterdir()} == {
        "config.toml", "split.npz", "model.safetensors", "history.csv", "metrics.json",
        "queries.png", "SHA256SUMS",
    }  # fmt: skip


def test_validation_chooses_the_epoch(retrieved):
    header, *rows = (retrieved.path / "history.csv").read_text().splitlines()
    column = header.split(",").index("validation_map")
    values = [float(row.split(",")[column]) for row in rows]
    metrics = retrieved.metrics
    assert metrics["validation_map"] == max(values)
    assert values[metrics["kept_epoch"] - 1] == max(values)


def test_labels_of_test_pixels_change_nothing_that_is_learned(scene, tmp_path, retrieval):
    split = hsi.split_pixels(scene.labels, train=0.15, validation=0.15, valid=scene.valid)
    masks = {name: getattr(split, name) for name in ("train", "validation", "test")}
    np.savez(tmp_path / "masks.npz", **masks)
    other = scene.labels.copy()
    other[split.test] = np.random.default_rng(0).permutation(other[split.test])
    changes = {"split_file": tmp_path / "masks.npz", "train": 1.0, "validation": None, "epochs": 2}
    runs = [
        train_retrieval(
            raster_pair(dataclasses.replace(scene, labels=labels), "rgb"),
            out=tmp_path / name,
            **(retrieval | changes),
        )
        for name, labels in (("own", scene.labels), ("other", other))
    ]
    assert weights(runs[0]) == weights(runs[1])
    assert runs[0].metrics["map"] != runs[1].metrics["map"]


def test_it_goes_on_to_the_same_bits(pair, tmp_path, retrieval, monkeypatch, counted):
    monkeypatch.setattr("hsi.workflows.kept.CHECKPOINT_SECONDS", 0.0)
    changes = retrieval | {"batch_size": 30, "epochs": 3}
    whole = train_retrieval(pair, out=tmp_path / "whole", **changes)
    steps = []

    class Interrupting:
        def step(self, done, total):
            steps.append(total)
            if done == total - 2:
                raise KeyboardInterrupt

        def epoch(self, epoch, total):
            pass

    with pytest.raises(KeyboardInterrupt) as stopped:
        train_retrieval(pair, out=tmp_path / "cut", progress=Interrupting(), **changes)
    assert "`hsi retrieve train --resume" in " ".join(stopped.value.__notes__)
    assert steps[0] > 6
    found = find(tmp_path / "cut", (20, 20), pair=pair, device="cpu")  # with the checkpoint
    assert len(found.hits) == 20
    shifted = dataclasses.replace(pair.second, cube=pair.second.cube + 1)
    with pytest.raises(RunError, match="are not those that"):
        resume_retrieval(tmp_path / "cut", dataclasses.replace(pair, second=shifted))
    run = resume_retrieval(tmp_path / "cut", device="cpu", report=False)
    assert weights(run) == weights(whole)
    kept = [{k: v for k, v in each.metrics.items() if k not in TIMES} for each in (run, whole)]
    assert kept[0] == kept[1]
    assert not (run.path / "checkpoint").exists()
    with pytest.raises(UsageError, match="is finished"):
        resume_retrieval(run)
    counted("resume", "retrievals that were interrupted")


def test_its_pair_and_settings_make_it_again(retrieved, tmp_path):
    again = train_retrieval(
        open_pair(retrieved.config["pair"]), retrieved.settings, out=tmp_path / "again",
        device="cpu", report=False,
    )  # fmt: skip
    assert weights(again) == weights(retrieved)


@pytest.mark.parametrize("source", ["first", "second"])
def test_a_query_finds_the_nearest_of_the_other_modality(retrieved, pair, placed, source):
    other = {"first": "second", "second": "first"}[source]
    at = tuple(np.argwhere(retrieved.split_file.split.test)[5].tolist())
    searched = retrieved.split_file.split.test.copy()
    searched[at] = False
    similar = cosines(placed[source][at][None], placed[other][searched])[0]
    found = find(retrieved, at, source=source, top=7, device="cpu")
    best = np.argwhere(searched)[np.argsort(-similar)[:7]]
    assert [(hit.row, hit.col) for hit in found.hits] == [tuple(each) for each in best.tolist()]
    assert [hit.similarity for hit in found.hits] == pytest.approx(
        np.sort(similar)[::-1][:7].tolist(), abs=1e-5
    )
    assert [hit.id for hit in found.hits] == pair.first.labels[tuple(best.T)].tolist()
    assert found.of_its_class == sum(hit.id == found.id for hit in found.hits)
    assert found.searched == searched.sum()


def test_what_is_searched_may_be_more(retrieved, pair):
    numbers = {
        among: find(retrieved, (20, 20), among=among, device="cpu").searched
        for among in ("test", "labelled", "all")
    }
    labels = (pair.first.labels > 0) & pair.valid
    assert numbers["labelled"] == labels.sum() - labels[20, 20]
    assert numbers["all"] == pair.valid.sum() - 1
    assert numbers["test"] < numbers["labelled"] < numbers["all"]
    all_of_them = find(retrieved, (20, 20), among="all", top=10**6, device="cpu").hits
    assert len({(hit.row, hit.col) for hit in all_of_them}) == numbers["all"]
    assert (20, 20) not in {(hit.row, hit.col) for hit in all_of_them}


def test_a_place_without_data_or_outside_is_refused(retrieved):
    for at, words in (((0, 0), "no data"), ((34, 0), "rows are 0 to 33"), ((-1, 2), "no place")):
        with pytest.raises(UsageError, match=words):
            find(retrieved, at, device="cpu")


def test_a_georeferenced_raster_with_gaps(scene, tmp_path, retrieval):
    """Labels where it has no data are left out, and it is said."""
    values = np.nan_to_num(scene.cube[:, :, ::7]).astype(np.float32)
    values[:, :6] = -1
    transform = rasterio.Affine(20, 0, 400000, 0, -20, 5000000)
    with rasterio.open(
        tmp_path / "second.tif", "w", driver="GTiff", height=34, width=40, count=3,
        dtype="float32", crs="EPSG:32633", transform=transform, nodata=-1,
    ) as file:  # fmt: skip
        file.write(np.moveaxis(values, 2, 0))
    pair = raster_pair(scene, tmp_path / "second.tif")
    lost = int((scene.labels[:, :6] > 0).sum())
    assert lost > 0
    run = train_retrieval(pair, out=tmp_path / "run", **(retrieval | {"epochs": 1}))
    assert any(f"{lost:,} labelled pixels are left out" in each for each in run.metrics["notes"])
    split = run.split_file.split
    assert not (split.train | split.validation | split.test)[:, :6].any()
    assert find(run, (20, 20), among="all", device="cpu").searched == pair.valid.sum() - 1
    gone = dataclasses.replace(pair.second, cube=np.full((34, 40, 3), np.nan, np.float32))
    with pytest.raises(SceneError, match="has no data where"):
        raster_pair(scene, gone)


def test_a_split_with_labels_of_its_own_keeps_to_pixels_with_data(scene, tmp_path, retrieval):
    split = hsi.split_pixels(scene.labels, train=0.15, validation=0.15, valid=scene.valid)
    split = dataclasses.replace(split, labels=scene.labels)
    write_split(tmp_path / "split.npz", split, labels=scene.labels)
    values = np.nan_to_num(scene.cube[:, :, :2])
    values[10:14] = np.nan
    pair = raster_pair(scene, hsi.Scene(name="second", cube=values))
    changes = {"split_file": tmp_path / "split.npz", "validation": None, "epochs": 1}
    run = train_retrieval(pair, out=tmp_path / "run", **(retrieval | {"train": 1.0} | changes))
    lost = 0
    for name in ("train", "validation", "test"):
        mask = getattr(run.split_file.split, name)
        assert not mask[10:14].any()
        lost += getattr(split, name)[10:14].sum()
        np.testing.assert_array_equal(mask[14:], getattr(split, name)[14:])
    assert any(f"{lost:,} pixels of the split" in each for each in run.metrics["notes"])
    with pytest.raises(SceneError, match="the second raster was no file"):
        open_pair(run.config["pair"])
    assert find(run, (20, 20), pair=pair, device="cpu").hits


def test_rows_of_arrays(write_features, tmp_path, retrieval):
    pair = feature_pair(write_features(tmp_path / "pairs.npz"))
    settings = retrieval | {"patch_size": None, "epochs": 30, "train": 0.3}
    run = train_retrieval(pair, out=tmp_path / "run", **settings)
    assert run.metrics["map"]["mean"] > run.metrics["chance"]["mean"] + 0.3
    assert run.metrics["overlap"] == {"contains": 0.0, "shares": 0.0}
    assert not (run.path / "queries.png").exists()
    found = find(run, (3, 0), among="all", device="cpu")
    assert found.searched == 89
    with pytest.raises(UsageError, match="have no pictures"):
        found.save_figure(tmp_path / "found.png")
    for changes, words in (({"patch_size": 3}, "--patch-size"), ({"split": "blocks"}, "--split")):
        with pytest.raises(UsageError, match=words):
            train_retrieval(pair, out=tmp_path / "no", **(settings | changes))
    write_features(tmp_path / "pairs.npz", seed=1)
    with pytest.raises(RunError, match="are not those that"):
        find(run, (3, 0), device="cpu")


def test_sets_in_which_nothing_can_be_found_are_refused(scene, tmp_path, retrieval):
    with pytest.raises(UsageError, match="no class has two validation pixels"):
        train_retrieval(
            raster_pair(scene, "rgb"), out=tmp_path / "no", **(retrieval | {"validation": 1})
        )
    assert not (tmp_path / "no").exists()


def test_a_run_of_another_kind_says_so(run):
    with pytest.raises(RunError, match="of a run of `hsi train`"):
        _ = RetrievalRun(run.path).settings


def test_a_damaged_config_is_told(retrieved, tmp_path):
    text = (retrieved.path / "config.toml").read_text()
    for broken in (
        text.replace("[pair.second]", "[pair.third]"),
        text.replace("composite = true", "composite = 3"),
        text.replace("[pair.scene]", "[pair.scene]\ncolour = 3"),
        '[pair.features]\npath = "x"\n[settings]\n',
    ):
        (tmp_path / "config.toml").write_text(broken)
        with pytest.raises(RunError, match=r"config\.toml"):
            _ = RetrievalRun(tmp_path).config


@pytest.mark.slow
def test_salinas_a_is_found_far_above_chance_and_correlation(real_data, tmp_path):
    """Every second row and column of its labels, to be quick."""
    scene = hsi.load_scene("salinas_a")
    labels = np.zeros_like(scene.labels)
    labels[::2, ::2] = scene.labels[::2, ::2]
    scene = dataclasses.replace(scene, labels=labels)
    run = train_retrieval(
        raster_pair(scene, "rgb"), out=tmp_path / "run", train=0.3, validation=0.1, epochs=20,
        patch_size=3, device="cpu", report=False,
    )  # fmt: skip
    found = json.loads((run.path / "metrics.json").read_text())
    for way in ("first_to_second", "second_to_first"):
        assert found["chance"][way] < 0.25
        assert found["canonical_correlation"][way] > found["chance"][way] + 0.2
        assert found["map"][way] > found["canonical_correlation"][way] + 0.05


def test_a_figure_replaces_nothing_that_was_learned_from(retrieved, files, tmp_path):
    copy = RetrievalRun(shutil.copytree(retrieved.path, tmp_path / "run"))
    second = tmp_path / "second.png"
    second.write_bytes(b"values")
    copy.config["pair"]["second"] = {"dataset": str(second)}
    with pytest.raises(UsageError, match="is what the run was trained on"):
        figure_path(second, copy)
    assert figure_path(tmp_path / "found.png", copy) == tmp_path / "found.png"


def test_values_that_are_the_same_everywhere_are_refused_before_training(
    write_features, tmp_path, retrieval
):
    path = write_features(tmp_path / "pairs.npz")
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **(arrays | {"first": np.ones_like(arrays["first"])}))
    with pytest.raises(UsageError, match="the same values in all training pixels"):
        train_retrieval(
            feature_pair(path), out=tmp_path / "run", **(retrieval | {"patch_size": None})
        )
    assert not (tmp_path / "run").exists()
