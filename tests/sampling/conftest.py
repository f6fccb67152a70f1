"""Label maps of real scenes, and splits of them that several tests look at."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from hsi.sampling import split_pixels

FILES = {
    "indian_pines": ("indian_pines/Indian_pines_gt.mat", "indian_pines_gt"),
    "salinas": ("salinas/Salinas_gt.mat", "salinas_gt"),
    "salinas_a": ("salinas_a/SalinasA_gt.mat", "salinasA_gt"),
    "pavia_university": ("pavia_university/PaviaU_gt.mat", "paviaU_gt"),
    "pavia_centre": ("other_labels/paviaC_gt.mat", "pavia_gt"),
    "ksc": ("other_labels/KSC_gt.mat", "KSC_gt"),
    "botswana": ("other_labels/Botswana_gt.mat", "Botswana_gt"),
    "houston_2013": ("other_labels/houston_gt.mat", "houston_gt_tr houston_gt_te"),
    "pavia_university_train": ("pavia_university/TRpavia_fixed.mat", "TRpavia_fixed"),
    "pavia_university_test": ("pavia_university/TSpavia_fixed.mat", "TSpavia_fixed"),
}


@pytest.fixture(scope="session")
def real_labels():
    """Return a function that loads the label map of a scene as int32, or skips the test."""
    loaded = {}

    def load(name):
        path, key = FILES[name]
        file = Path(os.environ.get("HSI_DATA", "")) / path
        if "HSI_DATA" not in os.environ or not file.is_file():
            pytest.skip(f"needs {path} in the folder that HSI_DATA names")
        if name not in loaded:
            arrays = loadmat(file)
            # Where there are several, no pixel is in two of them.
            loaded[name] = sum(arrays[each].astype(np.int32) for each in key.split())
        return loaded[name]

    return load


@pytest.fixture(scope="session")
def real_split(real_labels):
    """Return a function that splits the label map of a scene, blocks of one seed only once."""
    made = {}

    def split(name, method, seed=0):
        if (name, method, seed) not in made:
            made[name, method, seed] = split_pixels(real_labels(name), method=method, seed=seed)
        return made[name, method, seed]

    return split
