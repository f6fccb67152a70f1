"""Whether workers are like this process and like each other, and what they may take."""

import dataclasses
import sys

import pytest

import hsi
from hsi.errors import ClusterError, UsageError
from hsi.workflows.cluster import open_cluster
from hsi.workflows.cluster.paths import absolute_source, without_labels
from hsi.workflows.cluster.workers import PACKAGES, WorkerFacts, agree, versions_here

GIGA = 2**30
ONE = WorkerFacts(
    host="node1", versions=versions_here(PACKAGES), device="cpu", free=16 * GIGA, limit=0, slots=1
)


def agreed(*workers):
    return agree({f"tcp://{n}": each for n, each in enumerate(workers)}, PACKAGES)


def test_workers_that_are_alike():
    found = agreed(ONE, ONE)
    assert found.device == "cpu"
    assert found.versions["hsi"] == hsi.__version__


@pytest.mark.parametrize(
    ("workers", "giga"),
    [
        ([{}], 4),  # a quarter of what is free, as for one process
        ([{}, {}], 4),  # together half
        ([{}] * 4, 2),
        ([{"host": "node1"}, {"host": "node2"}, {"host": "node3"}], 4),
        ([{}, {"host": "node2", "free": 4 * GIGA}], 1),  # the least decides for all
        ([{"limit": 2 * GIGA}], 0.5),
    ],
)
def test_what_each_may_take_leaves_room_for_those_beside_it(workers, giga):
    found = agreed(*(dataclasses.replace(ONE, **each) for each in workers))
    assert found.memory == giga * GIGA


def test_other_versions_are_named():
    other = dataclasses.replace(ONE, host="node2", versions=ONE.versions | {"torch": "1.0"})
    with pytest.raises(ClusterError, match=r"tcp://1 on node2 has torch 1\.0; here it is 2"):
        agreed(ONE, other)
    without = dataclasses.replace(ONE, versions=ONE.versions | {"torch": None})
    with pytest.raises(ClusterError, match="has no torch"):
        agreed(without)


def test_other_devices_and_failures_are_named():
    with pytest.raises(ClusterError, match="cpu on tcp://0, cuda on tcp://1"):
        agreed(ONE, dataclasses.replace(ONE, device="cuda"))
    with pytest.raises(ClusterError, match="tcp://0 cannot work for hsi: No module named 'hsi'"):
        agreed(ModuleNotFoundError("No module named 'hsi'"))


def test_paths_mean_the_same_in_every_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = {"dataset": "cube.npy", "labels": "truth.npy", "labels_key": "gt", "nodata": 0.0}
    assert absolute_source(source) == source | {
        "dataset": f"{tmp_path}/cube.npy", "labels": f"{tmp_path}/truth.npy",
    }  # fmt: skip
    assert without_labels(source) == {"dataset": "cube.npy", "nodata": 0.0}
    assert absolute_source({"dataset": "salinas_a"}) == {"dataset": "salinas_a"}
    mosaic = {"gap": 8, "parts": [source, {"dataset": "salinas_a"}]}
    there = without_labels(absolute_source(mosaic))
    assert there == {
        "gap": 8,
        "parts": [{"dataset": f"{tmp_path}/cube.npy", "nodata": 0.0}, {"dataset": "salinas_a"}],
    }


@pytest.mark.parametrize("missing", ["dask", "distributed"])
def test_without_the_extra(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UsageError, match=r'not installed\n.*\[dask\]"'), open_cluster(workers=1):
        pass


@pytest.mark.parametrize("given", [{}, {"address": "tcp://127.0.0.1:9", "workers": 1}])
def test_one_of_both_is_named(given):
    with pytest.raises(UsageError, match="not both"), open_cluster(**given):
        pass


@pytest.mark.parametrize("address", ["node1", "node1:8786", "http://node1:8786", "tcp://node1"])
def test_what_is_no_address(address):
    with pytest.raises(UsageError, match="no address of a Dask scheduler"), open_cluster(address):
        pass
