"""What a user does wrong ends in one clear message, and leaves nothing behind; and help."""

import click
import numpy as np
import pytest

from hsi.cli.main import SUBCOMMANDS, cli
from hsi.scenes.synthetic import synthetic_scene


@pytest.fixture(scope="module")
def bad(tmp_path_factory, run):
    """A folder of files that are not what they should be, and a taken run folder."""
    folder = tmp_path_factory.mktemp("bad")
    made = synthetic_scene(rows=32, cols=40, bands=20, classes=3)
    cube, truth = made.cube, made.labels
    np.save(folder / "cube.npy", cube)
    np.save(folder / "truth.npy", truth)
    np.save(folder / "transposed.npy", truth.T)
    np.save(folder / "cut.npy", truth[:-1])
    np.save(folder / "zeros.npy", np.zeros_like(truth))
    np.save(folder / "halves.npy", truth / 2)
    np.save(folder / "one.npy", (truth == 2) * 2)
    lonely = truth.copy()
    lonely[16, 20] = 7
    np.save(folder / "lonely.npy", lonely)
    np.save(folder / "tiny.npy", cube[:8, :9])
    np.save(folder / "tiny_truth.npy", np.arange(72).reshape(8, 9) % 2 + 1)
    np.savez(folder / "several.npz", first=cube, second=cube)
    np.savez(folder / "both.npz", image=cube, gt=truth, centres=np.ones((1, 20)))
    np.save(folder / "bands_first.npy", np.moveaxis(cube, 2, 0))
    (folder / "empty.mat").touch()
    (folder / "page.mat").write_text("<!DOCTYPE html><title>404 Not Found</title>")
    (folder / "notes.txt").write_text("not an image")
    (folder / "notes.md").write_text("not an image")
    (folder / "list.csv").write_text("image,truth\ncube.npy,truth.npy\n")
    (folder / "taken").mkdir()
    (folder / "taken" / "config.toml").touch()
    (folder / "full").mkdir()
    (folder / "full" / "letter.txt").touch()
    (folder / "broken.toml").write_text("[scene")
    (folder / "other.npy").write_bytes((folder / "cube.npy").read_bytes())
    np.save(folder / "fewer.npy", cube[:, :, 1:])
    return {"bad": folder, "run": run.path}


FILES = "--dataset {bad}/cube.npy --labels {bad}/truth.npy"
BRIEFLY = "--out new --patch-size 9 --components 13 --device cpu --epochs 1"
TRAIN = f"train {FILES} {BRIEFLY}"
ON = f"train {BRIEFLY} --dataset {{bad}}/cube.npy"

CASES = [
    # names
    ("trian", 2, ["unknown command 'trian'", "did you mean 'train'"]),
    ("scenes fetch synthetic", 2, ["generated", "nothing to fetch"]),
    ("scenes lst", 2, ["lst", "list"]),
    ("train --datset synthetic", 2, ["--datset", "--dataset"]),
    ("train --dataset synthetic --patchsize 9", 2, ["--patchsize", "--patch-size"]),
    ("map {run} --methode dense", 2, ["--methode", "--method"]),
    ("train --dataset salinas_aa", 2, ["unknown scene", "did you mean 'salinas_a'"]),
    (f"{TRAIN} --model hybridsm", 2, ["unknown model", "did you mean 'hybridsn'"]),
    (f"{TRAIN} --attention cbamm", 2, ["unknown attention", "did you mean 'cbam'"]),
    ("models hybridsn --attention cbamm", 2, ["unknown attention", "did you mean 'cbam'"]),
    ("models --blocks --channels 0", 2, ["channels must be a whole number of at least 1, not 0"]),
    (f"{TRAIN} --weights imagenet", 2, ["'hybridsn-dw' starts from fresh weights", "resnet18"]),
    (f"{TRAIN} --model lenet5 --weights nowhere.pth", 2, ["there is no such file", "imagenet"]),
    (f"{TRAIN} --recipe papper", 2, ["unknown recipe", "did you mean 'paper'"]),
    (f"{TRAIN} --split randm", 2, ["split", "'file' or 'scenes'", "randm"]),
    (f"{TRAIN} --norm bach", 2, ["norm", "'batch' or 'none'", "bach"]),
    (f"{TRAIN} --optimizer sgd", 2, ["optimizer", "'adam' or 'adamw'", "sgd"]),
    (f"{TRAIN} --device gpu", 2, ["device 'gpu'", "auto, cpu, or cuda"]),
    (f"{TRAIN} --device cuda:99", 2, ["device 'cuda:99'"]),
    ("map {run} --out new --method denze", 2, ["did you mean 'dense'"]),
    ("map {run} --out new --device gpu", 2, ["device 'gpu'"]),
    ("evaluate {run} --device gpu", 2, ["device 'gpu'"]),
    # numbers
    (f"{TRAIN} --train 1.5", 2, ["train", "fraction between 0 and 1", "1.5"]),
    (f"{TRAIN} --train 0", 2, ["'train' (--train):", "greater than 0"]),
    (f"{TRAIN} --train ten", 2, ["--train", "'ten' is neither"]),
    (f"{TRAIN} --train nan", 2, ["train"]),
    (f"{TRAIN} --train 0.7 --validation 0.3", 2, ["leave nothing to test"]),
    (f"{TRAIN} --train 100000", 2, ["class 1 has", "fewer pixels"]),
    (f"{TRAIN} --seed -1", 2, ["seed", "-1"]),
    (f"{TRAIN} --seed one", 2, ["--seed", "'one'"]),
    (f"{TRAIN} --epochs 0", 2, ["epochs", "0"]),
    (f"{TRAIN} --steps 5", 2, ["give epochs or steps (--epochs, --steps), not both"]),
    (f"{TRAIN} --learning-rate inf", 2, ["'recipe.learning_rate' (--learning-rate):", "finite"]),
    (f"{TRAIN} --dropout 1", 2, ["dropout", "less than 1"]),
    (f"{TRAIN} --patch-size 24", 2, ["(--patch-size)", "odd", "; 24 is even\n"]),
    (f"{TRAIN} --patch-size 7", 2, ["at least 9"]),
    (f"{TRAIN} --components 5", 2, ["at least 13"]),
    (f"{TRAIN} --components 200", 2, ["20 bands"]),
    (f"{TRAIN} --patch-size 33", 2, ["33x33", "larger than the scene (32x40)"]),
    ("models --patch-size 24", 2, ["odd", "24"]),
    ("models --components 0", 2, ["at least 13"]),
    ("models --classes x", 2, ["--classes", "'x'"]),
    # files
    ("train", 2, ["--dataset"]),
    ("train --dataset nowhere.mat", 2, ["there is no file", "nowhere.mat"]),
    ("train --dataset {bad}/empty.mat --out new", 1, ["empty.mat is empty"]),
    ("train --dataset {bad}/page.mat --out new", 1, ["page.mat is a web page"]),
    ("train --dataset {bad}/notes.md --out new", 1, ["notes.md", "Supported"]),
    ("train --dataset {bad}/notes.txt --out new", 1, ["notes.txt, line 1", "no file", "folder of"]),
    ("train --dataset {bad}/list.csv --out new", 1, ["lacks the column mask", "'image,truth'"]),
    (f"{TRAIN} --labels {{bad}}/cut.npy", 2, ["1 times --dataset", "2 times --labels"]),
    (f"{TRAIN} --dataset {{bad}}/other.npy --labels {{bad}}/truth.npy --validation-dataset "
     "{bad}/cube.npy", 2, ["among the train scenes and among the validation scenes"]),
    (f"{TRAIN} --test-dataset {{bad}}/fewer.npy --test-labels {{bad}}/truth.npy", 2,
     ["cube has 20 bands, fewer has 19 bands"]),
    (f"{TRAIN} --test-dataset {{bad}}/other.npy", 2, ["without labels: other", "--labels"]),
    (f"{TRAIN} --test-dataset {{bad}}/other.npy --test-labels {{bad}}/truth.npy --split blocks",
     2, ["split='blocks'", "--test-dataset"]),
    (f"{TRAIN} --validation-dataset {{bad}}/other.npy --validation-labels {{bad}}/truth.npy", 2,
     ["none for the test", "--test-dataset"]),
    (f"{TRAIN} --split scenes", 2, ["--test-dataset"]),
    (f"{TRAIN} --drop-bands 1340-1460nm", 2, ["centres", "not known", "by their numbers"]),
    (f"{TRAIN} --drop-bands 19-25", 2, ["numbered 1 to 20"]),
    ("train --dataset {bad} --out new", 1, ["is a folder"]),
    ("train --dataset {bad}/several.npz --out new", 2, ["'first'", "'second'", "--key"]),
    (
        "train --dataset {bad}/several.npz --key frst --out new",
        2, ["'frst'", "did you mean 'first'"],
    ),
    ("train --dataset {bad}/cube.npy --out new", 2, ["cube has no labels", "(--labels)", "-key"]),
    ("train --dataset {bad}/both.npz --out new", 2, ["holds 'gt', which", "--labels-key gt)"]),
    (f"{ON} --labels nowhere.npy", 1, ["nowhere.npy does not exist"]),
    (f"{ON} --labels {{bad}}/transposed.npy", 1, ["(40, 32)", "look transposed"]),
    (f"{ON} --labels {{bad}}/cut.npy", 1, ["(31, 40)", "32 rows and 40 columns"]),
    (f"{ON} --labels {{bad}}/zeros.npy", 1, ["0 everywhere"]),
    (f"{ON} --labels {{bad}}/halves.npy", 1, ["0.5", "whole number"]),
    (f"{ON} --labels {{bad}}/one.npy", 2, ["one class only (id 2)"]),
    (f"{ON} --labels {{bad}}/lonely.npy", 2, ["class 7 has 1 labelled pixel"]),
    (
        "train --dataset {bad}/tiny.npy --labels {bad}/tiny_truth.npy --out new",
        2, ["25x25", "larger than the scene (8x9)"],
    ),
    ("train --dataset synthetic --key x --out new", 2, ["takes no key"]),
    ("train --config nowhere.toml --out new", 1, ["cannot read nowhere.toml"]),
    ("train --config {bad}/broken.toml --out new", 1, ["broken.toml is no valid TOML"]),
    ("train --dataset ~nouser/x.npy --out new", 2, ["dataset is '~nouser/x.npy'", "no such user"]),
    (f"{ON} --labels ~nouser/x.npy", 2, ["labels is '~nouser/x.npy'", "no such user"]),
    ("train --dataset caf\udce9.npy --out new", 2, ["dataset", "not in UTF-8", "caf\\udce9.npy"]),
    (f"{ON} --labels caf\udce9.npy", 2, ["labels", "not in UTF-8"]),
    (f"{TRAIN} --out caf\udce9", 2, ["out", "not in UTF-8"]),
    ("map {run} --out caf\udce9", 2, ["out", "not in UTF-8"]),
    ("train --dataset= --out new", 2, ["dataset is empty"]),
    (f"{ON} --labels=", 2, ["labels is empty"]),
    (f"{TRAIN} --out=", 2, ["out is empty"]),
    ("map {run} --out=", 2, ["out is empty"]),
    ("map {run} --scene= --out new", 2, ["dataset is empty"]),
    ("scenes info --nodata x synthetic", 2, ["--nodata", "'x'"]),
    (f"{TRAIN} --nodata nan", 2, ["expected a finite number"]),
    ("train --dataset synthetic --nodata 0 --out new", 2, ["takes no nodata"]),
    ("map {run} --nodata 0", 2, ["--nodata", "--scene"]),
    # folders
    (f"{TRAIN} --out {{bad}}/taken", 1, ["already holds a run", "out=, or --out on the"]),
    (f"{TRAIN} --out {{bad}}/full", 1, ["is not empty", "--out"]),
    (f"{TRAIN} --out {{bad}}/notes.txt", 1, ["is a file", "--out"]),
    (f"{TRAIN} --out {{bad}}/notes.txt/run", 1, ["cannot write the run folder"]),
    ("map", 2, ["RUN"]),
    ("map nowhere", 1, ["nowhere is not there", "hsi train"]),
    ("map {bad}/full", 1, ["is no run", "config.toml"]),
    ("map {run} --out {bad}/notes.txt --device cpu", 1, ["cannot write the map into"]),
    ("map {run} --out new --scene {bad}/fewer.npy", 2, ["19 bands", "trained on 20"]),
    (
        "map {run} --out new --scene {bad}/bands_first.npy",
        2, ["40 bands", "trained on 20", "Its first axis", "(20, 32, 40)"],
    ),
    ("map {run} --out new --scene nowhere.mat", 2, ["there is no file"]),
    ("evaluate", 2, ["RUN"]),
    ("evaluate nowhere", 1, ["nowhere is not there"]),
    ("evaluate {bad}/taken", 1, ["taken"]),
    # a training that cannot go well
    (
        f"{TRAIN} --learning-rate 1e30 --schedule constant --epochs 9",
        1, ["the loss is", "Lower --learning-rate"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "code", "words"), [pytest.param(*case, id=case[0]) for case in CASES]
)
def test_one_message_and_nothing_left(hsi_command, bad, tmp_path, command, code, words):
    before = {each: each.stat().st_mtime_ns for each in bad["bad"].rglob("*")}
    arguments = [each.format(**bad) for each in command.split()]
    done = hsi_command(*arguments)
    assert done.code == code, done.err
    message = [line for line in done.err.splitlines() if not line.startswith(("Tr", "epoch"))]
    for word in words:
        assert word in done.err
    assert 1 <= len(message) <= 5, done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert list((tmp_path / "here").iterdir()) == []
    assert {each: each.stat().st_mtime_ns for each in bad["bad"].rglob("*")} == before


def test_a_defect_is_not_taken_for_a_users_mistake(hsi_command, monkeypatch, files):
    """Whoever meets one should see where it is."""

    def defect(*arguments, **options):
        raise KeyError("defect")

    monkeypatch.setattr("hsi.scenes.scene_list.load_scene", defect)
    with pytest.raises(KeyError, match="defect"):
        hsi_command("train", "--dataset", files / "cube.npy")


def subcommands(command, path=()):
    """Yield the words of every subcommand that does something itself, with its object."""
    context = click.Context(command)
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name in command.list_commands(context):
        yield from subcommands(command.get_command(context, name), (*path, name))


COMMANDS = dict(subcommands(cli))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_subcommand_has_help_with_an_example_that_it_understands(hsi_command, path):
    done = hsi_command(*path, "--help")
    assert done.code == 0
    assert done.err == ""
    assert "Example" in done.out
    examples = [
        line.split()[1:]
        for line in done.out.splitlines()
        if line.strip().startswith(f"hsi {' '.join(path)}")
    ]
    assert examples
    for words in examples:
        COMMANDS[path].make_context("hsi", words[len(path) :])


def test_help_of_all_lists_every_subcommand_with_a_line(hsi_command):
    done = hsi_command("--help")
    assert done.code == 0
    for name in SUBCOMMANDS:
        assert any(
            line.split()[:1] == [name] and len(line.split()) > 3 for line in done.out.splitlines()
        ), name
    assert done.out == hsi_command("-h").out


def test_options_that_print_results_offer_json():
    for path, command in COMMANDS.items():
        names = {name for parameter in command.params for name in parameter.opts}
        # What these make is a file.
        makes_a_file = path in (("scenes", "fetch"), ("report",), ("view",))
        assert "--json" in names or makes_a_file, path


def test_version(hsi_command):
    done = hsi_command("--version")
    assert done.code == 0
    assert done.out.startswith("hsi 0.")
