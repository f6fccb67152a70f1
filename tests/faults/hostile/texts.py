"""Texts that grow when they are read, or lead elsewhere; and such names in place of paths."""

import os
import runpy
import zipfile
from pathlib import Path

import h5py
import numpy as np

CUBE = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
RASTERS = runpy.run_path(str(Path(__file__).with_name("rasters.py")))
tiff, written = (RASTERS["tiff"], RASTERS["written"])


def laughs():
    lines = ['<!ENTITY l0 "ha">']
    lines += [f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12)]
    return f"<!DOCTYPE a [{''.join(lines)}]>"


def enmap(folder, declared, inside):
    stem = "ENMAP01-____L2A-DT0000001867_20220724T104526Z_008_V010302_20230628T165614Z"
    tiff(folder / f"{stem}-SPECTRAL_IMAGE.TIF")
    return written(
        folder / f"{stem}-METADATA.XML",
        f'<?xml version="1.0"?>{declared}<level_X><metadata><name>{inside}</name></metadata>'
        "</level_X>",
    )


def billion_laughs(folder, secret, address):
    return enmap(folder, laughs(), "&l11;")


def external_entity(folder, secret, address):
    written(secret, "secret")
    return enmap(folder, f'<!DOCTYPE a [<!ENTITY e SYSTEM "file://{secret}">]>', "&e;")


def external_doctype(folder, secret, address):
    return enmap(folder, f'<!DOCTYPE a SYSTEM "{address}/a.dtd">', "a")


def parameter_entity(folder, secret, address):
    return enmap(folder, f'<!DOCTYPE a [<!ENTITY % p SYSTEM "{address}/p"> %p;]>', "a")


def laughs_beside_labels(folder, secret, address):
    np.save(folder / "cube.npy", CUBE)
    written(
        folder / "a.tif.aux.xml",
        f"{laughs()}<PAMDataset><PAMRasterBand band='1'><CategoryNames><Category>&l11;</Category>"
        "</CategoryNames></PAMRasterBand></PAMDataset>",
    )
    return tiff(folder / "a.tif", np.ones((1, 3, 4), np.uint8))


def toml_of_dots(folder, secret, address):
    return written(folder / "a.toml", "a" + ".a" * 200_000 + " = 1\n")


def toml_of_brackets(folder, secret, address):
    return written(folder / "a.toml", "a = " + "[" * 200_000)


def endless_header(folder, secret, address):
    np.save(folder / "a.img", CUBE)
    with (folder / "a.hdr").open("wb") as file:
        file.write(b"ENVI\n")
        file.truncate(2**34)
    return folder / "a.hdr"


def card_that_climbs(folder, secret, address):
    written(secret, b"secret")
    return written(folder / "a.toml", f'title = "a"\n[cube]\nname = "../{secret.name}"\n')


def card_with_an_absolute_name(folder, secret, address):
    return written(folder / "a.toml", f'title = "a"\n[cube]\nname = "{secret}"\n')


def card_with_another_scheme(folder, secret, address):
    zeros = "0" * 64
    return written(
        folder / "a.toml",
        f'title = "a"\n[cube]\nname = "a.npy"\nsha256 = "{zeros}"\n'
        f'addresses = ["file://{secret}"]\n',
    )


def pipe(folder, secret, address):
    """A file whose opening waits for ever."""
    os.mkfifo(folder / "a.npy")
    return folder / "a.npy"


def address_as_a_name(folder, secret, address):
    return f"/vsicurl/{address}/x.tif"


def subdataset_as_a_name(folder, secret, address):
    with h5py.File(secret, "w") as file:
        file["cube"] = CUBE
    return f'NETCDF:"{secret}":cube'


def virtual_as_a_name(folder, secret, address):
    return f"vrt://{tiff(secret)}"


def archive_as_a_name(folder, secret, address):
    with zipfile.ZipFile(secret, "w") as archive:
        archive.write(tiff(folder / "x.tif"), "x.tif")
    return f"/vsizip/{secret}/x.tif"
