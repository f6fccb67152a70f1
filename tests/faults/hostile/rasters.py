"""Rasters that lead elsewhere, or claim what they do not hold."""

import struct
import zlib

import numpy as np
import rasterio
from rasterio.transform import from_origin

CUBE = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
BANDS = CUBE.transpose(2, 0, 1)
PLACE = {"crs": "EPSG:32633", "transform": from_origin(500000, 4000000, 30, 30)}


def tiff(path, values=BANDS, **profile):
    with rasterio.open(
        path, "w", driver="GTiff", height=values.shape[1], width=values.shape[2],
        count=values.shape[0], dtype=values.dtype, **(PLACE | profile),
    ) as file:  # fmt: skip
        file.write(values)
    return path


def virtual(source):
    return (
        '<VRTDataset rasterXSize="4" rasterYSize="3"><VRTRasterBand dataType="Int16" band="1">'
        f"<SimpleSource><SourceFilename>{source}</SourceFilename></SimpleSource></VRTRasterBand>"
        "</VRTDataset>"
    )


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def virtual_raster(folder, secret, address):
    return written(folder / "a.vrt", virtual(tiff(secret)))


def virtual_raster_as_tiff(folder, secret, address):
    return written(folder / "a.tif", virtual(tiff(secret)))


def virtual_raster_as_erdas(folder, secret, address):
    return written(folder / "a.img", virtual(f"/vsicurl/{address}/x.tif"))


def virtual_raster_as_jpeg_2000(folder, secret, address):
    return written(folder / "a.jp2", virtual(f"/vsicurl/{address}/x.tif"))


def address_as_tiff(folder, secret, address):
    return written(folder / "a.tif", f"{address}/x.tif")


def web_service_as_png(folder, secret, address):
    return written(folder / "a.png", f'<GDAL_WMS><Service name="TMS"><ServerUrl>{address}')


def overviews_elsewhere(folder, secret, address):
    written(
        folder / "a.tif.aux.xml",
        f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{tiff(secret)}</MDI>'
        f"</Metadata></PAMDataset>",
    )
    return tiff(folder / "a.tif")


def overviews_and_mask_of_a_server(folder, secret, address):
    place = f"/vsicurl/{address}/x.tif"
    written(
        folder / "a.tif.aux.xml",
        f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{place}</MDI>'
        "</Metadata></PAMDataset>",
    )
    for suffix in (".ovr", ".msk"):
        written(folder / f"a.tif{suffix}", virtual(place))
    return tiff(folder / "a.tif")


def mask_elsewhere(folder, secret, address):
    written(folder / "a.tif.msk", virtual(tiff(secret)))
    return tiff(folder / "a.tif")


def tiff_claim(folder, secret, address):
    tags = [(256, 4, 400_000), (257, 4, 400_000), (258, 3, 16), (259, 3, 8), (262, 3, 1),
            (273, 4, 8), (277, 3, 1), (278, 4, 400_000), (279, 4, 8)]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    head = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(tags))
    return written(folder / "a.tif", head + entries + bytes(4))


def png_of_zeros(path, side):
    """Write an image of `side` x `side` zeros, a thousandth as large."""

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    engine, packed = zlib.compressobj(9), b""
    for _ in range(side):
        packed += engine.compress(bytes(side + 1))
    packed += engine.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return written(
        path,
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", packed)
        + chunk(b"IEND", b""),
    )


def labels_bomb(folder, secret, address):
    np.save(folder / "cube.npy", CUBE)
    return png_of_zeros(folder / "a.png", 20_000)
