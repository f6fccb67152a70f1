"""Photographs that unpack to more than memory holds, or are none."""

import os
import runpy
import struct
from pathlib import Path

from PIL import Image

RASTERS = runpy.run_path(str(Path(__file__).with_name("rasters.py")))
png_of_zeros, written = (RASTERS["png_of_zeros"], RASTERS["written"])


def photograph_bomb(folder, secret, address):
    return png_of_zeros(folder / "a.png", 20_000)


def photograph_claim(folder, secret, address):
    Image.new("L", (8, 8)).save(folder / "a.gif")
    content = bytearray((folder / "a.gif").read_bytes())
    content[6:10] = struct.pack("<HH", 65535, 65535)
    return written(folder / "a.gif", bytes(content))


def script_as_photograph(folder, secret, address):
    """PostScript, for which Pillow would start Ghostscript."""
    return written(
        folder / "a.jpg",
        f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n({folder}/ran) (w) file closefile\n",
    )


def link_as_photograph(folder, secret, address):
    written(secret, "a secret text")
    (folder / "a.jpg").symlink_to(secret)
    return folder / "a.jpg"


def linked_folder(folder, secret, address):
    for name in "xy":
        (folder / name).mkdir()
        Image.new("RGB", (8, 8)).save(folder / name / "a.png")
    elsewhere = secret.with_name("elsewhere")
    elsewhere.mkdir()
    Image.new("RGB", (8, 8)).save(elsewhere / "b.png")
    (folder / "x" / "z").symlink_to(elsewhere)
    (folder / "x" / "round").symlink_to(folder)
    return folder


def pipe_among_photographs(folder, secret, address):
    linked_folder(folder, secret, address)
    os.mkfifo(folder / "x" / "b.png")
    return folder
