"""Two benchmarks of the same models with other settings."""

import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
from scipy import stats

from hsi.errors import UsageError
from hsi.evaluation import Cell
from hsi.evaluation.paired import holm
from hsi.workflows.bench import Bench, compare_benches, train_cells


@pytest.fixture(scope="module")
def changed(trained, bench_of, scene, brief, tmp_path_factory):
    """A benchmark like `trained`, with another learning rate."""
    out = tmp_path_factory.mktemp("benchmarks") / "changed"
    settings = brief | {"learning_rate": 0.01}
    bench, cells, scenes = bench_of(out, scene, settings=settings)
    train_cells(bench, cells, scenes, device="cpu")
    return bench


def test_it_is_the_difference_seed_by_seed(trained, changed):
    found = compare_benches(changed, trained)
    assert found.names == ("changed", "bench")
    assert found.same == ("svm",)  # which has no such rate
    assert found.settings == ({"learning_rate": 0.01}, {})
    assert [(model, each.group.split) for model, each in found.compared] == [
        ("hybridsn-dw", "random"), ("hybridsn-dw", "blocks"),
    ]  # fmt: skip
    ps = []
    for model, standing in found.compared:
        one, two = (
            np.array(
                [bench.results[Cell(*standing.group, seed, model)].figures["oa"] for seed in (0, 1)]
            )
            for bench in (changed, trained)
        )
        assert standing.seeds == (0, 1)
        assert standing.difference.mean == pytest.approx((one - two).mean())
        interval = stats.ttest_rel(one, two).confidence_interval(0.95)
        assert (standing.difference.low, standing.difference.high) == pytest.approx(interval)
        ps.append(standing.difference.p)
    assert [standing.p_holm for _, standing in found.compared] == holm(ps)
    assert {standing.comparisons for _, standing in found.compared} == {2}


def test_turned_round_it_is_the_negative(trained, changed):
    one, two = (
        compare_benches(*pair, measure="aa") for pair in ((changed, trained), (trained, changed))
    )
    for (_, there), (_, back) in zip(one.compared, two.compared, strict=True):
        assert there.difference.mean == -back.difference.mean != 0


def test_what_cannot_be_compared(trained, changed, bench_of, scene, brief, tmp_path):
    with pytest.raises(UsageError, match="compared with itself"):
        compare_benches(trained, Bench(trained.out))
    with pytest.raises(UsageError, match="unknown measure"):
        compare_benches(trained, changed, measure="f1")
    # The same seeds of other splits are no pairs.
    asked = {"splits": ("blocks",), "models": ("svm",), "seeds": (0,)}
    far, cells, scenes = bench_of(tmp_path / "far", scene, guard=9, **asked)
    train_cells(far, cells, scenes, device="cpu")
    with pytest.raises(UsageError, match=r"on one and the same split(.|\n)*--guard"):
        compare_benches(trained, far)
    # Nor is a scene with other labels the same, though its masks are.
    out = shutil.copytree(changed.out, tmp_path / "other")
    labels = np.load(out / "truth" / "fields.npy")
    np.save(out / "truth" / "fields.npy", labels + (labels > 0))
    (out / "truth" / "SHA256SUMS").unlink()
    with pytest.raises(UsageError, match="fields has other labels"):
        compare_benches(trained, Bench(out))


def test_a_scene_with_other_values_is_told(trained, changed, bench_of, scene, tmp_path):
    assert compare_benches(changed, trained).scenes == ()
    cube = np.asarray(scene.cube).copy()
    cube[..., 3] = 0
    other = dataclasses.replace(scene, cube=cube, source=scene.source | {"drop_bands": "4"})
    bench, cells, scenes = bench_of(tmp_path / "other", other, models=("svm",))
    train_cells(bench, cells, scenes, device="cpu")
    found = compare_benches(bench, trained)
    assert found.scenes == (
        "fields has other values in other than in bench (drop_bands is 4 and not set): that is "
        "part of the difference.",
    )
    assert {model for model, _ in found.compared} == {"svm"}


def test_the_command(hsi_command, trained, changed, run):
    done = hsi_command("compare", changed.out, trained.out, "--by", "kappa")
    assert done.code == 0, done.err
    assert "Differences of kappa" in done.out
    assert "blocks split, training on 15 % of each class, hybridsn-dw: " in done.out
    assert "svm came to the same in both" in done.out
    assert "Only in changed: learning_rate 0.01." in done.out
    printed = json.loads(hsi_command("compare", changed.out, trained.out, "--json").out)
    found = compare_benches(changed, trained)
    assert [each["difference"]["mean"] for each in printed["comparisons"]] == [
        standing.difference.mean for _, standing in found.compared
    ]
    for words, said in (
        ((changed.out, run.path), "is a benchmark, .* is not"),
        ((changed.out, "nowhere"), "there is no folder nowhere"),
        ((run.path, run.path, "--by", "oa"), "--by is for two benchmarks"),
        ((changed.out, trained.out, "--out", "a.png"), "--out is for the picture"),
    ):
        failed = hsi_command("compare", *words)
        assert failed.code == 2
        assert re.search(said, failed.err.replace("\n", " "))
