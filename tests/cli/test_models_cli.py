"""``hsi models``."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hsi.layers.attention import ATTENTIONS, build_attention
from hsi.models import MODELS, build_model, count_parameters, usual
from hsi.models.cost import shapes_alone


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Return the file of the cache in which sizes are kept: not that of whoever runs the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hsi" / "sizes.json"


def test_every_network_is_listed_with_its_size(hsi_command):
    done = hsi_command("models")
    assert done.code == 0
    for name in MODELS:
        assert name in done.out
    assert "5,122,240" in done.out  # the paper's 5,122,176, and 64 for the batch norm
    assert "30 components, 16 classes" in done.out


def test_each_network_is_measured_on_what_it_is_usually_given(hsi_command):
    chosen = ("hybridsn", "cnn1d-hu", "cnn3d-li")
    done = hsi_command("models", *chosen, "--components", 200, "--classes", 9)
    lines = {line.split()[1]: line for line in done.out.splitlines() if line.startswith("│")}
    for name in chosen:
        side, reduction = usual(name).patch_size, usual(name).reduction
        assert f"{side}x{side} {'bands' if reduction == 'bands' else 'components'}" in lines[name]
        with shapes_alone():
            model = build_model(name, bands=200, classes=9, patch_size=side)
        assert f" {count_parameters(model):,} " in lines[name]


def test_all_can_be_asked_for_one_side_of_a_patch(hsi_command):
    done = hsi_command("models", "hybridsn", "cnn3d-li", "cnn1d-hu", "--patch-size", 9, "--json")
    rows = {row["model"]: row for row in json.loads(done.out)}
    assert {row["patch_size"] for row in rows.values()} == {9}
    # A last layer on 5x5 positions of 4 channels and 22 bands.
    assert rows["cnn3d-li"]["parameters"] == 2 * 64 + 4 * 55 + 4 * 22 * 25 * 16 + 16
    assert rows["cnn1d-hu"]["parameters"] is None
    assert "patch_size can only be 1, not 9" in done.err


def test_classifiers_that_grow_with_the_data_have_no_size(hsi_command):
    done = hsi_command("models", "svm", "lenet5")
    (line,) = (line for line in done.out.splitlines() if " svm " in line)
    assert line.split()[-6::2] == ["-", "-", "-"]
    assert "as large as what is learned from makes them: svm" in done.err


def test_sizes_follow_from_the_options(hsi_command):
    done = hsi_command("models", "hybridsn*", "--components", 15, "--classes", 9, "--json")
    sizes = {row["model"]: row for row in json.loads(done.out)}
    assert sizes.keys() == {name for name in MODELS if name.startswith("hybridsn")}
    assert sizes["hybridsn"]["parameters"] == 4_844_793 + 64
    assert all(row["macs_per_patch"] > 10**6 for row in sizes.values())


def test_a_pixel_of_a_map_costs_its_share_of_the_trunk_and_its_own_head(hsi_command):
    (row,) = json.loads(hsi_command("models", "hybridsn", "--json").out)
    position = 24 * 8 * 7 * 9 + 20 * 16 * 8 * 5 * 9 + 18 * 32 * 16 * 3 * 9 + 64 * 576 * 9
    head = 64 * 17**2 * 256 + 256 * 128 + 128 * 16
    assert row["macs_per_pixel"] == position + head


def test_names_and_patterns_choose(hsi_command):
    done = hsi_command("models", "hybridsn-*", "hybridsn-se", "--json")
    names = [row["model"] for row in json.loads(done.out)]
    assert names == [name for name in MODELS if name.startswith("hybridsn-")]
    done = hsi_command("models", "hybridsn", "hybridsn-sse")
    assert done.code == 2
    assert "unknown model 'hybridsn-sse'; did you mean 'hybridsn-se'?" in done.err


def test_attention_adds_its_parameters_to_a_network(hsi_command):
    plain, with_it = (
        {
            row["model"]: row
            for row in json.loads(hsi_command("models", "hybridsn*", *more, "--json").out)
        }
        for more in (["hybridsn*"], ["hybridsn*", "--attention", "se"])
    )
    added = with_it["hybridsn-dw"]["parameters"] - plain["hybridsn-dw"]["parameters"]
    assert added == 2 * 64 * 4 + 4 + 64
    assert with_it["hybridsn"] == plain["hybridsn-se"] | {"model": "hybridsn"}
    for size in ("macs_per_patch", "macs_per_pixel"):
        assert with_it["hybridsn"][size] - plain["hybridsn"][size] == 2 * 64 * 4


def test_every_attention_block_is_listed_with_its_size(hsi_command):
    done = hsi_command("models", "--blocks")
    assert done.code == 0
    rows = json.loads(hsi_command("models", "--blocks", "--json").out)
    assert [row["attention"] for row in rows] == list(ATTENTIONS)
    for row in rows:
        block = build_attention(row["attention"], channels=64)
        assert row["parameters"] == sum(weight.numel() for weight in block.parameters())
        line = next(line for line in done.out.splitlines() if f" {row['attention']} " in line)
        assert row["what it is"] in line
        assert f" {row['parameters']:,} " in line
    assert len({row["what it is"] for row in rows}) == len(rows)
    (wide,) = json.loads(hsi_command("models", "--blocks", "ec*", "--channels", 256, "--json").out)
    assert (wide["attention"], wide["parameters"]) == ("eca", 5)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [["models", "lenet5"], ["models", "lenet5", "--json"]])
def test_a_full_disk_is_one_message(start_hsi, arguments):
    with Path("/dev/full").open("w") as full:
        process = start_hsi(*arguments, stdout=full, stderr=subprocess.PIPE, text=True)
        assert process.stderr.read() == "Error: No space left on device\n"
    assert process.wait(timeout=60) == 1


def test_a_network_that_cannot_be_of_that_size_has_a_dash_and_a_note(hsi_command):
    done = hsi_command("models", "hybridsn*", "--components", 10)
    assert done.code == 0
    dashed = [line for line in done.out.splitlines() if "hybridsn-dw" in line]
    assert dashed[0].split()[-6::2] == ["-", "-", "-"]
    assert "Note: hybridsn-dw cannot work on 10 bands" in done.err
    # Variants of one network have one reason.
    assert done.err.count("Note: hybridsn cannot work") == 1
    done = hsi_command("models", "hybridsn*", "--components", 10, "--json")
    sizes = {row["model"]: row["parameters"] for row in json.loads(done.out)}
    assert sizes["hybridsn"] is None
    assert sizes["hybridsn-2d3d"] > 10**6


def test_a_network_that_has_its_attention_is_not_given_another(hsi_command):
    done = hsi_command("models", "hybridsn*", "--attention", "eca", "--json")
    sizes = {row["model"]: row["parameters"] for row in json.loads(done.out)}
    assert sizes["hybridsn"] is not None
    assert sizes["hybridsn-se"] is None
    assert "'hybridsn-se' has its attention already (se)" in done.err


def test_no_attention_has_a_name(hsi_command):
    plain = hsi_command("models", "lenet5", "--json")
    named = hsi_command("models", "lenet5", "--attention", "none", "--json")
    assert named.code == 0
    assert named.out == plain.out


def test_sizes_are_computed_once(hsi_command, cache, monkeypatch):
    first = hsi_command("models", "hybridsn*", "--components", 10)
    assert cache.exists()
    monkeypatch.setattr("hsi.cli.models._measure", lambda *_, **__: pytest.fail("computed again"))
    again = hsi_command("models", "hybridsn*", "--components", 10)
    assert (again.code, again.out, again.err) == (0, first.out, first.err)
    with pytest.raises(pytest.fail.Exception, match="computed again"):
        hsi_command("models", "hybridsn*", "--components", 11)


@pytest.mark.parametrize("what", ["another version", "nothing", "a list", "a word"])
def test_sizes_from_other_code_are_forgotten(hsi_command, cache, what):
    right = hsi_command("models", "lenet5", "--json").out
    kept = json.loads(cache.read_text())
    (question,) = kept["answers"]
    kept["answers"][question]["rows"][0]["parameters"] = 1
    cache.write_text(json.dumps(kept))
    assert hsi_command("models", "lenet5", "--json").out != right  # it is what is read
    contents = {
        "another version": json.dumps(kept | {"made_by": "others"}),
        "nothing": "",
        "a list": "[1]",
        "a word": "null",
    }
    cache.write_text(contents[what])
    assert hsi_command("models", "lenet5", "--json").out == right


def test_a_cache_that_cannot_be_written_changes_nothing(hsi_command, cache):
    cache.parent.parent.mkdir(parents=True, exist_ok=True)
    cache.parent.write_text("a file where the folder would be")
    done = hsi_command("models", "lenet5", "--json")
    assert done.code == 0
    assert json.loads(done.out)[0]["parameters"] > 60_000


def test_known_sizes_are_told_without_pytorch(hsi_command):
    shown = hsi_command("models", "lenet5").out
    program = (
        "import sys; sys.modules['torch'] = None; from hsi.cli.main import main; "
        "sys.argv = ['hsi', 'models', 'lenet5']; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, shown)


def test_a_small_stem_is_told(hsi_command):
    assert "small stem here" in hsi_command("models", "lenet5").out
    assert "small stem here" not in hsi_command("models", "hybridsn").out


def test_an_unknown_name_that_is_near_to_none_says_what_lists_them(hsi_command):
    done = hsi_command("models", "quagmire")
    assert done.code == 2
    assert f"unknown model 'quagmire'\n`hsi models` lists all {len(MODELS)}." in done.err
