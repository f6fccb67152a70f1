"""Maps, benchmarks and searches on real workers, which are killed meanwhile."""

import dataclasses
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import hsi
from hsi.errors import ClusterError, SceneError, UsageError
from hsi.evaluation import Cell
from hsi.mapping.facts import scene_facts
from hsi.mapping.unfinished import UnfinishedMap
from hsi.scenes.synthetic import synthetic_scene
from hsi.training.run_place import LOCK
from hsi.workflows.bench import Asked, Bench, train_cells
from hsi.workflows.bench.cells import folder_of
from hsi.workflows.cluster import open_cluster
from hsi.workflows.cluster.map_strips import strips_of_scene
from hsi.workflows.cluster.strip import plan_of
from hsi.workflows.search import search

# Of so much memory, little is left for a tile: seven strips of 30 rows.
HOW = {"max_memory": "72M", "confidence": True, "scores": True, "device": "cpu"}
FILES = ("class_map.tif", "confidence.tif", "scores.tif", "class_map.png", "class_map.json")


def write(folder, *, rows=200, seed=1):
    folder.mkdir(parents=True, exist_ok=True)
    made = synthetic_scene(rows=rows, cols=60, bands=20, classes=3, seed=seed)
    np.save(folder / "long.npy", made.cube.astype(np.float32))
    return folder / "long.npy"


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """The file of a scene of several strips."""
    return write(tmp_path_factory.mktemp("long"))


@pytest.fixture(scope="module")
def alone(run, long, tmp_path_factory):
    """The bytes of its map as one process makes it, by the names of the files."""
    folder = tmp_path_factory.mktemp("alone") / "map"
    hsi.map_scene(run, hsi.load_scene(long), out=folder, **HOW)
    return {name: (folder / name).read_bytes() for name in FILES}


def same(folder, expected):
    return {name for name in FILES if (folder / name).read_bytes() == expected[name]} == set(FILES)


def processes(cluster):
    return {address: int(pid) for address, pid in cluster.on_each(os.getpid).items()}


def kill_at(row, pid):
    """Return a progress that kills a process once so many rows are done."""
    left = [pid]

    def progress(done, total):
        if done >= row and left:
            os.kill(left.pop(), signal.SIGKILL)

    return progress


def test_a_worker_that_is_killed_in_the_middle_changes_no_byte(cluster, run, long, alone, tmp_path):
    pid = next(iter(processes(cluster).values()))
    scene = hsi.load_scene(long)
    tiles = run.classifier.tiles(scene, max_memory=HOW["max_memory"], device="cpu")
    assert len({tile.row for tile in tiles.network.tiles()}) >= 5
    hsi.map_scene(
        run, scene, out=tmp_path / "map", cluster=cluster, progress=kill_at(1, pid), **HOW
    )
    assert same(tmp_path / "map", alone)
    cluster.client.wait_for_workers(2, timeout=120)
    assert pid not in processes(cluster).values()


def test_it_is_continued_here_or_there_to_the_same_bytes(cluster, run, long, alone, tmp_path):
    class Stop(KeyboardInterrupt):
        """Ctrl-C at a known place."""

    def stop(done, total):
        if done > total / 3:
            raise Stop

    first, then = {"cluster": cluster}, {}
    for number in range(2):
        folder = tmp_path / f"map{number}"
        with pytest.raises(Stop) as stopped:
            hsi.map_scene(run, hsi.load_scene(long), out=folder, progress=stop, **HOW, **first)
        assert "rows are kept" in stopped.value.__notes__[0]
        with UnfinishedMap(folder) as unfinished:
            assert 0 < unfinished.rows < 200
        assert not cluster.tasks.knows_any
        saved = hsi.map_scene(run, hsi.load_scene(long), out=folder, resume=True, **HOW, **then)
        assert "continued after" in saved.notes[0]
        assert same(folder, alone)
        first, then = then, first


def test_a_scheduler_that_dies_takes_nothing_with_it(mortal, run, long, alone, tmp_path):
    folder = tmp_path / "map"
    began = time.monotonic()
    with (
        pytest.raises(ClusterError, match="--resume goes on") as caught,
        open_cluster(mortal.address) as cluster,
    ):
        hsi.map_scene(
            run, hsi.load_scene(long), out=folder, cluster=cluster,
            progress=kill_at(1, mortal.scheduler.pid), **HOW,
        )  # fmt: skip
    assert time.monotonic() - began < 90
    said = "\n".join([str(caught.value), *caught.value.__notes__])
    assert said.count("\n") < 5
    with UnfinishedMap(folder) as unfinished:
        assert 0 < unfinished.rows < 200
    saved = hsi.map_scene(run, hsi.load_scene(long), out=folder, resume=True, **HOW)
    assert "continued after" in saved.notes[0]
    assert same(folder, alone)


def test_several_scenes_of_which_one_fails(hsi_command, address, run, long, alone, tmp_path):
    second = write(tmp_path / "second", rows=90, seed=2)
    broken = tmp_path / "broken.npy"
    broken.write_bytes(b"no array")
    arguments = ("--out", "maps", "--max-memory", "72M", "--confidence", "--scores")
    done = hsi_command("map", run.path, long, broken, second, *arguments, "--cluster", address)
    assert done.code == 1
    maps = tmp_path / "here" / "maps"
    assert same(maps / "long", alone)
    hsi.map_scene(run, hsi.load_scene(second), out=tmp_path / "alone", **HOW)
    assert same(maps / "long-2", {n: (tmp_path / "alone" / n).read_bytes() for n in FILES})
    assert done.err.startswith("2 workers; dashboard: http://127.0.0.1:")
    assert done.err.splitlines()[-2] == "1 of 3 scenes failed:"
    assert done.err.splitlines()[-1].startswith(f"  {broken}: ")


def test_a_worker_that_does_not_see_the_scene_is_named(cluster, run, long, tmp_path):
    scene = dataclasses.replace(hsi.load_scene(long), source={"dataset": "/nowhere/long.npy"})
    with pytest.raises(SceneError) as error:
        hsi.map_scene(run, scene, out=tmp_path / "map", cluster=cluster, **HOW)
    first, second = str(error.value).splitlines()
    assert first.startswith("the worker tcp://127.0.0.1:")
    assert "/nowhere/long.npy" in first
    assert "all workers see" in second
    assert not (tmp_path / "map").exists()


def test_a_scene_that_is_another_one_there_is_refused(cluster, run, long, tmp_path):
    other = write(tmp_path / "other", seed=5)
    scene = dataclasses.replace(hsi.load_scene(long), source={"dataset": str(other)})
    with pytest.raises(SceneError, match=r"another scene on the worker tcp://.*: pixels"):
        hsi.map_scene(run, scene, out=tmp_path / "map", cluster=cluster, **HOW)


def test_a_worker_plans_as_this_process_does(cluster, run, long):
    scene = hsi.load_scene(long)
    strips = strips_of_scene(
        cluster, run, scene, facts=scene_facts(scene), names=("class_map",), device="auto",
        method="auto", precision="full", max_memory="72M", resample_bands=False,
    )  # fmt: skip
    assert strips.job.device == "cpu"
    assert cluster.ask(plan_of, strips.job, what="a plan") == strips.plan


def test_what_was_made_in_memory_cannot_be_sent(cluster, run, tmp_path):
    made = synthetic_scene(rows=34, cols=40, bands=20, classes=3, seed=9)
    with pytest.raises(UsageError, match="made in memory"):
        hsi.map_scene(run, made, out=tmp_path / "map", cluster=cluster)


def test_a_cell_whose_worker_dies_is_trained_again_to_the_same_bytes(cluster, scene, tmp_path):
    asked = Asked(
        scenes=("fields",), splits=("random",), train=(0.15,), models=("hybridsn-dw", "svm"),
        seeds=(0,),
    )  # fmt: skip
    settings = {"patch_size": 9, "components": 13, "epochs": 12, "batch_size": 16}
    cell = Cell("fields", "random", 0.15, 0, "hybridsn-dw")

    lock = folder_of(tmp_path / "there", cell) / LOCK
    killed = []

    def kill():
        """Kill the worker that trains the network, as soon as one does."""
        while not killed:
            words = lock.read_text().split() if lock.is_file() else []
            if words[:1] == ["process"]:
                os.kill(int(words[1]), signal.SIGKILL)
                killed.append(int(words[1]))
            time.sleep(0.002)

    threading.Thread(target=kill, daemon=True).start()
    for name, options in (("here", {}), ("there", {"cluster": cluster})):
        bench = Bench(tmp_path / name)
        cells = bench.ask(asked, {"fields": scene}, settings=settings)
        train_cells(bench, cells, {"fields": scene}, device="cpu", **options)
        assert not bench.failures
    assert killed
    for each in cells:
        for file in ("model.safetensors", "class_map.tif"):
            one, two = (folder_of(tmp_path / name, each) / file for name in ("here", "there"))
            assert one.read_bytes() == two.read_bytes()


def test_trials_on_workers(address, scene, tmp_path):
    base = hsi.Settings().changed(
        train=0.15, validation=0.15, patch_size=9, components=13, batch_size=64
    )
    with open_cluster(address) as cluster:
        result = search(
            scene, base, out=tmp_path / "search", trials=3, device="cpu", cluster=cluster,
            space={"learning_rate": {"low": 1e-3, "high": 1e-2, "log": True}},
            model="hybridsn-dw", epochs=1,
        )  # fmt: skip
    assert result.tally.finished == 3
    assert result.best is not None


def test_a_folder_that_a_worker_does_not_see(cluster, scene, tmp_path, monkeypatch):
    cluster.agreed("cpu")  # workers are asked once; what they say of a file is made up
    monkeypatch.setattr(cluster, "on_each", lambda *arguments: {"tcp://10.0.0.1:1": False})
    bench = Bench(tmp_path / "bench")
    cells = bench.ask(
        Asked(scenes=("fields",), splits=("random",), train=(0.15,), models=("svm",), seeds=(0,)),
        {"fields": scene},
        settings={},
    )
    with pytest.raises(ClusterError, match=r"10\.0\.0\.1:1 does not see .*bench"):
        train_cells(bench, cells, {"fields": scene}, device="cpu", cluster=cluster)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals of this kind are POSIX's")
def test_workers_of_our_own_end_with_the_command(start_hsi, run, tmp_path):
    cube = np.random.default_rng(0).normal(1000, 300, (6000, 40, 20)).astype(np.float32)
    np.save(tmp_path / "long.npy", cube)
    process = start_hsi(
        "map", run.path, "long.npy", "--out", "map", "--workers", "1", "--max-memory", "72M",
        stdout=-1, stderr=-1, text=True,
    )  # fmt: skip
    rows = tmp_path / "map" / ".unfinished-map" / "rows"
    while process.poll() is None and not (rows.is_file() and rows.read_text().count("\n") > 1):
        time.sleep(0.05)
    children = [int(each) for each in _children(process.pid)]
    assert children
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert out == ""
    said = err.splitlines()
    assert said[0].startswith("1 worker; dashboard: http://127.0.0.1:")
    assert said[1] == ""
    assert said[2].startswith("Interrupted. ")
    assert len(said) == 3
    assert "the same command with --resume goes on" in err
    deadline = time.monotonic() + 20
    while any(_is_there(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_is_there(pid) for pid in children)


def _children(pid):
    """Return the processes that a process has started, and those that these have."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [child, *_children(child)]
    return found


def _is_there(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_nobody_listens():
    before = time.monotonic()
    with (
        pytest.raises(ClusterError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"),
        open_cluster("tcp://127.0.0.1:9"),
    ):
        pass
    assert time.monotonic() - before < 8
