"""Classes that files tell by name alone have one id wherever they are."""

import geopandas
import numpy as np
import pytest
from shapely import box

import hsi
from hsi.errors import UsageError
from hsi.scenes import Scene
from hsi.scenes.common import with_ids_of


def by_name(labels, names):
    labels = np.array(labels, dtype=np.int32)
    return Scene(
        name="named",
        cube=np.random.default_rng(0).normal(size=(*labels.shape, 4)),
        labels=labels,
        class_names=names,
        metadata={"classes_by_name": True},
    )


def names_of(scene):
    """Return the name of each pixel's class."""
    return np.vectorize(lambda i: scene.class_names.get(i, ""))(scene.labels)


A = by_name([[1, 2, 0], [2, 2, 1]], {1: "maize", 2: "wheat"})
B = by_name([[0, 1, 1], [2, 2, 2]], {1: "oats", 2: "wheat"})


def test_scenes_are_joined_by_name():
    both = hsi.join_scenes([A, B], gap=3)
    for part, scene in zip(both.parts, (A, B), strict=True):
        np.testing.assert_array_equal(names_of(both)[part.rows, part.cols], names_of(scene))
    assert sorted(both.class_names.values()) == ["maize", "oats", "wheat"]
    assert len(set(both.class_colors.values())) == 3


def test_ids_that_a_file_says_are_kept_and_lent_to_names():
    fixed = Scene(
        name="fixed", cube=A.cube, labels=np.array([[7, 7, 9]] * 2, dtype=np.int32),
        class_names={7: "wheat", 9: "rye"},
    )  # fmt: skip
    both = hsi.join_scenes([A, fixed], gap=3)
    part, other = both.parts
    assert (both.labels[other.rows, other.cols] == fixed.labels).all()
    np.testing.assert_array_equal(names_of(both)[part.rows, part.cols], names_of(A))
    assert both.class_names == {7: "wheat", 9: "rye", 10: "maize"}


def test_numbers_that_mean_different_classes_are_refused_all_the_same():
    plain = [
        Scene(name=n, cube=s.cube, labels=s.labels, class_names=s.class_names)
        for n, s in (("a", A), ("b", B))
    ]
    with pytest.raises(UsageError, match="class 1 is 'maize' in a and 'oats' in b"):
        hsi.join_scenes(plain, gap=3)


def test_another_scene_takes_the_ids_of_a_classifier():
    found = with_ids_of(B, {4: "wheat", 5: "maize"})
    np.testing.assert_array_equal(names_of(found), names_of(B))
    assert found.class_names == {6: "oats", 4: "wheat"}
    assert (B.labels == [[0, 1, 1], [2, 2, 2]]).all()  # the scene itself is as it was


def test_shapes_tell_classes_by_name(tmp_path):
    import spectral.io.envi

    spectral.io.envi.save_image(
        str(tmp_path / "scene.hdr"),
        np.ones((6, 8, 3), np.int16) * np.arange(1, 49).reshape(6, 8, 1).astype(np.int16),
        metadata={
            "map info": [  # the scene lies where the shapes do
                "UTM",
                "1",
                "1",
                "500000",
                "5000000",
                "10",
                "10",
                "33",
                "North",
                "WGS-84",
            ]
        },
    )
    cells = [
        box(500_000, 4_999_940, 500_030, 5_000_000),
        box(500_040, 4_999_940, 500_080, 5_000_000),
    ]
    named = []
    for name, crops in (("a", ["maize", "wheat"]), ("b", ["oats", "maize"])):
        path = tmp_path / f"{name}.gpkg"
        geopandas.GeoDataFrame({"crop": crops}, geometry=cells, crs="EPSG:32633").to_file(path)
        named.append(hsi.load_scene(tmp_path / "scene.hdr", labels=path))
    both = hsi.join_scenes(named, gap=3)
    names = [names_of(both)[p.rows, p.cols][0, [0, 7]].tolist() for p in both.parts]
    assert names == [["maize", "wheat"], ["oats", "maize"]]
