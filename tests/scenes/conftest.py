"""What the tests of scenes share: small files, an empty machine, real data where there are some."""

import h5py
import numpy as np
import pytest


@pytest.fixture
def write_level_73():
    """Return a function that writes arrays as MATLAB's ``save -v7.3`` does."""

    def write(path, arrays):
        with h5py.File(path, "w", userblock_size=512) as file:
            for name, values in arrays.items():
                item = file.create_dataset(name, data=np.asarray(values).T)
                item.attrs["MATLAB_class"] = np.bytes_("double")
        with path.open("r+b") as file:
            header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 ."
            file.write(header.ljust(124) + b"\x00\x02IM")
        return path

    return write


@pytest.fixture
def in_this_process(monkeypatch):
    """Read files in this process, for tests of what a reader does."""

    def read(reader, path, **named):
        return reader(path, **named)

    monkeypatch.setattr("hsi.scenes.readers.registry.read_contained", read)
