"""Help of every subcommand; `tests/faults/test_misuse.py` is about what users do wrong."""

import pytest

from hsi.cli.main import SUBCOMMANDS


def test_a_defect_is_not_taken_for_a_users_mistake(hsi_command, monkeypatch, files):
    """Whoever meets one should see where it is."""

    def defect(*arguments, **options):
        raise KeyError("defect")

    monkeypatch.setattr("hsi.scenes.scene_list.load_scene", defect)
    with pytest.raises(KeyError, match="defect"):
        hsi_command("train", "--dataset", files / "cube.npy")


def test_every_subcommand_has_help_with_an_example_that_it_understands(hsi_command, commands):
    for path, command in commands.items():
        done = hsi_command(*path, "--help")
        assert done.code == 0, path
        assert done.err == "", path
        assert "Example" in done.out, path
        examples = [
            line.split()[1:]
            for line in done.out.splitlines()
            if line.strip().startswith(f"hsi {' '.join(path)}")
        ]
        assert examples, path
        for words in examples:
            command.make_context("hsi", words[len(path) :])


def test_help_of_all_lists_every_subcommand_with_a_line(hsi_command):
    done = hsi_command("--help")
    assert done.code == 0
    for name in SUBCOMMANDS:
        assert any(
            line.split()[:1] == [name] and len(line.split()) > 3 for line in done.out.splitlines()
        ), name
    assert done.out == hsi_command("-h").out


def test_options_that_print_results_offer_json(commands):
    for path, command in commands.items():
        names = {name for parameter in command.params for name in parameter.opts}
        # What these make is a file.
        makes_a_file = path in (("scenes", "fetch"), ("report",), ("view",))
        assert "--json" in names or makes_a_file, path


def test_version(hsi_command):
    done = hsi_command("--version")
    assert done.code == 0
    assert done.out.startswith("hsi 0.")
