"""Archives and arrays that claim or unpack to more than memory holds."""

import runpy
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

CUBE = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
RASTERS = runpy.run_path(str(Path(__file__).with_name("rasters.py")))
written = RASTERS["written"]


def packed_member(folder, shape, name="cube.npy"):
    """Write a .npz of one array of zeros, inflated a thousand times larger."""
    with (
        zipfile.ZipFile(folder / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w", force_zip64=True) as member,
    ):
        np.lib.format.write_array_header_1_0(
            member, {"descr": "|u1", "fortran_order": False, "shape": shape}
        )
        block = bytes(2**24)
        for _ in range(0, int(np.prod(shape)), len(block)):
            member.write(block)
    return folder / "a.npz"


def npz_bomb(folder, secret, address):
    return packed_member(folder, (2**12, 2**12, 2**5))


def npz_claim(folder, secret, address):
    with zipfile.ZipFile(folder / "a.npz", "w") as archive, archive.open("cube.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": "<f8", "fortran_order": False, "shape": (10**5, 10**5, 400)}
        )
    return folder / "a.npz"


def npy_claim(folder, secret, address):
    with (folder / "a.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f8", "fortran_order": False, "shape": (10**5, 10**5, 400)}
        )
    return folder / "a.npy"


def members_that_climb(folder, secret, address):
    np.save(folder / "b.npy", CUBE)
    content = (folder / "b.npy").read_bytes()
    with zipfile.ZipFile(folder / "a.npz", "w") as archive:
        archive.writestr("../climbed.npy", content)
        archive.writestr(f"{secret}.npy", content)
    return folder / "a.npz"


def matlab_bomb(folder, secret, address):
    """A compressed array of 512 MiB of zeros."""
    count = 2**29
    flags = struct.pack("<IIII", 6, 8, 9, 0)
    shape = struct.pack("<IIiii", 5, 12, 2**12, 2**12, 2**5) + bytes(4)
    name = struct.pack("<HH4s", 1, 4, b"cube")
    inner = flags + shape + name + struct.pack("<II", 2, count)
    engine = zlib.compressobj(9)
    packed = [engine.compress(struct.pack("<II", 14, (len(inner) + count) % 2**32) + inner)]
    packed += [engine.compress(bytes(2**24)) for _ in range(count // 2**24)]
    content = b"".join([*packed, engine.flush()])
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
    return written(folder / "a.mat", head + struct.pack("<II", 15, len(content)) + content)
