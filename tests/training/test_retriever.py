"""What a retrieval learns by, and the file that it is kept in."""

import dataclasses

import numpy as np
import pytest
import torch

from hsi.errors import RunError, UsageError
from hsi.retrieval import cross_modal_network
from hsi.sampling import BandPCA, BandScaler
from hsi.training.fit_retrieval import fit_retrieval
from hsi.training.retrieval_settings import RetrievalSettings
from hsi.training.retriever import PatchSource, Retriever

CPU = torch.device("cpu")
OPTIONS = {
    "first_bands": 4, "second_bands": 2, "patch_size": 3, "dimensions": 8, "classes": 2,
}  # fmt: skip


@pytest.fixture
def cubes():
    rng = np.random.default_rng(0)
    return {
        "first": rng.normal(size=(9, 10, 6)).astype(np.float32),
        "second": rng.normal(size=(9, 10, 2)).astype(np.float32),
    }


@pytest.fixture
def retriever(cubes):
    torch.manual_seed(0)
    return Retriever(
        network=cross_modal_network(**OPTIONS),
        options=OPTIONS,
        reductions={
            "first": BandPCA(4, whiten=True).fit(cubes["first"]),
            "second": BandScaler().fit(cubes["second"]),
        },
        class_ids=np.array([3, 14], np.int32),
        class_names={3: "fallow", 14: "lettuce"},
    )


def test_patches_are_those_around_the_places(cubes):
    source = PatchSource(cubes["first"], patch_size=5, device=CPU)
    padded = np.pad(cubes["first"], ((2, 2), (2, 2), (0, 0)))
    for row, col in ((0, 0), (8, 9), (4, 3)):
        (patch,) = source[np.array([[row, col]])].numpy()
        np.testing.assert_array_equal(
            patch, padded[row : row + 5, col : col + 5].transpose(2, 0, 1)
        )


def test_a_file_gives_it_back(retriever, cubes, tmp_path):
    retriever.save(tmp_path / "model.safetensors")
    again = Retriever.load(tmp_path / "model.safetensors")
    places = np.argwhere(np.ones((9, 10), bool))
    for modality, cube in cubes.items():
        found = [
            each.embed(
                modality,
                PatchSource(each.reductions[modality].transform(cube), patch_size=3, device=CPU),
                places,
            )
            for each in (retriever, again)
        ]
        np.testing.assert_array_equal(*found)
    assert again.class_names == retriever.class_names
    assert again.class_ids.tolist() == [3, 14]


def test_parts_that_do_not_fit_are_damage(retriever, tmp_path):
    path = tmp_path / "model.safetensors"
    dataclasses.replace(retriever, options=OPTIONS | {"classes": 3}).save(path)
    with pytest.raises(RunError, match="is damaged"):
        Retriever.load(path)
    other = retriever.reductions | {"second": retriever.reductions["first"]}
    dataclasses.replace(retriever, reductions=other).save(path)
    with pytest.raises(RunError, match="reduction of the second modality do not fit"):
        Retriever.load(path)
    dataclasses.replace(retriever, class_ids=np.array([3], np.int32)).save(path)
    with pytest.raises(RunError, match="network and classes do not fit"):
        Retriever.load(path)


def test_adam_is_that_of_the_paper(retriever, cubes):
    """Its settings are found where the state of a training keeps them."""
    targets = np.random.default_rng(0).integers(0, 2, (9, 10))
    places = np.argwhere(targets >= 0)
    states = []
    fit_retrieval(
        retriever,
        {
            modality: PatchSource(
                retriever.reductions[modality].transform(cube), patch_size=3, device=CPU
            )
            for modality, cube in cubes.items()
        },
        targets, train=places[:60], validation=places[60:],
        settings=RetrievalSettings().changed(epochs=1, patch_size=3), device=CPU,
        after_step=lambda capture: states.append(capture()),
    )  # fmt: skip
    (group,) = states[0].plain["optimizer"]
    assert tuple(group["betas"]) == (0.5, 0.999)
    assert group["lr"] == 1e-4
    assert group["weight_decay"] == 0


def test_settings_know_the_weights_of_the_paper():
    settings = RetrievalSettings()
    assert (settings.alpha, settings.beta) == (1e-3, 1e-1)
    assert settings.changed(split_file="masks.npz").split == "file"
    with pytest.raises(UsageError, match="did you mean 'alpha'"):
        settings.changed(alhpa=1)
    assert settings.of_split.validation == 0.1
    assert settings.changed(split_file="masks.npz").of_split.validation == 0
