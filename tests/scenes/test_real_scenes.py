"""Real files, where the machine has them (HSI_DATA)."""

import hashlib

import numpy as np
import pytest

from hsi.errors import DownloadError, SceneError
from hsi.scenes import fetch, list_cards, load_card, load_scene
from hsi.scenes.labels import as_labels
from hsi.scenes.readers import read_file

SALINAS_A = {1: 391, 10: 1343, 11: 616, 12: 1525, 13: 674, 14: 799}


def need(folder):
    if not folder.is_dir():
        pytest.skip(f"HSI_DATA has no folder {folder.name}")
    return folder


def test_salinas_a(real_data):
    need(real_data / "salinas_a")
    scene = load_scene("salinas_a")
    assert scene.shape == (83, 86, 204)
    assert scene.cube.dtype == np.int16
    assert (scene.cube.min(), scene.cube.max()) == (-9, 8373)
    ids, counts = np.unique(scene.labels[scene.labels > 0], return_counts=True)
    assert dict(zip(ids.tolist(), counts.tolist(), strict=True)) == SALINAS_A
    assert scene.class_ids.tolist() == sorted(SALINAS_A)
    assert scene.class_names[10] == "Corn_senesced_green_weeds"
    assert scene.components == 15
    assert scene.valid.all()
    assert scene.composite().std(axis=(0, 1)).min() > 20


def test_salinas_a_by_path_has_the_same_values(real_data):
    folder = need(real_data / "salinas_a")
    scene = load_scene(folder / "SalinasA_corrected.mat", labels=folder / "SalinasA_gt.mat")
    by_name = load_scene("salinas_a")
    np.testing.assert_array_equal(scene.cube, by_name.cube)
    np.testing.assert_array_equal(scene.labels, by_name.labels)


@pytest.mark.parametrize("name", list_cards())
def test_label_maps_are_those_of_the_cards(real_data, name):
    card = load_card(name)
    maps = [
        card.labels,
        card.official and card.official.train,
        card.official and card.official.test,
    ]
    for file in maps:
        if file is None:
            continue
        path = fetch.find_file(card, file)
        if path is None:
            pytest.skip(f"HSI_DATA has no {file.name}")
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
        assert path.stat().st_size == file.bytes
        labels = as_labels(read_file(path, key=file.key, purpose="labels").array, path=path)
        assert labels.shape == card.shape[:2]
        assert sorted(set(labels.ravel().tolist()) - {0}) == [each.id for each in card.classes]


def test_the_stand_in_is_not_taken_for_indian_pines(real_data, bare_machine, monkeypatch):
    if not (real_data / "indian_pines" / "Indian_pines_rank16.npz").is_file():
        pytest.skip("HSI_DATA has no Indian_pines_rank16.npz")
    monkeypatch.setenv("HSI_DATA", str(real_data))
    monkeypatch.setattr(fetch, "reachable_addresses", lambda addresses: [])
    with pytest.raises(DownloadError, match=r"Indian_pines_corrected\.mat of indian_pines"):
        load_scene("indian_pines")


@pytest.mark.parametrize("suffix", ["", ".hdr"])
def test_aviris_ng(real_data, suffix):
    folder = need(real_data / "aviris_ng")
    scene = load_scene(folder / f"ang20160910t185702_2rdn_img{suffix}")
    assert scene.shape == (25, 30, 425)
    assert isinstance(scene.cube, np.memmap)
    assert scene.cube.dtype == np.float32
    assert (scene.wavelengths[0], scene.wavelengths[-1]) == (376.44, 2500.12)
    np.testing.assert_allclose(scene.wavelengths[list(scene.rgb_bands)], [640, 550, 460], atol=3)
    assert scene.nodata == -9999
    # The file's own bytes, band after band.
    raw = np.fromfile(folder / "ang20160910t185702_2rdn_img", "<f4").reshape(425, 25, 30)
    np.testing.assert_array_equal(scene.cube, raw.transpose(1, 2, 0))


def test_a_matrix_of_pixels_is_no_cube(real_data):
    with pytest.raises(SceneError, match=r"'Y' \(156 x 9025\)"):
        load_scene(need(real_data / "samson") / "Samson.mat")


def test_houston_has_two_label_maps(real_data, tmp_path):
    path = need(real_data / "other_labels") / "houston_gt.mat"
    np.save(tmp_path / "cube.npy", np.zeros((349, 1905, 1), np.uint8))
    scene = load_scene(tmp_path / "cube.npy", labels=path, labels_key="houston_gt_te")
    assert len(scene.class_ids) == 15
