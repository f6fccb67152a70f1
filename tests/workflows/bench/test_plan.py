"""What is asked of a benchmark, and what a folder that was begun refuses."""

import pytest
import tomli_w

from hsi.errors import RunError, UsageError
from hsi.evaluation import Cell
from hsi.workflows.bench.asked import Asked
from hsi.workflows.bench.plan import Plan
from hsi.workflows.bench.shared_settings import settled

SOURCES = {"fields": {"dataset": "/data/fields.tif"}, "woods": {"dataset": "/data/woods.tif"}}


def asked(**changes):
    usual = {
        "scenes": ("fields",), "splits": ("random", "blocks"), "train": (0.1,),
        "models": ("hybridsn", "hybridsn-dw+eca"), "seeds": (0, 1),
    }  # fmt: skip
    return Asked(**(usual | changes))


def extended(plan, new, *, settings=None, guard=None, command=None):
    return plan.extended(
        new, sources=SOURCES, settings=settings or {}, guard=guard, command=command
    )


def test_every_combination_is_a_cell_and_models_vary_fastest():
    plan = extended(Plan(), asked(train=(0.1, 50)))
    cells = list(plan.cells())
    assert len(cells) == len(set(cells)) == 2 * 2 * 2 * 2
    assert [cell.model for cell in cells[:3]] == ["hybridsn", "hybridsn-dw+eca", "hybridsn"]
    assert cells[0] == Cell("fields", "random", 0.1, 0, "hybridsn")
    settings = plan.settings_of(cells[-1])
    assert (settings.model, settings.attention, settings.train) == ("hybridsn-dw", "eca", 50)
    assert (settings.split, settings.seed, settings.guard) == ("blocks", 1, 24)
    assert plan.settings_of(cells[0]).guard is None  # random splits keep no distance


def test_what_is_added_does_not_ask_for_more_than_that():
    plan = extended(Plan(), asked())
    more = extended(plan, asked(scenes=("woods",), models=("hybridsn",), seeds=(5,)))
    assert len(list(more.cells())) == 8 + 2
    assert extended(more, asked()) == more
    # The cells of a scene stay together.
    scenes = [cell.scene for cell in more.cells()]
    assert scenes == sorted(scenes)


def test_one_pixel_of_each_class_is_another_amount_than_all():
    one = extended(Plan(), asked(splits=("random",), train=(1,)))
    again = Asked(models=("hybridsn-2d3d",)).completed(one.asked)
    assert [(amount, type(amount)) for amount in again.train] == [(1, int)]
    both = asked(splits=("folds",), train=(1, 1.0))
    cells = list(extended(Plan(), both).cells())
    assert len(cells) == len(set(cells)) == 2 * len(list(asked(splits=("folds",)).cells()))
    with pytest.raises(UsageError, match=r"--train 1.0 is all .* none to test with --split random"):
        extended(Plan(), asked(splits=("random", "folds"), train=(1.0,)))


def test_axes_that_are_not_named_are_those_of_the_plan():
    plan = extended(Plan(), asked())
    only_model = Asked(models=("hybridsn-2d3d",)).completed(plan.asked)
    assert only_model == asked(models=("hybridsn-2d3d",))
    new = Asked(scenes=("fields",), models=("hybridsn",)).completed([])
    assert (new.splits, new.train, new.seeds) == (("random", "blocks"), (0.1,), tuple(range(10)))
    with pytest.raises(UsageError, match=r"no model is named.*--model"):
        Asked(scenes=("fields",)).completed([])
    with pytest.raises(UsageError, match=r"no scene is named.*--dataset"):
        Asked(models=("hybridsn",)).completed([])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": ("hybridsm",)}, "unknown model 'hybridsm'; did you mean 'hybridsn'"),
        ({"models": ("hybridsn+eco",)}, "unknown attention 'eco'; did you mean 'eca'"),
        ({"models": ("hybridsn+",)}, "names no attention after the +"),
        ({"models": ("hybridsn", "hybridsn")}, "named twice"),
        ({"splits": ("blocs",)}, "unknown split 'blocs'; did you mean 'blocks'"),
        ({"splits": ("scenes",)}, "unknown split 'scenes'"),
        ({"train": (1.5,)}, "train must be a fraction"),
        ({"seeds": (-1,)}, "seeds are whole numbers from 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        asked(**changes)


def test_other_settings_are_refused_with_the_difference():
    plan = extended(Plan(), asked(), settings={"epochs": 50, "patch_size": 13})
    assert extended(plan, asked(seeds=(9,))).settings == plan.settings  # what is not named stays
    assert extended(plan, asked(), settings={"epochs": 50, "whiten": True, "recipe": "default"})
    with pytest.raises(UsageError, match="epochs is 50 there, 60 now; learning_rate is as usual"):
        extended(plan, asked(), settings={"epochs": 60, "learning_rate": 0.1})
    with pytest.raises(UsageError, match="whiten is True there, False now"):
        extended(plan, asked(), settings={"whiten": False})
    with pytest.raises(UsageError, match="unknown setting 'epoch'"):
        extended(Plan(), asked(), settings={"epoch": 5})


def test_another_scene_of_the_same_name_is_refused():
    plan = extended(Plan(), asked())
    with pytest.raises(UsageError, match=r"another scene named fields.*/data/fields\.tif there"):
        plan.extended(
            asked(),
            sources={"fields": {"dataset": "/other"}},
            settings={},
            guard=None,
            command=None,
        )


def test_the_guard_is_what_the_largest_patches_need():
    plan = extended(Plan(), asked(), settings={"patch_size": 9})
    assert plan.guard == 8
    assert extended(Plan(), asked(), guard=30).guard == 30
    assert extended(Plan(), asked(splits=("random",))).guard is None
    with pytest.raises(UsageError, match=r"patches of 25x25 pixels.*24 pixels apart.*here it is 4"):
        extended(Plan(), asked(), guard=4)
    with pytest.raises(UsageError, match=r"keep 8 pixels.*not 30"):
        extended(plan, asked(), guard=30)
    with pytest.raises(UsageError, match="--guard is for blocks and folds"):
        extended(Plan(), asked(splits=("random",)), guard=30)


def test_larger_patches_than_the_guard_allows_are_refused(monkeypatch):
    from hsi.models.usual import USUAL, Usual

    monkeypatch.setitem(USUAL, "hybridsn-2d3d", Usual(patch_size=9))
    small = asked(models=("hybridsn-2d3d",))
    plan = extended(Plan(), small)
    assert plan.guard == 8
    with pytest.raises(UsageError, match=r"(?s)hybridsn looks at patches of 25x25.*--guard 24"):
        extended(plan, asked(models=("hybridsn",)))
    # Without blocks there is nothing to keep apart; and a wider guard from the start has room.
    assert extended(plan, asked(models=("hybridsn-2d3d",), seeds=(4,))).guard == 8
    wide = extended(Plan(), small, guard=24)
    assert extended(wide, asked(models=("hybridsn",))).guard == 24


def test_a_plan_is_read_as_it_was_written(tmp_path):
    plan = extended(
        Plan(), asked(train=(0.05, 20)), settings={"epochs": 5, "recipe": "paper"}, command="hsi x"
    )
    plan.write(tmp_path)
    assert Plan.read(tmp_path) == plan
    assert Plan.read(tmp_path / "elsewhere") is None
    table = tomli_w.dumps({"scenes": {}, "asked": [{"model": "hybridsn"}], "settings": {}})
    (tmp_path / "bench.toml").write_text(table)
    with pytest.raises(RunError, match=r"bench\.toml is no plan"):
        Plan.read(tmp_path)


def test_a_recipe_file_is_kept_as_the_settings_that_it_names(tmp_path):
    path = tmp_path / "found.toml"
    path.write_text('model = "hybridsn"\npatch_size = 9\n[recipe]\nsteps = 70\ndropout = 0.1\n')
    assert settled({"recipe": str(path)}) == {"patch_size": 9, "steps": 70, "dropout": 0.1}
    assert settled({"recipe": str(path), "epochs": 3, "dropout": 0.2}) == {
        "patch_size": 9, "epochs": 3, "dropout": 0.2,
    }  # fmt: skip
    assert settled({"recipe": "paper", "steps": None}) == {"recipe": "paper"}


def test_a_model_of_single_pixels_keeps_its_patch(monkeypatch):
    from hsi.models.usual import USUAL, Usual

    monkeypatch.setitem(USUAL, "hybridsn-2d3d", Usual(patch_size=1))
    plan = extended(
        Plan(), asked(models=("hybridsn-2d3d", "hybridsn")), settings={"patch_size": 11}
    )
    assert [plan.side_of(model) for model in plan.models] == [1, 11]
    assert plan.guard == 10


def test_a_split_that_is_given_has_its_own_training_pixels():
    cells = list(asked(splits=("random", "official"), train=(0.05, 0.1), seeds=(0,)).cells())
    assert [(cell.split, cell.train) for cell in cells[::2]] == [
        ("random", 0.05), ("random", 0.1), ("official", 1.0),
    ]  # fmt: skip
    folds = asked(splits=("folds",), train=(1.0,))
    assert {cell.train for cell in folds.cells()} == {1.0}


def test_a_split_file_is_named_and_is_of_one_scene():
    by_file = asked(splits=("file",))
    with pytest.raises(UsageError, match="name it with --split-file"):
        extended(Plan(), by_file)
    settings = {"split_file": "/data/split.npz"}
    plan = extended(Plan(), by_file, settings=settings)
    assert plan.settings_of(next(plan.cells())).split_file == "/data/split.npz"
    with pytest.raises(UsageError, match="is of one scene, but --split file is asked for 2"):
        extended(plan, asked(scenes=("woods",), splits=("file",)))


def test_settings_of_a_split_that_is_not_asked_for_are_refused():
    with pytest.raises(UsageError, match="--split-file is for --split file"):
        extended(Plan(), asked(), settings={"split_file": "/data/split.npz"})
    with pytest.raises(UsageError, match="--folds is for --split folds"):
        extended(Plan(), asked(), settings={"folds": 3})
    plan = extended(Plan(), asked(splits=("random", "folds")), settings={"folds": 3})
    assert plan.settings_of(list(plan.cells())[-1]).folds == 3


def test_folds_alone_train_on_all_that_is_left():
    new = {"scenes": ("fields",), "models": ("svm",)}
    assert Asked(**new, splits=("folds",)).completed([]).train == (1.0,)
    assert Asked(**new, splits=("folds", "blocks")).completed([]).train == (0.1,)


def test_what_a_split_without_a_choice_was_asked_with_is_not_taken_over():
    file = Asked(scenes=("a",), splits=("file",), models=("svm",), seeds=(0,)).completed([])
    assert file.train == (1.0,)
    assert Asked(splits=("random",)).completed([file]).train == (0.1,)
    assert Asked(splits=("folds",)).completed([file]).train == (1.0,)
    several = Asked(scenes=("a",), splits=("random",), models=("svm",), train=(0.2, 5), seeds=(0,))
    assert Asked(splits=("blocks",)).completed([file, several.completed([])]).train == (0.2, 5)


@pytest.mark.parametrize("model", ["knn+eca", "hybridsn-se+eca"])
def test_attention_is_refused_where_there_is_no_place_for_it(model):
    with pytest.raises(UsageError, match=r"takes no attention|has its attention already"):
        Asked(models=(model,))
