"""What a `config.toml` may say of the scene."""

import pytest

from hsi.errors import RunError
from hsi.training.scene_table import check_scene_table

PART = {"dataset": "a.npy", "labels": "l.npy"}


@pytest.mark.parametrize(
    "table",
    [
        {},
        PART | {"nodata": 0, "drop_bands": "1-2", "keep_bad_bands": True, "label_field": "crop"},
        {"gap": 8, "parts": [PART, PART | {"nodata": -1.5}]},
        {"gap": 0, "parts": [PART | {"role": "train"}, PART | {"role": "test"}]},
    ],
)
def test_what_opens_scenes_is_taken(tmp_path, table):
    check_scene_table(tmp_path, table)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (PART | {"keep_bad_bands": "yes"}, r"keep_bad_bands = 'yes' in \[scene\]"),
        (PART | {"nodata": True}, r"nodata = True in \[scene\]"),
        (PART | {"role": "test"}, r"role = 'test' in \[scene\]"),
        ({"gap": 8}, r"several scenes in \[scene\]; expected a number 'gap'"),
        ({"parts": [PART]}, "expected a number 'gap'"),
        ({"gap": 8.0, "parts": [PART]}, "expected a number 'gap'"),
        ({"gap": -1, "parts": [PART]}, "expected a number 'gap'"),
        ({"gap": 8, "parts": []}, "expected a number 'gap'"),
        ({"gap": 8, "parts": [{"labels": "l.npy"}]}, "expected a number 'gap'"),
        ({"gap": 8, "parts": ["a.npy"]}, "expected a number 'gap'"),
        ({"gap": 8, "parts": [PART], "nodata": 0}, "and nothing else"),
        ({"gap": 8, "parts": [PART | {"role": "exam"}]}, "role = 'exam' .* one of train, valid"),
        ({"gap": 8, "parts": [PART | {"seed": 1}]}, r"seed = 1 in \[\[scene\.parts\]\]"),
    ],
)
def test_anything_else_is_refused(tmp_path, table, said):
    with pytest.raises(RunError, match=said):
        check_scene_table(tmp_path, table)
