"""`hsi.export_run`: graphs of every form, compared with the run before they have a name."""

import json
import zipfile

import numpy as np
import pytest
import torch

import hsi
from hsi.deployed import OnnxClassifier
from hsi.errors import RunError, UsageError
from hsi.sampling import BandPCA, BandScaler
from hsi.training import Classifier
from hsi.workflows.export.check import Checked, check_export, scores_of
from hsi.workflows.export.exporting import write_checked
from hsi.workflows.export.graph import MapGraph


@pytest.fixture
def classifier_of(scene):
    """Return a function that makes a classifier of the small scene with fresh weights."""

    def make(name, components, patch_size, *, reduction=None, **options):
        known = scene.valid
        reduction = reduction or BandPCA(components, whiten=True)
        reduction.fit(np.nan_to_num(scene.cube), mask=known)
        options |= {
            "name": name, "bands": reduction.components, "classes": 3, "patch_size": patch_size,
        }  # fmt: skip
        torch.manual_seed(0)
        network = hsi.build_model(**options).eval()
        if hasattr(network, "learn"):
            chosen = (scene.labels > 0) & known
            spectra = reduction.transform(scene.cube[chosen][::5])
            targets = np.searchsorted(scene.class_ids, scene.labels[chosen][::5])
            network.learn(spectra, targets, validation=None, seed=0)
        return Classifier(
            network=network,
            options=options,
            reduction=reduction,
            class_ids=scene.class_ids,
            class_names={1: "a", 2: "b", 14: "c"},
            class_colors={1: (1, 2, 3), 2: (9, 9, 9), 14: (0, 0, 0)},
        )

    return make


def of_graph(classifier):
    """Return what the module computes itself, without any export."""
    graph = MapGraph(classifier)

    def compute(cube):
        with torch.no_grad():
            return tuple(each.numpy() for each in graph(torch.from_numpy(cube))[:3])

    return compute


def test_the_module_is_every_network(small_network, classifier_of, scene):
    """Whatever is exported from it later: it computes what the run computes."""
    if small_network.bands > 20:
        pytest.skip("more bands than the scene has")
    classifier = classifier_of(small_network.name, small_network.bands, small_network.patch_size)
    done = check_export(of_graph(classifier), classifier, scene, one_pixel=True)
    assert done.difference < 1e-4
    form = MapGraph(classifier).form
    assert (form == "patches") == (not classifier.network.has_trunk)


@pytest.mark.parametrize(
    ("name", "components", "patch_size", "options", "form"),
    [
        ("hybridsn-dw", 13, 9, {"attention": "se"}, "windows"),
        ("logistic-regression", 5, 1, {}, "patches"),
    ],
    ids=("windows", "patches"),
)
@pytest.mark.slow
def test_forms(classifier_of, scene, tmp_path, name, components, patch_size, options, form):
    classifier = classifier_of(name, components, patch_size, **options)
    path = tmp_path / "model.onnx"
    about, done = write_checked(path, classifier, scene, format="onnx")
    assert about.form == form
    assert done.difference < 1e-4
    # As a map of its own, from tiles of single pixels.
    found = OnnxClassifier(path)
    needed = patch_size**2 * about.position_bytes + about.pixel_bytes
    least = found.tiles(scene, max_memory=int(needed / 0.75) + 10)
    assert least.side == 1
    scores = np.concatenate([each.scores.reshape(3, -1) for each in least.from_row(32)], axis=1)
    assert np.isfinite(scores).all()


def test_bands_that_are_scaled(classifier_of, scene):
    classifier = classifier_of("cnn1d-hu", 20, 1, reduction=BandScaler())
    done = check_export(of_graph(classifier), classifier, scene, one_pixel=True)
    assert done.difference < 1e-4


def test_a_program_of_pytorch(run, exported, tmp_path, scene):
    done = hsi.export_run(run, format="torch", out=tmp_path / "model.pt2")
    assert done.description == exported.description
    assert done.difference < 1e-4
    with zipfile.ZipFile(done.path) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith("hsi.json"))
        about = json.loads(archive.read(name))
        assert not [each for each in archive.namelist() if each.endswith((".pkl", ".pickle"))]
    assert [each["id"] for each in about["classes"]] == [1, 2, 14]
    program = torch.export.load(done.path).module()
    cube = np.pad(scene.cube, ((4, 4), (4, 4), (0, 0)), constant_values=np.nan)
    classes, confidence, *_ = program(torch.from_numpy(cube))
    assert np.array_equal(classes.numpy(), run.map(scene, device="cpu"))
    assert np.array_equal(confidence.isnan().numpy(), ~scene.valid)


def test_the_description(run, exported):
    about = exported.description
    assert (about.model, about.form, about.patch_size, about.components) == (
        "hybridsn-dw", "dense", 9, 13,
    )  # fmt: skip
    assert about.bands.count == 20
    colors = run.classifier.class_colors
    assert {each.id: each.color for each in about.classes} == colors
    assert {each.id: each.name for each in about.classes} == run.classifier.class_names
    assert exported.notes == ()
    assert (exported.random_tiles, exported.real_tiles) == (4, 3)


def test_a_fault_of_any_output_is_found(classifier_of, scene):
    classifier = classifier_of("logistic-regression", 5, 1)
    right = of_graph(classifier)

    def wrong(place, change):
        def compute(cube):
            outputs = [each.copy() for each in right(cube)]
            outputs[place] = change(outputs[place])
            return outputs

        return compute

    def check(compute):
        return check_export(compute, classifier, scene, one_pixel=False)

    assert check(right).difference < 1e-9
    for place, change in (
        (0, lambda classes: np.where(classes == 14, 2, classes)),
        (0, lambda classes: np.where(classes == 0, 1, classes)),
        (1, lambda sure: sure + np.float32(2e-4)),
        (1, lambda sure: np.nan_to_num(sure)),
        (2, lambda scores: scores + 2e-4),
        (2, lambda scores: scores * np.nan),
        (2, lambda scores: scores[:, :1]),
    ):
        with pytest.raises(RunError, match=r"differs from the run by .* it was not kept"):
            check(wrong(place, change))


def test_what_differs_is_not_kept_and_what_was_there_stays(run, tmp_path, monkeypatch):
    monkeypatch.setattr("hsi.workflows.export.check.TOLERANCE", 0.0)
    out = tmp_path / "model.pt2"
    out.write_text("what was there")
    with pytest.raises(RunError, match="not kept"):
        hsi.export_run(run, format="torch", out=out)
    assert [each.name for each in tmp_path.iterdir()] == ["model.pt2"]
    assert out.read_text() == "what was there"


@pytest.mark.parametrize(
    ("source", "reason"), [({"dataset": "gone.npy"}, "there is no file"), ({}, "it was no file")]
)
def test_a_scene_that_is_gone_is_told(run, monkeypatch, tmp_path, source, reason):
    monkeypatch.chdir(tmp_path)

    def write(path, classifier, scene, *, format):
        assert scene is None
        return None, Checked(0.0, 4, 0)

    monkeypatch.setattr("hsi.workflows.export.exporting.write_checked", write)
    again = hsi.Run(run.path)
    again.config = run.config | {"scene": source}
    (note,) = hsi.export_run(again, out=tmp_path / "model.onnx").notes
    assert note.startswith("compared on random tiles only, without the scene of the run: ")
    assert reason in note


def test_a_network_whose_layers_depend_on_the_number_of_pixels(classifier_of, scene, tmp_path):
    classifier = classifier_of("cnn1d-hu", 20, 1)

    class Counts(torch.nn.Module):
        def forward(self, x):
            return x * float(x.sum())

    classifier.network.head.insert(len(classifier.network.head), Counts())
    with pytest.raises(RunError, match=r"this network cannot be exported: .*\nLayers must not"):
        write_checked(tmp_path / "model.onnx", classifier, scene, format="onnx")


def test_what_cannot_be_meant(run, tmp_path):
    with pytest.raises(UsageError, match="unknown format 'onx'; did you mean 'onnx'"):
        hsi.export_run(run, format="onx")
    with pytest.raises(UsageError, match=r"ends in \.onnx"):
        hsi.export_run(run, out=tmp_path / "model.pt2")
    other = hsi.Scene(name="other", cube=np.zeros((9, 9, 3)))
    with pytest.raises(UsageError, match="has 3 bands"):
        hsi.export_run(run, scene=other, out=tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_pixels_without_data_next_to_a_pixel_change_nothing_but_as_in_a_map(run, scene):
    """The reference of the comparison is itself what `hsi map` gives."""
    cube = np.pad(scene.cube, ((4, 4), (4, 4), (0, 0)), constant_values=np.nan)
    scores, valid = scores_of(run.classifier, cube)
    assert np.array_equal(valid, scene.valid)
    np.testing.assert_allclose(scores, run.classifier.scores(scene, device="cpu"), atol=1e-5)
