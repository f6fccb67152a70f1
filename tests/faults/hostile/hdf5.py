"""HDF5 files that lead elsewhere, or claim what they do not hold."""

import h5py
import numpy as np

CUBE = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)


def secret_h5(secret):
    with h5py.File(secret, "w") as file:
        file["cube"] = CUBE
    return secret


def hdf5_external_link(folder, secret, address):
    with h5py.File(folder / "a.h5", "w") as file:
        file["cube"] = h5py.ExternalLink(secret_h5(secret), "/cube")
    return folder / "a.h5"


def hdf5_link_to_a_link(folder, secret, address):
    with h5py.File(folder / "a.nc", "w") as file:
        file["far"] = h5py.ExternalLink(secret_h5(secret), "/")
        file["cube"] = h5py.SoftLink("/far/cube")
    return folder / "a.nc"


def hdf5_external_storage(folder, secret, address):
    secret.write_bytes(CUBE.tobytes())
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset(
            "cube", CUBE.shape, CUBE.dtype, external=[(str(secret), 0, CUBE.nbytes)]
        )
    return folder / "a.h5"


def hdf5_virtual(folder, secret, address):
    layout = h5py.VirtualLayout(CUBE.shape, CUBE.dtype)
    layout[:] = h5py.VirtualSource(str(secret_h5(secret)), "cube", CUBE.shape)
    with h5py.File(folder / "a.h5", "w", libver="latest") as file:
        file.create_virtual_dataset("cube", layout)
    return folder / "a.h5"


def matlab_external_storage(folder, secret, address):
    return hdf5_external_storage(folder, secret, address).rename(folder / "a.mat")


def hdf5_settings_elsewhere(folder, secret, address):
    secret.write_bytes(np.arange(5.0).tobytes())
    with h5py.File(folder / "a.h5", "w") as file:
        file["cube"] = CUBE
        file.create_dataset("wavelength", (5,), "f8", external=[(str(secret), 0, 40)])
    return folder / "a.h5"


def hdf5_claim(folder, secret, address):
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("cube", (100_000, 100_000, 400), "u1", chunks=(64, 64, 8))
    assert (folder / "a.h5").stat().st_size < 4096
    return folder / "a.h5"


def hdf5_labels_claim(folder, secret, address):
    with h5py.File(folder / "a.h5", "w") as file:
        file["image"] = CUBE
        file.create_dataset("cube", (2_000_000, 2_000_000), "u1", chunks=(64, 64))
    return folder / "a.h5"


def matlab_claim(folder, secret, address):
    with h5py.File(folder / "a.mat", "w") as file:
        file.create_dataset("cube", (400, 100_000, 100_000), "u1", chunks=(8, 64, 64))
    return folder / "a.mat"


def neon_crs(folder, secret, address):
    return _neon(folder, str(secret))


def neon_crs_address(folder, secret, address):
    return _neon(folder, f"{address}/crs")


def _neon(folder, crs):
    with h5py.File(folder / "a.h5", "w") as file:
        group = file.create_group("SERC/Reflectance")
        item = group.create_dataset("Reflectance_Data", data=CUBE)
        item.attrs["Scale_Factor"], item.attrs["Data_Ignore_Value"] = 1e4, -9999.0
        group["Metadata/Spectral_Data/Wavelength"] = np.linspace(400, 2400, 5)
        group["Metadata/Spectral_Data/FWHM"] = np.full(5, 5.0)
        group["Metadata/Coordinate_System/Map_Info"] = "UTM, 1, 1, 368000, 4307000, 1, 1, 18, North"
        group["Metadata/Coordinate_System/EPSG Code"] = "unknown"
        group["Metadata/Coordinate_System/Coordinate_System_String"] = crs
    return folder / "a.h5"
