"""Label maps of real scenes."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

FILES = {
    "indian_pines": ("indian_pines/Indian_pines_gt.mat", "indian_pines_gt"),
    "salinas": ("salinas/Salinas_gt.mat", "salinas_gt"),
    "salinas_a": ("salinas_a/SalinasA_gt.mat", "salinasA_gt"),
    "pavia_university": ("pavia_university/PaviaU_gt.mat", "paviaU_gt"),
    "pavia_centre": ("other_labels/paviaC_gt.mat", "pavia_gt"),
    "ksc": ("other_labels/KSC_gt.mat", "KSC_gt"),
    "botswana": ("other_labels/Botswana_gt.mat", "Botswana_gt"),
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
            loaded[name] = loadmat(file)[key].astype(np.int32)
        return loaded[name]

    return load
