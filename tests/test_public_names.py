"""The names that other code may rely on, and that they cost nothing until they are used."""

import subprocess
import sys

import pytest

import hsi

PUBLIC = {
    "BandPCA", "BlockKFold", "Classifier", "HsiError", "HybridSNClassifier", "PatchDataset",
    "PatchNetwork", "Recipe", "Run", "Scene", "ScenePixels", "Settings", "Split", "TransferRun",
    "TransferSettings", "__version__", "build_attention", "build_backbone", "build_model",
    "evaluate", "export_run", "join_scenes", "load_scene", "load_scenes", "map_onnx", "map_scene",
    "overlap_audit",
    "predict_photographs", "predict_scene", "register_model", "resume", "resume_transfer",
    "split_folds", "split_pixels", "train", "transfer",
}  # fmt: skip
HEAVY = ("torch", "numpy", "scipy", "sklearn", "matplotlib", "pydantic", "rich")


def test_the_public_names_are_these():
    """A name that goes breaks the code of others; one that comes has to stay."""
    assert set(hsi.__all__) == PUBLIC
    assert sorted(hsi.__all__) == dir(hsi)
    assert hsi.__all__ == sorted(hsi.__all__)


@pytest.mark.parametrize("name", sorted(PUBLIC - {"__version__"}))
def test_a_public_name_is_there_and_documented(name):
    value = getattr(hsi, name)
    assert value.__module__.startswith("hsi.")
    assert value.__name__ == name
    assert len(value.__doc__) > 20


def test_other_names_are_missing_in_the_usual_way():
    assert not hasattr(hsi, "trian")
    with pytest.raises(AttributeError, match="module 'hsi' has no attribute 'trian'"):
        _ = hsi.trian


def modules_after(code):
    """Return which heavy packages a fresh interpreter holds after `code`."""
    code += f"\nprint(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}"], capture_output=True, text=True, check=True
    )
    return done.stderr.split()


def test_importing_the_package_imports_nothing_heavy():
    assert modules_after("import hsi; hsi.__version__; dir(hsi)") == []


def test_star_import_gives_every_name():
    code = "from hsi import *; assert all(callable(x) for x in (train, load_scene, BandPCA))"
    assert "torch" in modules_after(code)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["train", "--help"],
        ["map", "-h"],
        ["export", "-h"],
        ["bench", "-h"],
        ["search", "-h"],
        ["scenes", "-h"],
        ["transfer", "-h"],
        ["transfer", "predict", "-h"],
        ["denoise", "-h"],
        ["denoise", "train", "-h"],
        ["retrieve", "-h"],
        ["retrieve", "train", "-h"],
        ["retrieve", "query", "-h"],
    ],
)
def test_help_imports_nothing_heavy(arguments):
    """This is what lets it answer at once."""
    code = f"""
from hsi.cli.main import main
sys.argv = ["hsi", *{arguments}]
try:
    main()
except SystemExit as done:
    assert not done.code
"""
    assert modules_after(code) == []
