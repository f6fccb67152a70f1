"""From a space to settings: what is asked for depends on the network."""

import optuna
import pytest

import hsi
from hsi.errors import UsageError
from hsi.models import build_model
from hsi.models.cost import shapes_alone
from hsi.workflows.search.choosing import Chooser
from hsi.workflows.search.defaults import default_space
from hsi.workflows.search.space import space_from_table


@pytest.fixture
def drawn(scene, base):
    """Return a function that draws settings at random from a space: for each trial, both."""

    def draw(table, settings=base, trials=30):
        space, fixed = space_from_table(table)
        chooser = Chooser(space=space, base=settings.changed(**fixed), scene=scene)
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        found = []
        for _ in range(trials):
            trial = study.ask()
            found.append((trial, chooser.for_trial(trial)))
        return found

    return draw


def test_what_is_drawn_is_what_the_settings_have(drawn):
    trials = drawn({
        "model": ["hybridsn", "hybridsn-dw"], "components": {"low": 13, "high": 17},
        "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}, "whiten": [True, False],
        "dropout": {"low": 0.1, "high": 0.5, "step": 0.2},
    })  # fmt: skip
    for trial, settings in trials:
        assert settings.model == trial.params["model"]
        assert settings.components == trial.params["components"] in range(13, 18)
        assert settings.whiten is trial.params["whiten"]
        assert settings.recipe.learning_rate == pytest.approx(
            trial.params["learning_rate"], rel=0.01
        )
        assert len(f"{settings.recipe.learning_rate:g}") <= 9  # three digits
        assert settings.recipe.dropout == pytest.approx(trial.params["dropout"])
    assert len({settings.components for _, settings in trials}) == 5
    assert len({settings.model for _, settings in trials}) == 2


def test_attention_is_asked_for_where_it_can_be_had(drawn):
    """hybridsn-se has its own and takes no other."""
    trials = drawn({"model": ["hybridsn", "hybridsn-se"], "attention": ["se", "eca", "none"]})
    for trial, settings in trials:
        assert ("attention" in trial.params) == (settings.model == "hybridsn")
        if settings.model == "hybridsn-se":
            assert settings.attention == "none"
    assert {settings.attention for _, settings in trials} == {"se", "eca", "none"}


def fits(model, side):
    try:
        with shapes_alone():
            build_model(model, bands=13, classes=3, patch_size=side)
    except UsageError:
        return False
    return True


def test_patches_are_those_that_the_network_takes(drawn):
    models, sides = ("hybridsn", "lenet5"), (3, 9, 11, 13, 15)
    fitting = {model: {side for side in sides if fits(model, side)} for model in models}
    assert fitting["hybridsn"] == {9, 11, 13, 15} != fitting["lenet5"]
    trials = drawn({"model": list(models), "patch_size": list(sides)}, trials=60)
    for model in models:
        assert {each.patch_size for _, each in trials if each.model == model} == fitting[model]


def test_one_side_that_fits_is_no_question(drawn):
    for trial, settings in drawn({"model": ["hybridsn", "hybridsn-dw"], "patch_size": [3, 9]}):
        assert settings.patch_size == 9
        assert list(trial.params) == ["model"]


def test_no_components_are_asked_for_where_there_are_none(drawn, base):
    table = {"reduction": ["pca", "bands"], "components": [13, 15], "whiten": [True, False]}
    trials = drawn(table, base.changed(model="hybridsn"))
    for trial, settings in trials:
        asked = {"components", "whiten"} <= trial.params.keys()
        assert asked == (settings.reduction == "pca")
    assert len({settings.reduction for _, settings in trials}) == 2


def test_every_draw_from_the_usual_space_is_a_network(scene):
    space, single = default_space(scene)
    chooser = Chooser(space=space, base=hsi.Settings().changed(**single), scene=scene)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(40):
        settings = chooser.for_trial(study.ask()).resolved(scene)
        with shapes_alone():
            build_model(
                settings.model, bands=settings.components, classes=3,
                patch_size=settings.patch_size, attention=None if settings.attention == "none"
                else settings.attention,
            )  # fmt: skip
    assert chooser.largest_side == 25


def test_the_usual_settings_or_what_is_nearest_to_them(scene, base):
    table = {
        "model": ["hybridsn", "hybridsn-dw"], "attention": ["se", "none"], "components": [14, 19],
        "learning_rate": {"low": 3e-3, "high": 1e-2, "log": True}, "augmentation": ["none"],
        "dropout": {"low": 0.0, "high": 0.6, "step": 0.2}, "steps": [100, 200],
        "patch_size": [9, 11],
    }  # fmt: skip
    space, fixed = space_from_table(table)
    chooser = Chooser(space=space, base=hsi.Settings().changed(**fixed), scene=scene)
    settings, chosen = chooser.usual()
    assert settings == hsi.Settings().changed(
        components=19, learning_rate=3e-3, augmentation="none", patch_size=11, dropout=0.4
    )
    # A trial that is told so has these settings.
    study = optuna.create_study()
    study.enqueue_trial(chosen)
    assert chooser.for_trial(study.ask()) == settings


def test_a_network_that_is_not_in_the_space_is_not_the_usual_one(scene, base):
    space, _ = space_from_table({"model": ["lenet5", "hybridsn"]})
    settings, chosen = Chooser(space=space, base=base, scene=scene).usual()
    assert chosen == {"model": "lenet5"}
    assert settings.model == "lenet5"
