"""Small files of exactly the structures that the products of PRISMA, EMIT and NEON have."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from rasterio.crs import CRS


@dataclass
class Product:
    """A file, and what a scene of it must hold."""

    path: Path
    cube: np.ndarray
    wavelengths: np.ndarray
    fwhm: np.ndarray
    details: dict[str, Any]


PRISMA_NAME = "PRS_L2D_STD_20200813103056_20200813103100_0001.he5"
PRISMA_FIELDS = "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields"


@pytest.fixture(scope="session")
def write_prisma():
    """Return a function that writes a PRISMA L2D product: descending, not all bands acquired."""

    def write(folder, *, rows=9, cols=7, chunks=None, **attributes):
        generator = np.random.default_rng(5)
        row, col = np.mgrid[:rows, :cols]
        outside = (row + col < 4) | (row + col > rows + cols - 5)
        path, stored, scaled, centres, widths = folder / PRISMA_NAME, {}, [], [], []
        attrs = {
            "Epsg_Code": np.uint32(32633), "Product_StartTime": np.bytes_("2020-08-13T10:30:56.5"),
            "Product_ULcorner_easting": 352755.0, "Product_ULcorner_northing": 5987235.0,
            "Product_LRcorner_easting": 352755.0 + 30 * (cols - 1),
            "Product_LRcorner_northing": 5987235.0 - 30 * (rows - 1),
        }  # fmt: skip
        # 0 nm is a band that was not acquired; VNIR and SWIR overlap.
        for name, wavelengths, low, high in (
            ("Vnir", [0, 0, 972.5, 833.25, 640, 550, 460, 402.5], 0.0, 0.75),
            ("Swir", [2496.875, 2200, 1650, 1250, 951, 942.5, 0], -0.125, 0.5),
        ):
            wavelengths = np.array(wavelengths, dtype=np.float32)
            values = generator.integers(0, 65536, (rows, len(wavelengths), cols), dtype=np.uint16)
            values[:, wavelengths == 0] = 0
            values[4, 3:6, 3] = 0  # inside, where nothing was reflected
            values.transpose(0, 2, 1)[outside] = 0
            stored[name] = values
            fwhm = np.where(wavelengths > 0, 10 + wavelengths / 500, 0).astype(np.float32)
            attrs |= {
                f"List_Cw_{name}": wavelengths, f"List_Fwhm_{name}": fwhm,
                f"List_Cw_{name}_Flags": (wavelengths > 0).astype(np.uint8),
                f"L2Scale{name}Min": np.float32(low), f"L2Scale{name}Max": np.float32(high),
            }  # fmt: skip
            for band in reversed(range(len(wavelengths))):
                if wavelengths[band]:
                    scaled.append(low + values[:, band] / 65535 * (high - low))
                    centres.append(wavelengths[band])
                    widths.append(fwhm[band])
        with h5py.File(path, "w") as file:
            for name, values in stored.items():
                file.create_dataset(
                    f"{PRISMA_FIELDS}/{name.upper()}_Cube", data=values, chunks=chunks,
                    compression="gzip" if chunks else None,
                )  # fmt: skip
                errors = np.zeros(values.shape, dtype=np.uint8)
                file[f"{PRISMA_FIELDS}/{name.upper()}_PIXEL_L2_ERR_MATRIX"] = errors
            for name, value in (attrs | attributes).items():
                if value is not None:
                    file.attrs[name] = value
        cube = np.stack(scaled, axis=2)
        cube[outside] = np.nan
        return Product(path, cube, np.array(centres), np.array(widths), {"outside": outside})

    return write


EMIT_NAME = "EMIT_L2A_RFL_001_20220903T163129_2224611_012.nc"


@pytest.fixture(scope="session")
def write_emit():
    """Return a function that writes an EMIT L2A product: an image and a table to a turned map."""

    def write(
        folder, *, lines=20, samples=12, bands=6, chunks=None, name="reflectance", table=None
    ):
        generator = np.random.default_rng(6)
        image = generator.normal(0.3, 0.1, (lines, samples, bands)).astype(np.float32)
        image[3, 4] = -9999
        rows, cols = lines + samples, lines + samples
        row, col = np.mgrid[:rows, :cols]
        # The image turned by 45 degrees, with every pixel of the map taken from the nearest.
        glt_x = (col - row + samples) // 2 + samples // 4
        glt_y = (row + col - samples) // 2 + 1
        inside = (glt_x >= 1) & (glt_x <= samples) & (glt_y >= 1) & (glt_y <= lines)
        glt_x, glt_y = np.where(inside, glt_x, 0), np.where(inside, glt_y, 0)
        filled = inside & ((row + 3 * col) % 5 == 0)
        glt_x, glt_y = np.where(filled, -glt_x, glt_x), np.where(filled, -glt_y, glt_y)
        if table is not None:
            table(glt_x, glt_y)
        wavelengths = np.linspace(381, 2493, bands).astype(np.float32)
        good = np.ones(bands, dtype=np.uint8)
        good[3] = 0
        with h5py.File(folder / EMIT_NAME, "w") as file:
            item = file.create_dataset(
                name, data=image, chunks=chunks, compression="gzip" if chunks else None
            )
            item.attrs["_FillValue"] = np.float32([-9999])
            for key, values in (("glt_x", glt_x), ("glt_y", glt_y)):
                item = file.create_dataset(f"location/{key}", data=values.astype(np.int32))
                item.attrs["_FillValue"] = np.int32([-9999])
            file["location/lat"] = np.zeros((lines, samples))
            file["location/lon"] = np.zeros((lines, samples))
            file["sensor_band_parameters/wavelengths"] = wavelengths
            file["sensor_band_parameters/fwhm"] = np.full(bands, 8.5, dtype=np.float32)
            file["sensor_band_parameters/good_wavelengths"] = good
            file.attrs["geotransform"] = np.array([12.25, 0.0005, 0.0, 41.5, 0.0, -0.0005])
            file.attrs["spatial_ref"] = CRS.from_epsg(4326).to_wkt()
            file.attrs["time_coverage_start"] = "2022-09-03T16:31:29+0000"
        none = (glt_x == 0) | (glt_y == 0) | (glt_x == -9999) | (glt_y == -9999)
        line = np.where(none, 0, np.abs(glt_y) - 1).clip(max=lines - 1)
        sample = np.where(none, 0, np.abs(glt_x) - 1).clip(max=samples - 1)
        cube = image[line, sample]
        cube[none] = -9999
        keep = good == 1
        return Product(
            folder / EMIT_NAME, cube[:, :, keep], wavelengths[keep], np.full(keep.sum(), 8.5),
            {"none": none, "image": image},
        )  # fmt: skip

    return write


NEON_NAME = "NEON_D02_SERC_DP3_368000_4307000_bidirectional_reflectance.h5"
MAP_INFO = (
    "UTM,  1.000,  1.000,       368000.00,       4307000.0,       1.0000000,       1.0000000,  18,"
    "  North,  WGS-84,  units=Meters, 0"
)


@pytest.fixture(scope="session")
def write_neon():
    """Return a function that writes a NEON AOP product."""

    def write(folder, *, rows=8, cols=10, chunks=(3, 4, 5), map_info=MAP_INFO, code="32618"):
        generator = np.random.default_rng(7)
        wavelengths = np.float32([383, 500, 650, 1340, 1400, 1445, 1600, 1790, 1955, 2200])
        stored = generator.integers(-50, 9000, (rows, cols, len(wavelengths)), dtype=np.int16)
        stored[0, :3] = -9999
        stored[5, 5, 2] = -9999
        with h5py.File(folder / NEON_NAME, "w") as file:
            group = file.create_group("SERC/Reflectance")
            group.attrs["Band_Window_1_Nanometers"] = np.int64([1340, 1445])
            group.attrs["Band_Window_2_Nanometers"] = np.int64([1790, 1955])
            item = group.create_dataset(
                "Reflectance_Data", data=stored, chunks=chunks,
                compression="gzip" if chunks else None,
            )  # fmt: skip
            item.attrs["Scale_Factor"] = np.float64(10000)
            item.attrs["Data_Ignore_Value"] = np.float64(-9999)
            group["Metadata/Spectral_Data/Wavelength"] = wavelengths
            group["Metadata/Spectral_Data/FWHM"] = np.full(len(wavelengths), 5.5, np.float32)
            group["Metadata/Coordinate_System/Map_Info"] = map_info
            group["Metadata/Coordinate_System/EPSG Code"] = code
            wkt = CRS.from_epsg(32618).to_wkt()
            group["Metadata/Coordinate_System/Coordinate_System_String"] = wkt
            group["Metadata/Logs/L004-1_20220623/Solar_Zenith_Angle"] = 33.0
            group["Metadata/Logs/L005-1_20220617/Solar_Zenith_Angle"] = 35.0
            classes = generator.integers(0, 4, (rows, cols), dtype=np.uint8)
            group["Metadata/Ancillary_Imagery/Haze_Cloud_Water_Map"] = classes
        scaled = stored / 10000
        scaled[stored == -9999] = np.nan
        keep = np.array([1, 1, 1, 0, 0, 0, 1, 0, 0, 1], dtype=bool)
        return Product(
            folder / NEON_NAME, scaled[:, :, keep], wavelengths[keep], np.full(keep.sum(), 5.5),
            {"classes": classes},
        )  # fmt: skip

    return write
