"""Pickles, whose opening runs code, and weights that are bombs."""

import os
import pickle
import runpy
import struct
import zipfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

import hsi

CUBE = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
RASTERS = runpy.run_path(str(Path(__file__).with_name("rasters.py")))
written = RASTERS["written"]


class Pickled:
    """Makes a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def npy_pickle(folder, secret, address):
    np.save(folder / "a.npy", np.array([Pickled(folder / "ran")], dtype=object), allow_pickle=True)
    return folder / "a.npy"


def npz_pickle(folder, secret, address):
    np.savez(folder / "a.npz", cube=np.array([[[Pickled(folder / "ran")]]], dtype=object))
    return folder / "a.npz"


def pickle_as_npy(folder, secret, address):
    return written(folder / "a.npy", pickle.dumps(Pickled(folder / "ran")))


def pickle_as_matlab(folder, secret, address):
    return written(folder / "a.mat", pickle.dumps(Pickled(folder / "ran")))


def pickle_as_weights(folder, secret, address):
    torch.save({"features.0.weight": Pickled(folder / "ran")}, folder / "a.pth")
    return folder / "a.pth"


def pickle_as_old_weights(folder, secret, address):
    torch.save(
        {"a": Pickled(folder / "ran")}, folder / "a.pt", _use_new_zipfile_serialization=False
    )
    return folder / "a.pt"


def plain_pickle_as_weights(folder, secret, address):
    return written(folder / "a.pth", pickle.dumps(Pickled(folder / "ran")))


def pickle_as_safetensors(folder, secret, address):
    return written(folder / "a.safetensors", pickle.dumps(Pickled(folder / "ran")))


def pickle_as_model(folder, secret, address):
    torch.save(Pickled(folder / "ran"), folder / "model.safetensors")
    return folder / "model.safetensors"


def pickle_as_masks(folder, secret, address):
    np.savez(folder / "scene.npz", cube=CUBE, gt=np.ones((3, 4), np.uint8).cumsum(1))
    np.savez(folder / "a.npz", train=np.array([Pickled(folder / "ran")], dtype=object))
    return folder / "a.npz"


def pickle_as_split(folder, secret, address):
    np.savez(folder / "scene.npz", cube=CUBE, gt=np.ones((3, 4), np.uint8).cumsum(1))
    np.savez(folder / "a.npz", about=np.array([Pickled(folder / "ran")], dtype=object))
    return folder / "a.npz"


def weights_bomb(folder, secret, address):
    """Weights of 512 MiB of zeros, packed."""
    torch.save({"a.weight": torch.zeros(4)}, folder / "b.pth")
    with (
        zipfile.ZipFile(folder / "b.pth") as source,
        zipfile.ZipFile(folder / "a.pth", "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in source.namelist():
            content = source.read(name)
            if "/data/" in name:
                with archive.open(name, "w", force_zip64=True) as member:
                    for _ in range(2**5):
                        member.write(bytes(2**24))
            else:
                archive.writestr(name, content)
    return folder / "a.pth"


def weights_of_one_value(folder, secret, address):
    """A tensor that repeats one value 10^13 times takes no place until it is looked at."""
    state = hsi.build_backbone("lenet5", channels=1, classes=2).state_dict()
    state[next(iter(state))] = torch.zeros(1).expand(10**13)
    torch.save(state, folder / "a.pth")
    return folder / "a.pth"


def safetensors_claim(folder, secret, address):
    return written(folder / "a.safetensors", struct.pack("<Q", 2**62) + b"{}")


def safetensors_nested(folder, secret, address):
    header = b'{"__metadata__":' + b'{"a":' * 100_000
    return written(folder / "a.safetensors", struct.pack("<Q", len(header)) + header)


def model_of_another_program(folder, secret, address):
    save_file(
        {"network.a": torch.zeros(2)}, folder / "model.safetensors", metadata={"hsi": "[" * 10**5}
    )
    return folder / "model.safetensors"
