"""A trained classifier as a file, and the scenes that it refuses."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from hsi.errors import RunError, SceneError, UsageError
from hsi.models import registry
from hsi.sampling import BandPCA
from hsi.scenes import Scene
from hsi.training import Classifier
from hsi.training.model_file import write_model


@pytest.fixture
def saved(classifier, tmp_path):
    path = tmp_path / "model.safetensors"
    classifier.save(path)
    return path


def parts(path):
    """Return the description and the tensors of a saved classifier."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return json.loads(file.metadata()["hsi"]), tensors


def test_a_saved_classifier_gives_the_same_bits(classifier, saved, field):
    again = Classifier.load(saved)
    for method in ("dense", "patches"):
        expected = classifier.scores(field, method=method, device="cpu")
        assert np.array_equal(again.scores(field, method=method, device="cpu"), expected)
    assert np.array_equal(again.components(field), classifier.components(field))
    assert again.class_ids.tolist() == [3, 10, 14]
    for name in ("options", "class_names", "class_colors"):
        assert getattr(again, name) == getattr(classifier, name)
    assert np.array_equal(again.wavelengths, classifier.wavelengths)
    assert again.reduction.whiten is True


def test_saving_twice_gives_the_same_bytes(saved):
    again = saved.with_name("again.safetensors")
    Classifier.load(saved).save(again)
    assert again.read_bytes() == saved.read_bytes()


def test_band_centres_may_be_unknown(classifier, tmp_path, field):
    dataclasses.replace(classifier, wavelengths=None).save(tmp_path / "model.safetensors")
    again = Classifier.load(tmp_path / "model.safetensors")
    assert again.wavelengths is None
    again.scores(field, device="cpu")


def test_loading_draws_no_random_numbers_and_gives_a_network_that_can_learn(saved):
    before = torch.random.get_rng_state()
    network = Classifier.load(saved).network
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not any(module.training for module in network.modules())
    assert all(weight.requires_grad for weight in network.parameters())


def test_saving_leaves_no_other_file_and_replaces_an_older_one(saved, classifier):
    saved.write_bytes(b"old")
    classifier.save(saved)
    assert [each.name for each in saved.parent.iterdir()] == [saved.name]
    Classifier.load(saved)


def test_a_path_may_be_text(saved, classifier):
    classifier.save(str(saved))
    Classifier.load(str(saved))


def test_a_failed_save_leaves_the_older_file(saved, classifier, monkeypatch):
    before = saved.read_bytes()

    def fail(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hsi.training.model_file.save_file", fail)
    with pytest.raises(OSError, match="No space"):
        classifier.save(saved)
    assert saved.read_bytes() == before
    assert len(list(saved.parent.iterdir())) == 1


def test_no_file(tmp_path):
    with pytest.raises(RunError, match=r"there is no .*model\.safetensors"):
        Classifier.load(tmp_path / "model.safetensors")


def test_a_file_cut_off_anywhere(saved):
    whole = saved.read_bytes()
    for keep in [0, 1, 7, 8, 9, 100, *np.linspace(200, len(whole) - 1, 10).astype(int)]:
        saved.write_bytes(whole[:keep])
        with pytest.raises(RunError, match=r"model\.safetensors") as caught:
            Classifier.load(saved)
        assert str(caught.value).count("\n") < 5


def test_no_flipped_bit_is_read(saved):
    whole = saved.read_bytes()
    rng = np.random.default_rng(0)
    header = int.from_bytes(whole[:8], "little")
    for place in [*rng.integers(0, 8 + header, 150), *rng.integers(8 + header, len(whole), 150)]:
        changed = bytearray(whole)
        changed[place] ^= 1 << int(rng.integers(8))
        saved.write_bytes(changed)
        with pytest.raises(RunError, match=r"model\.safetensors"):
            Classifier.load(saved)


@pytest.mark.parametrize("content", [b"<!doctype html><html>", bytes(500), b"PK\x03\x04" * 50])
def test_something_else_under_that_name(saved, content):
    saved.write_bytes(content)
    with pytest.raises(RunError, match="damaged or no safetensors file"):
        Classifier.load(saved)


def test_a_folder_under_that_name(tmp_path):
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(RunError, match=r"model\.safetensors"):
        Classifier.load(tmp_path / "model.safetensors")


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_weights_of_another_program(tmp_path, metadata):
    save_file({"weight": torch.zeros(3)}, tmp_path / "model.safetensors", metadata=metadata)
    with pytest.raises(RunError, match="was not written by hsi"):
        Classifier.load(tmp_path / "model.safetensors")


def test_a_later_format_is_named(saved):
    about, tensors = parts(saved)
    save_file(tensors, saved, metadata={"hsi": json.dumps(about | {"format": 99})})
    with pytest.raises(RunError, match="format 99; this version of hsi reads format 1"):
        Classifier.load(saved)


def without(table, name):
    return {key: value for key, value in table.items() if key != name}


ALTERED = {
    "no json": lambda about: "{not json",
    "a number": lambda about: "3",
    "null": lambda about: "null",
    "a list": lambda about: "[1, 2]",
    "empty": lambda about: "{}",
    "no options": lambda about: without(about, "options"),
    "no classes": lambda about: without(about, "classes"),
    "options of a list": lambda about: about | {"options": [1]},
    "unknown option": lambda about: about | {"options": about["options"] | {"depth": 3}},
    "a name that is none": lambda about: about | {"options": about["options"] | {"name": [1]}},
    "other bands": lambda about: about | {"options": about["options"] | {"bands": 14}},
    "other classes": lambda about: about | {"options": about["options"] | {"classes": 4}},
    "other patch": lambda about: about | {"options": about["options"] | {"patch_size": 11}},
    "words for sizes": lambda about: about | {"options": about["options"] | {"bands": "many"}},
    "fewer classes": lambda about: about | {"classes": about["classes"][:2]},
    "classes without id": lambda about: about | {"classes": [{"name": "a"}] * 3},
    "classes that are none": lambda about: about | {"classes": [1, 2, 3]},
    "ids that are none": lambda about: (
        about | {"classes": [each | {"id": "x"} for each in about["classes"]]}
    ),
    "ids twice": lambda about: about | {"classes": about["classes"][:1] * 3},
}


@pytest.mark.parametrize("what", ALTERED)
def test_a_description_that_was_altered(saved, what):
    about, tensors = parts(saved)
    altered = ALTERED[what](about)
    if isinstance(altered, str):
        save_file(tensors, saved, metadata={"hsi": altered})
    else:  # with a sum that is right
        write_model(saved, about=altered, tensors=tensors)
    with pytest.raises(RunError, match=r"model\.safetensors is damaged") as caught:
        Classifier.load(saved)
    assert str(caught.value).count("\n") < 5


def test_a_network_of_ones_own_has_to_be_registered_in_each_process(
    classifier, tmp_path, monkeypatch
):
    monkeypatch.setitem(registry.MODELS, "own05", registry.MODELS["hybridsn-dw"])
    own = dataclasses.replace(classifier, options=classifier.options | {"name": "own05"})
    own.save(tmp_path / "model.safetensors")
    Classifier.load(tmp_path / "model.safetensors")
    monkeypatch.delitem(registry.MODELS, "own05")
    with pytest.raises(RunError, match=r"'own05', which is not known here") as caught:
        Classifier.load(tmp_path / "model.safetensors")
    message = str(caught.value)
    assert "hsi.register_model" in message
    assert "damaged" not in message


SWAPPED = {
    "a weight missing": lambda tensors: without(tensors, "network.head.1.weight"),
    "a weight too many": lambda tensors: tensors | {"network.extra": torch.zeros(2)},
    "a weight of another shape": lambda tensors: (
        tensors | {"network.head.1.weight": torch.zeros(2, 2)}
    ),
    "no mean": lambda tensors: without(tensors, "scene.mean"),
    "mean of other bands": lambda tensors: tensors | {"scene.mean": torch.zeros(3)},
    "fewer components": lambda tensors: (
        tensors | {"scene.components": tensors["scene.components"][:12].clone()}
    ),
    "variances of others": lambda tensors: tensors | {"scene.explained_variance": torch.ones(3)},
    "other band centres": lambda tensors: tensors | {"scene.wavelengths": torch.ones(3)},
    "nothing": lambda tensors: {"scene": torch.zeros(1)},
}


@pytest.mark.parametrize("what", SWAPPED)
def test_tensors_that_do_not_belong_to_the_description(saved, what):
    about, tensors = parts(saved)
    write_model(saved, about=about, tensors=SWAPPED[what](tensors))
    with pytest.raises(RunError, match=r"model\.safetensors is damaged") as caught:
        Classifier.load(saved)
    assert str(caught.value).count("\n") < 5


def variant(field, *, bands=slice(None), nm=None):
    """Return the scene with other bands or band centres."""
    return Scene(
        name="other",
        cube=field.cube[:, :, bands],
        wavelengths=nm if nm is not None else field.wavelengths[bands],
        nodata=field.nodata,
    )


def test_other_bands_are_refused(classifier, field):
    with pytest.raises(UsageError, match="other has 15 bands; this classifier was trained on 16"):
        classifier.scores(variant(field, bands=slice(1, None)))


@pytest.mark.parametrize(("shape", "axis"), [((16, 12, 14), "first"), ((12, 16, 14), "second")])
def test_bands_that_are_not_last_are_recognised(classifier, shape, axis):
    with pytest.raises(UsageError, match=rf"14 bands; .* 16\nIts {axis} axis"):
        classifier.scores(Scene(name="other", cube=np.ones(shape)))


def test_other_band_centres_are_refused_with_the_worst_one(classifier, field):
    nm = field.wavelengths.copy()
    nm[4] += 3
    nm[6] += 40
    worst = r"band 7 lies at 1240\.0 nm instead of 1200\.0 nm, and 1 more differ"
    with pytest.raises(UsageError, match=worst):
        classifier.class_map(variant(field, nm=nm))
    with pytest.raises(UsageError, match=r"band 1 lies at .*, and 15 more differ"):
        classifier.class_map(variant(field, nm=field.wavelengths + 300))


def test_band_centres_that_were_rounded_or_are_unknown_will_do(classifier, field):
    expected = classifier.class_map(field, device="cpu")
    for scene in (
        variant(field, nm=field.wavelengths.round()),
        Scene(name="other", cube=field.cube, nodata=field.nodata),
    ):
        assert np.array_equal(classifier.class_map(scene, device="cpu"), expected)


def test_a_class_map_holds_label_ids_and_0_exactly_where_no_data_is(classifier, field):
    class_map = classifier.class_map(field, device="cpu")
    assert class_map.dtype == np.int32
    assert np.array_equal(class_map == 0, ~field.valid)
    assert (~field.valid).sum() == 6
    assert set(np.unique(class_map)) <= {0, 3, 10, 14}
    best = classifier.scores(field, device="cpu").argmax(0)
    assert np.array_equal(class_map[field.valid], np.array([3, 10, 14])[best[field.valid]])


@pytest.mark.parametrize("whiten", [True, False])
@pytest.mark.parametrize("fill", [-1e7, 3.4e38])
def test_a_pixel_far_beyond_all_others_is_a_fill_value(classifier, field, whiten, fill):
    reduction = BandPCA(13, whiten=whiten).fit(field.cube, mask=field.valid)
    own = dataclasses.replace(classifier, reduction=reduction)
    own.components(field)
    cube = field.cube.copy()
    cube[7, 11] = fill
    words = r"field holds \S+ at row 7, column 11 .* 1 pixels in rows 0 to 11 .*\n.*--nodata="
    with pytest.raises(SceneError, match=words):
        own.components(dataclasses.replace(field, cube=cube))
    declared = dataclasses.replace(field, cube=cube, nodata=float(cube[7, 11, 0]))
    own.components(declared)


def test_a_component_that_hardly_varies_tells_no_fill_values(classifier, field):
    cube = field.cube.astype(np.float64)
    cube[..., 13:] = cube[..., :3] + 1e-4 * np.random.default_rng(0).normal(size=(12, 14, 3))
    fitted = BandPCA(16, whiten=True).fit(cube, mask=field.valid)
    own = dataclasses.replace(classifier, reduction=fitted)
    cube[7, 11, 13] += 50
    other = dataclasses.replace(field, cube=cube)
    assert np.abs(fitted.transform(cube, valid=field.valid)).max() > 1e4
    own.components(other)
