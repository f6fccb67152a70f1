"""Photographs of every kind come out upright, in RGB, with eight bits; or with a reason."""

import numpy as np
import pytest
from PIL import Image

from hsi.errors import PhotographError
from hsi.photographs import decode_all, read_photograph, square

GRADIENT = np.linspace(0, 255, 40 * 30).reshape(30, 40).astype(np.uint8)
COLORS = np.stack([GRADIENT, GRADIENT[::-1], 255 - GRADIENT], axis=2)


def read(image, path, **options):
    image.save(path, **options)
    return np.asarray(read_photograph(path))


def test_lossless_files_give_their_own_pixels(tmp_path):
    image = Image.fromarray(COLORS)
    for suffix in ("png", "bmp", "tif", "ppm"):
        assert np.array_equal(read(image, tmp_path / f"a.{suffix}"), COLORS)


def test_a_format_is_known_by_content_not_by_suffix(tmp_path):
    Image.fromarray(COLORS).save(tmp_path / "a.jpg", format="PNG")
    assert np.array_equal(np.asarray(read_photograph(tmp_path / "a.jpg")), COLORS)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_of_the_camera_is_applied(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = read(Image.fromarray(COLORS), tmp_path / "a.png", exif=exif)
    # EXIF 2.3, tag Orientation: which sides of the scene row 0 and column 0 are.
    expected = {
        1: COLORS, 2: COLORS[:, ::-1], 3: COLORS[::-1, ::-1], 4: COLORS[::-1],
        5: COLORS.transpose(1, 0, 2), 6: np.rot90(COLORS, -1),
        7: COLORS[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(COLORS),
    }[orientation]  # fmt: skip
    assert np.array_equal(pixels, expected)


def test_damaged_metadata_do_not_cost_the_photograph(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(COLORS).save(tmp_path / "a.png", exif=exif.tobytes()[:-7])
    # Not `read_photograph`, which leaves Pillow's warning of it to those around threads.
    decoded = decode_all([tmp_path / "a.png"], side=30)
    assert decoded.unreadable == ()
    assert decoded.images.shape == (1, 30, 30, 3)


def test_grey_palette_and_black_and_white(tmp_path):
    grey = np.repeat(GRADIENT[..., None], 3, axis=2)
    assert np.array_equal(read(Image.fromarray(GRADIENT), tmp_path / "l.png"), grey)
    palette = Image.fromarray(COLORS).quantize(8)
    assert np.array_equal(read(palette, tmp_path / "p.png"), np.asarray(palette.convert("RGB")))
    bits = Image.fromarray(GRADIENT).convert("1")
    assert set(np.unique(read(bits, tmp_path / "b.png"))) == {0, 255}


def test_sixteen_bits_keep_their_upper_eight(tmp_path):
    values = (GRADIENT.astype(np.uint16) << 8) + 37
    for suffix in ("png", "tif"):
        pixels = read(Image.fromarray(values), tmp_path / f"a.{suffix}")
        assert np.array_equal(pixels, np.repeat(GRADIENT[..., None], 3, axis=2))


def test_what_is_transparent_is_white(tmp_path):
    alpha = np.full((30, 40), 255, np.uint8)
    alpha[:, :20] = 0
    pixels = read(Image.fromarray(np.dstack([COLORS, alpha])), tmp_path / "a.png")
    assert (pixels[:, :20] == 255).all()
    assert np.array_equal(pixels[:, 20:], COLORS[:, 20:])
    palette = Image.fromarray(COLORS).quantize(8)
    index = np.asarray(palette)
    pixels = read(palette, tmp_path / "p.gif", transparency=int(index[0, 0]))
    assert (pixels[index == index[0, 0]] == 255).all()


def test_cmyk_is_converted(tmp_path):
    red = Image.new("RGB", (16, 16), (250, 10, 10)).convert("CMYK")
    pixels = read(red, tmp_path / "a.jpg", quality=100)
    assert np.abs(pixels.astype(int) - (250, 10, 10)).max() < 12


def test_a_moving_picture_gives_its_first_frame(tmp_path):
    first, second = (Image.new("RGB", (8, 8), color) for color in ("white", "black"))
    assert read(first, tmp_path / "a.gif", save_all=True, append_images=[second]).min() == 255


def damaged(tmp_path):
    good = tmp_path / "good.jpg"
    Image.fromarray(np.tile(COLORS, (8, 8, 1))).save(good)
    whole = good.read_bytes()
    return {
        "cut.jpg": whole[: len(whole) // 2],
        "header.jpg": whole[:20],
        "empty.jpg": b"",
        "page.jpg": b"<!DOCTYPE html><title>404</title>",
        "script.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    }


def test_damaged_files_are_refused_with_a_reason(tmp_path):
    for name, content in damaged(tmp_path).items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(PhotographError, match=name) as caught:
            read_photograph(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(PhotographError, match="No such file"):
        read_photograph(tmp_path / "none.jpg")
    values = Image.fromarray(GRADIENT.astype(np.float32))
    values.save(tmp_path / "float.tif")
    with pytest.raises(PhotographError, match="floating-point"):
        read_photograph(tmp_path / "float.tif")


def test_any_byte_may_be_wrong(tmp_path):
    """Whatever Pillow raises on it, a damaged file is a message."""
    generator = np.random.default_rng(0)
    for suffix in ("jpg", "png", "gif", "tif", "webp"):
        Image.fromarray(COLORS).save(tmp_path / f"a.{suffix}")
        whole = np.frombuffer((tmp_path / f"a.{suffix}").read_bytes(), np.uint8)
        for _ in range(60):
            altered = whole.copy()
            places = generator.integers(0, min(len(whole), 200), 3)
            altered[places] = generator.integers(0, 256, 3)
            (tmp_path / f"b.{suffix}").write_bytes(altered.tobytes())
            try:
                assert read_photograph(tmp_path / f"b.{suffix}").mode == "RGB"
            except PhotographError:
                pass
            except Warning as warning:  # Pillow's, of odd metadata; `decode_all` turns them off
                assert warning.args  # noqa: PT017


def test_a_size_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    Image.fromarray(COLORS).save(tmp_path / "a.png")
    with pytest.raises(PhotographError, match="more than 1,000 pixels"):
        read_photograph(tmp_path / "a.png")


def test_the_square_is_the_centre():
    stripes = np.zeros((20, 60, 3), np.uint8)
    stripes[:, 20:40] = 200
    assert (square(Image.fromarray(stripes), 10)[:, 1:-1] == 200).all()
    # Averaged, not sampled: a checkerboard becomes grey.
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    small = square(Image.fromarray(board).convert("RGB"), 8)
    assert small.shape == (8, 8, 3)
    assert np.abs(small.astype(int) - 127).max() < 20
