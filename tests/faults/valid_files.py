"""Small valid files of every kind that is read, each in a folder of its own.

Loaded with `runpy`, since tests are no package. ``WRITERS[name](folder, number)`` writes them;
another `number`, other contents.
"""

import json
import runpy
from pathlib import Path

import geopandas
import h5py
import numpy as np
import rasterio
import scipy.io
import spectral
import torch
from PIL import Image
from rasterio.transform import from_origin
from safetensors.torch import save_file
from shapely import Point, box

import hsi
from hsi.sampling import Split
from hsi.training.split_file import write_split

DLR = runpy.run_path(str(Path(__file__).parents[1] / "scenes/readers/test_dlr_products.py"))
ROWS, COLS, BANDS = 6, 7, 5
PLACE = {"crs": "EPSG:32633", "transform": from_origin(500000, 4000000, 30, 30)}
MAP_INFO = ["UTM", "1", "1", "500000", "4000000", "30", "30", "33", "North", "WGS-84"]
CENTRES = ["450.5", "550.25", "650", "850", "2200"]


def cube(number):
    return np.random.default_rng(number).integers(0, 4000, (ROWS, COLS, BANDS)).astype(np.int16)


def truth(number):
    return np.random.default_rng(number).integers(0, 4, (ROWS, COLS)).astype(np.uint8)


def envi(folder, number, *, interleave="bsq"):
    metadata = {
        "map info": MAP_INFO, "wavelength": CENTRES, "wavelength units": "Nanometers",
        "fwhm": ["5", "5", "6", "6", "7.5"], "bbl": ["1", "1", "0", "1", "1"],
        "default bands": ["3", "2", "1"], "data ignore value": "-9999",
        "reflectance scale factor": "10000", "description": "made for a test",
    }  # fmt: skip
    spectral.io.envi.save_image(
        str(folder / "scene.hdr"), cube(number), interleave=interleave, metadata=metadata
    )


def envi_classification(folder, number):
    np.save(folder / "cube.npy", cube(number))
    spectral.io.envi.save_classification(
        str(folder / "truth.hdr"), truth(number), class_names=["none", "water", "sand", "wood"],
        class_colors=[(0, 0, 0), (0, 0, 255), (255, 255, 0), (0, 255, 0)],
    )  # fmt: skip


def envi_library(folder, number):
    library = spectral.io.envi.SpectralLibrary(
        cube(number)[0].astype(np.float32),
        {"wavelength": CENTRES, "spectra names": list("aabbcca"), "wavelength units": "nm"},
        [],
    )
    library.save(str(folder / "library"))


def matlab(folder, number, *, compress=False):
    scipy.io.savemat(
        folder / "scene.mat", {"cube": cube(number), "gt": truth(number), "note": "a text"},
        do_compression=compress,
    )  # fmt: skip


def matlab_73(folder, number):
    path = folder / "scene.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in (("cube", cube(number)), ("gt", truth(number))):
            item = file.create_dataset(name, data=values.T)
            item.attrs["MATLAB_class"] = np.bytes_("int16")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, HDF5 schema 1.00 .".ljust(124) + b"\x00\x02IM")


def npy(folder, number):
    np.save(folder / "scene.npy", cube(number))


def npz(folder, number, *, save=np.savez):
    save(folder / "scene.npz", cube=cube(number), gt=truth(number))


def hdf5(folder, number):
    with h5py.File(folder / "scene.nc", "w") as file:
        item = file.create_dataset(
            "group/image", data=cube(number), chunks=(2, 3, 4), compression=4
        )
        item.attrs["_FillValue"], item.attrs["scale_factor"] = np.int16([-1]), 0.5
        file["group/wavelength"] = np.array(CENTRES, dtype=np.float64)
        file["group/classes"], file["note"] = truth(number), "a text"


def raster(name, driver="GTiff", dtype="int16", **profile):
    def write(folder, number):
        values = cube(number).astype(dtype)
        with rasterio.open(
            folder / name, "w", driver=driver, height=ROWS, width=COLS, count=BANDS, dtype=dtype,
            **(PLACE | profile),
        ) as file:  # fmt: skip
            file.write(values.transpose(2, 0, 1))
            file.update_tags(1, wavelength="450", wavelength_units="nm")

    return write


def png(folder, number):
    np.save(folder / "cube.npy", cube(number))
    image = Image.fromarray(truth(number)).convert("P")
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.save(folder / "truth.png")


def labels_with_names(folder, number):
    np.save(folder / "cube.npy", cube(number))
    with rasterio.open(
        folder / "truth.tif", "w", driver="GTiff", height=ROWS, width=COLS, count=1, dtype="uint8",
        **PLACE,
    ) as file:  # fmt: skip
        file.write(truth(number), 1)
    rows = "".join(
        f'<Row index="{i}"><F>{i}</F><F>class {i}</F><F>{9 * i}</F><F>5</F><F>{200 - i}</F></Row>'
        for i in range(4)
    )
    columns = "".join(
        f'<FieldDefn index="{i}"><Name>{name}</Name><Type>{kind}</Type><Usage>{usage}</Usage>'
        "</FieldDefn>"
        for i, (name, kind, usage) in enumerate(
            [("value", 0, 5), ("class", 2, 2), ("red", 0, 6), ("green", 0, 7), ("blue", 0, 8)]
        )
    )
    (folder / "truth.tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><GDALRasterAttributeTable tableType="thematic">'
        f"{columns}{rows}</GDALRasterAttributeTable></PAMRasterBand></PAMDataset>"
    )


def enmap(folder, number):
    DLR["write_image"](folder / f"{DLR['ENMAP']}-SPECTRAL_IMAGE.TIF", nodata=-32768)
    (folder / f"{DLR['ENMAP']}-METADATA.XML").write_text(DLR["enmap_xml"]())


def desis(folder, number):
    DLR["write_image"](folder / f"{DLR['DESIS']}-SPECTRAL_IMAGE.tif", interleave="pixel")
    (folder / f"{DLR['DESIS']}-METADATA.xml").write_text(DLR["desis_xml"]())


def shapes(name):
    def write(folder, number):
        raster("scene.tif")(folder, number)
        table = geopandas.GeoDataFrame(
            {"crop": ["maize", "wheat", "maize"]},
            geometry=[
                box(500000, 3999900, 500090, 4000000),
                box(500100, 3999880, 500170, 3999930 + number),
                box(500120, 3999950, 500160, 3999990),
            ],
            crs="EPSG:32633",
        )  # fmt: skip
        options = {"layer_options": {"SPATIAL_INDEX": "NO"}} if name.endswith("gpkg") else {}
        table.to_file(folder / name, engine="pyogrio", **options)

    return write


def vector_library(folder, number):
    profiles = [
        json.dumps({"x": [450, 550, 650.5], "y": values[:3].tolist(), "xUnit": "nm"})
        for values in cube(number)[0].astype(float)
    ]
    geopandas.GeoDataFrame(
        {"name": list("aabbcca"), "profiles": profiles},
        geometry=[Point(i, 0) for i in range(COLS)],
        crs="EPSG:4326",
    ).to_file(folder / "library.gpkg", engine="pyogrio", SPATIAL_INDEX="NO")  # fmt: skip


def card(folder, number):
    np.save(folder / "cube.npy", cube(number))
    np.save(folder / "truth.npy", truth(number))
    (folder / "fields.toml").write_text(
        'title = "Fields"\nshape = [6, 7, 5]\nrgb_bands = [2, 1, 0]\ncomponents = 3\n'
        f"wavelengths = [{', '.join(CENTRES)}]\nnodata = -9999\nresolution_m = 30.0\n"
        'licence = "CC0"\n[cube]\nname = "cube.npy"\nother_names = ["fields.npy"]\n'
        '[labels]\nname = "truth.npy"\n'
        + "".join(
            f'[[classes]]\nid = {i}\nname = "class {i}"\ncolor = "#{i}0{i}0ff"\n' for i in (1, 2, 3)
        )
    )


def scene_list(folder, number):
    for name in "ab":
        np.save(folder / f"{name}.npy", cube(number))
        np.save(folder / f"{name}_gt.npy", truth(number))
    (folder / "scenes.csv").write_text("image,mask\na.npy,a_gt.npy\nb.npy,b_gt.npy\n")


def recipe(folder, number):
    (folder / "recipe.toml").write_text(
        'model = "hybridsn-dw"\npatch_size = 13\ncomponents = 20\nattention = "none"\n'
        "[recipe]\nsteps = 300\nlearning_rate = 0.003\nbatch_size = 64\ndropout = 0.25\n"
        'augmentation = "dihedral"\n'
    )


def split(folder, number):
    np.savez(folder / "scene.npz", cube=cube(0), gt=truth(0))
    masks = np.random.default_rng(number + 10).integers(0, 3, (ROWS, COLS))
    masks[truth(0) == 0] = 3
    write_split(
        folder / "split.npz",
        Split(
            train=masks == 0,
            validation=masks == 1,
            test=masks == 2,
            method="random",
            seed=1,
            patch_size=3,
            notes=("a note",),
        ),
        labels=truth(0).astype(np.int32),
    )


def masks(folder, number, *, save=np.savez):
    np.savez(folder / "scene.npz", cube=cube(0), gt=truth(0))
    sets = np.random.default_rng(number + 10).integers(0, 4, (ROWS, COLS))
    if save is np.save:
        np.save(folder / "masks.npy", sets)
    else:
        save(folder / "masks.npz", train=sets == 0, test=sets == 1, validation=sets == 2)


def weights(name):
    def write(folder, number):
        torch.manual_seed(number)
        state = hsi.build_backbone("lenet5", channels=1, classes=2).state_dict()
        # Of the large layers, zeros: they pack well, and what matters is around them.
        state = {key: value * (value.numel() < 500) for key, value in state.items()}
        if name.endswith(".safetensors"):
            save_file(state, folder / name)
        else:
            torch.save(state, folder / name, _use_new_zipfile_serialization=name != "old.pth")

    return write


def photograph(name, mode="RGB", **options):
    def write(folder, number):
        pixels = np.random.default_rng(number).integers(0, 256, (24, 30, 3)).astype(np.uint8)
        image = Image.fromarray(pixels).convert(mode)
        if name.endswith(("jpg", "webp")):
            exif = Image.Exif()
            exif[274], exif[271] = 6, "a camera"
            options["exif"] = exif
        image.save(folder / name, **options)

    return write


WRITERS = {
    "envi": envi,
    "envi, by pixel": lambda folder, number: envi(folder, number, interleave="bip"),
    "envi classification": envi_classification,
    "envi library": envi_library,
    "matlab": matlab,
    "matlab, compressed": lambda folder, number: matlab(folder, number, compress=True),
    "matlab 7.3": matlab_73,
    "npy": npy,
    "npz": npz,
    "npz, compressed": lambda folder, number: npz(folder, number, save=np.savez_compressed),
    "hdf5": hdf5,
    "geotiff": raster("scene.tif"),
    "geotiff, packed": raster(
        "scene.tif", compress="deflate", tiled=True, blockxsize=16, blockysize=16, nodata=-1
    ),
    "jpeg 2000": raster("scene.jp2", "JP2OpenJPEG", "uint16", QUALITY="100", REVERSIBLE="YES"),
    "erdas": raster("scene.img", "HFA"),
    "bil": raster("scene.bil", "EHdr"),
    "png": png,
    "labels with names": labels_with_names,
    "enmap": enmap,
    "desis": desis,
    "geopackage": shapes("shapes.gpkg"),
    "geojson": shapes("shapes.geojson"),
    "shapefile": shapes("shapes.shp"),
    "flatgeobuf": shapes("shapes.fgb"),
    "vector library": vector_library,
    "card": card,
    "scene list": scene_list,
    "recipe": recipe,
    "split": split,
    "masks": masks,
    "numbered masks": lambda folder, number: masks(folder, number, save=np.save),
    "safetensors": weights("weights.safetensors"),
    "pth": weights("weights.pth"),
    "old pth": weights("old.pth"),
    "jpeg": photograph("a.jpg", quality=80),
    "progressive jpeg": photograph("a.jpg", progressive=True),
    "colour png": photograph("a.png"),
    "palette png": photograph("a.png", "P"),
    "gif": photograph("a.gif", "P"),
    "bmp": photograph("a.bmp"),
    "tiff": photograph("a.tif", compression="tiff_lzw"),
    "webp": photograph("a.webp"),
    "ppm": photograph("a.ppm"),
}
