"""``hsi retrieve train`` and ``hsi retrieve query``."""

import json
from pathlib import Path

import pytest
from PIL import Image

QUICK = (
    "--patch-size", "3", "--train", "0.15", "--validation", "0.15", "--epochs", "2",
    "--device", "cpu",
)  # fmt: skip


@pytest.fixture
def quick(files):
    """Arguments of a short training on the small scene and its composite."""
    return (
        "retrieve", "train", "--scene", files / "cube.npy", "--labels", files / "truth.npy",
        "--second", "rgb", *QUICK,
    )  # fmt: skip


def test_train_prints_both_ways_beside_correlation_and_chance(hsi_command, quick):
    done = hsi_command(*quick, "--out", "runs/colours")
    assert done.code == 0, done.err
    metrics = json.loads(Path("runs/colours/metrics.json").read_text())
    for name, key in (
        ("learned", "map"),
        ("canonical correlation", "canonical_correlation"),
        ("chance", "chance"),
    ):
        (line,) = [line for line in done.out.splitlines() if f"│ {name} " in line]
        for way in ("first_to_second", "second_to_first", "mean"):
            assert f"{100 * metrics[key][way]:.2f}" in line
    assert "Overlap: " in done.out
    assert "mAP in validation" in done.err
    assert "Training runs/colours" in done.err


def test_json_and_config(hsi_command, quick):
    first = json.loads(hsi_command(*quick, "--out", "one", "--json").out)
    assert first["run"] == "one"
    again = hsi_command(
        "retrieve", "train", "--config", "one/config.toml", "--out", "two", "--json", "--device",
        "cpu",
    )  # fmt: skip
    times = ("run", "train_seconds", "test_seconds")
    second = json.loads(again.out)
    assert {k: v for k, v in first.items() if k not in times} == {
        k: v for k, v in second.items() if k not in times
    }


def test_a_query_is_printed_as_table_and_json_and_drawn(hsi_command, retrieved):
    query = ("retrieve", "query", retrieved.path, "--from", "second", "--at", "20,21")
    table = hsi_command(*query, "--top", "5", "--figure", "found.png", "--device", "cpu")
    assert table.code == 0, table.err
    found = json.loads(hsi_command(*query, "--top", "5", "--json", "--device", "cpu").out)
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3, 4, 5]
    assert (found["modality"], found["row"], found["col"]) == ("second", 20, 21)
    rows = [line for line in table.out.splitlines() if line.startswith("│")]
    for hit, line in zip(found["hits"], rows, strict=True):
        for value in (hit["row"], hit["col"], hit["name"], f"{hit['similarity']:.4f}"):
            assert f" {value} " in line
    assert f"{found['of_its_class']} of 5 are of its class" in table.out
    with Image.open("found.png") as picture:
        assert picture.width > 6 * 190


def test_arrays_by_their_names(hsi_command, write_features, tmp_path):
    write_features(tmp_path / "pairs.npz")
    done = hsi_command(
        "retrieve", "train", "--features", tmp_path / "pairs.npz", "--key", "second",
        "--second-key", "first", "--train", "0.3", "--epochs", "2", "--device", "cpu", "--out",
        "run",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "pairs second (first) and pairs first (second)" in done.out
    table = hsi_command("retrieve", "query", "run", "--at", "7", "--device", "cpu")
    assert table.code == 0, table.err
    assert " col " not in table.out
    refused = hsi_command("retrieve", "query", "run", "--at", "7,0", "--device", "cpu")
    assert refused.code == 2
    assert "a row of the arrays" in refused.err
    drawn = hsi_command("retrieve", "query", "run", "--at", "7", "--figure", "found.png")
    assert drawn.code == 2
    assert not Path("found.png").exists()
