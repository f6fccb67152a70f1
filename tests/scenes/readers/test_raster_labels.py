"""Rasters as labels: ids, names and colours of their classes."""

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import from_origin

from hsi.errors import SceneError, UsageError
from hsi.scenes import load_scene

LABELS = np.array([[0, 1, 2], [7, 7, 2]], dtype=np.uint8)
COLORS = {1: (0, 0, 255), 2: (0, 160, 0), 7: (90, 90, 90)}
NAMES = {1: "Water", 2: "Trees & shrubs", 7: "Road"}


def write(path, *bands, colors=None, names=None, **profile):
    with rasterio.open(
        path, "w", driver="GTiff", height=2, width=3, count=len(bands), dtype=bands[0].dtype,
        crs="EPSG:32633", transform=from_origin(500000, 4000000, 30, 30), **profile,
    ) as file:  # fmt: skip
        file.write(np.stack(bands))
        if colors:
            file.write_colormap(1, colors)
        for number, name in enumerate(names or (), 1):
            file.set_band_description(number, name)
    return path


@pytest.fixture
def image(tmp_path):
    return write(tmp_path / "image.tif", *np.arange(24, dtype=np.int16).reshape(4, 2, 3))


def test_colours_of_the_table_are_those_of_the_classes(tmp_path, image):
    path = write(tmp_path / "truth.tif", LABELS, colors=COLORS)
    scene = load_scene(image, labels=path)
    np.testing.assert_array_equal(scene.labels, LABELS)
    assert scene.class_colors == COLORS
    assert scene.class_ids.tolist() == [1, 2, 7]
    with pytest.raises(SceneError, match=r"a map, not an image\n.*--labels"):
        load_scene(path)


def test_names_of_categories_are_those_of_the_classes(tmp_path, image):
    path = write(tmp_path / "truth.tif", LABELS)
    categories = ["none", "Water", "Trees &amp; shrubs", "", "", "", "", "Road"]
    inside = "".join(f"<Category>{each}</Category>" for each in categories)
    path.with_name("truth.tif.aux.xml").write_text(
        f'<PAMDataset><PAMRasterBand band="1"><CategoryNames>{inside}</CategoryNames>'
        "</PAMRasterBand></PAMDataset>"
    )
    assert load_scene(image, labels=path).class_names == NAMES


def test_names_are_those_of_the_band(tmp_path, image):
    path = write(tmp_path / "truth.tif", LABELS, LABELS)
    bands = "".join(
        f'<PAMRasterBand band="{band}"><CategoryNames><Category/><Category>{name}</Category>'
        "</CategoryNames></PAMRasterBand>"
        for band, name in ((1, "Water"), (2, "Wet"))
    )
    path.with_name("truth.tif.aux.xml").write_text(f"<PAMDataset>{bands}</PAMDataset>")
    assert load_scene(image, labels=path, labels_key="1").class_names[1] == "Water"
    assert load_scene(image, labels=path, labels_key="2").class_names[1] == "Wet"


def attribute_table(rows, usages=(5, 1, 2, 6, 7, 8)):
    fields = "".join(
        f'<FieldDefn index="{i}"><Name>f{i}</Name><Type>0</Type><Usage>{usage}</Usage></FieldDefn>'
        for i, usage in enumerate(usages)
    )
    cells = "".join(
        f'<Row index="{i}">{"".join(f"<F>{each}</F>" for each in row)}</Row>'
        for i, row in enumerate(rows)
    )
    return (
        '<PAMDataset><PAMRasterBand band="1"><GDALRasterAttributeTable tableType="thematic">'
        f"{fields}{cells}</GDALRasterAttributeTable></PAMRasterBand></PAMDataset>"
    )


def test_an_attribute_table_names_and_colours_the_classes(tmp_path, image):
    path = write(tmp_path / "truth.tif", LABELS)
    rows = [(0, 9, "nothing", 1, 1, 1)]
    rows += [(each, 5, NAMES[each].replace("&", "&amp;"), *COLORS[each]) for each in NAMES]
    path.with_name("truth.tif.aux.xml").write_text(attribute_table(rows))
    scene = load_scene(image, labels=path)
    assert (scene.class_names, scene.class_colors) == (NAMES, COLORS)


@pytest.mark.parametrize("rows", [[("water", 5, "Water", 1, 2, 3)], [(1, 5)], [("1e999", 1, "a")]])
def test_a_damaged_attribute_table(tmp_path, image, rows):
    path = write(tmp_path / "truth.tif", LABELS)
    path.with_name("truth.tif.aux.xml").write_text(attribute_table(rows))
    with pytest.raises(SceneError, match=r"truth\.tif\.aux\.xml: a row of the attribute table"):
        load_scene(image, labels=path)


def test_an_attribute_table_without_values_or_names_says_nothing(tmp_path, image):
    path = write(tmp_path / "truth.tif", LABELS)
    path.with_name("truth.tif.aux.xml").write_text(attribute_table([("a", 1)], usages=(2, 1)))
    assert load_scene(image, labels=path).class_names[1] == "class 1"


def test_entities_beside_labels_are_not_expanded(tmp_path, image):
    path = write(tmp_path / "truth.tif", LABELS)
    path.with_name("truth.tif.aux.xml").write_text(
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><PAMDataset>'
        '<PAMRasterBand band="1"><CategoryNames><Category/><Category>&b;</Category>'
        "</CategoryNames></PAMRasterBand></PAMDataset>"
    )
    with pytest.raises(SceneError, match="DOCTYPE"):
        load_scene(image, labels=path)


def test_nodata_of_a_label_raster_is_unlabelled(tmp_path, image):
    path = write(
        tmp_path / "truth.tif", np.where(LABELS == 0, 255, LABELS).astype(np.uint8), nodata=255
    )
    np.testing.assert_array_equal(load_scene(image, labels=path).labels, LABELS)


def test_one_of_several_bands_by_description_or_number(tmp_path, image):
    path = write(tmp_path / "truth.tif", LABELS, LABELS + 1, LABELS, names=["level 1", "level 2"])
    assert load_scene(image, labels=path, labels_key="level 2").labels.max() == 8
    np.testing.assert_array_equal(load_scene(image, labels=path, labels_key="3").labels, LABELS)
    with pytest.raises(UsageError, match=r"3 arrays that could be the labels: 'level 1' \(2 x 3"):
        load_scene(image, labels=path)
    with pytest.raises(UsageError, match=r"no array 'level2'; did you mean 'level 2'\?"):
        load_scene(image, labels=path, labels_key="level2")


def test_a_png_with_a_palette(tmp_path):
    np.save(tmp_path / "image.npy", np.arange(24.0).reshape(2, 3, 4))
    picture = Image.fromarray(LABELS, mode="P")
    palette = np.zeros((256, 3), np.uint8)
    for each, color in COLORS.items():
        palette[each] = color
    picture.putpalette(palette.tobytes())
    picture.save(tmp_path / "truth.png")
    scene = load_scene(tmp_path / "image.npy", labels=tmp_path / "truth.png")
    np.testing.assert_array_equal(scene.labels, LABELS)
    assert scene.class_colors == COLORS
