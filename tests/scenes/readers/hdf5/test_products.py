"""What all products have in common: the scene is what NumPy makes of the file's arrays."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hsi.scenes import lazy, load_scene
from hsi.scenes.cube import row_blocks


@pytest.fixture(scope="module")
def products(tmp_path_factory, write_prisma, write_emit, write_neon):
    """Return scenes and truths, of files that are stored in one piece and in chunks."""
    made = {}
    for layout, prisma, emit, neon in (
        ("whole", None, None, None),
        ("chunks", (2, 3, 4), (5, 4, 2), (3, 4, 5)),
    ):
        folder = tmp_path_factory.mktemp(layout)
        for product in (
            write_prisma(folder, chunks=prisma),
            write_emit(folder, chunks=emit),
            write_neon(folder, chunks=neon),
        ):
            made[product.path.name[:4], layout] = load_scene(product.path), product
    return made


CASES = [(name, layout) for name in ("PRS_", "EMIT", "NEON") for layout in ("whole", "chunks")]


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_the_scene_is_what_the_arrays_say(products, case):
    scene, product = products[case]
    assert scene.shape == product.cube.shape
    np.testing.assert_allclose(scene.cube[:], product.cube, rtol=2e-6, atol=1e-7)
    np.testing.assert_array_equal(scene.wavelengths, product.wavelengths)
    np.testing.assert_allclose(scene.fwhm, product.fwhm)
    missing = (np.isnan(product.cube) | (product.cube == -9999)).any(axis=2)
    assert 0 < missing.sum() < missing.size
    np.testing.assert_array_equal(scene.valid, ~missing)
    assert scene.composite().shape == (scene.rows, scene.cols, 3)
    for rows, block in row_blocks(scene.cube, max_bytes=1):
        np.testing.assert_array_equal(block, scene.cube[rows])


@given(data=st.data(), case=st.sampled_from(CASES), block=st.sampled_from([64, 500, 2**26]))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_part_is_that_part_of_the_whole(products, data, case, block):
    scene, _ = products[case]
    whole = scene.cube[:]
    key = data.draw(
        st.one_of(
            hnp.basic_indices(whole.shape, allow_newaxis=False),
            hnp.integer_array_indices(whole.shape, result_shape=hnp.array_shapes(max_dims=2)),
            hnp.arrays(np.bool_, whole.shape[:2]),
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lazy, "BLOCK_BYTES", block)
        patch.setattr("hsi.scenes.readers.hdf5_cube.BLOCK_BYTES", block)
        patch.setattr("hsi.scenes.readers.emit.BLOCK_BYTES", block)
        np.testing.assert_array_equal(scene.cube[key], whole[key])


@pytest.mark.parametrize("suffix", [".h5", ".he5", ".hdf5", ".HDF", ".nc"])
def test_the_content_tells_the_product_not_the_name(
    tmp_path, suffix, write_prisma, write_emit, write_neon
):
    for write in (write_prisma, write_emit, write_neon):
        product = write(tmp_path)
        renamed = product.path.rename(tmp_path / f"file{suffix}")
        scene = load_scene(renamed)
        assert scene.shape == product.cube.shape
        assert scene.grid is not None
        assert scene.metadata["sensor"] in ("PRISMA", "EMIT", "NEON AOP")
        assert scene.metadata["acquisition_time"][:2] == "20"
