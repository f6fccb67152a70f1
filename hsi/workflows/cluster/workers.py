"""What workers say of themselves, and whether they are like this process and like each other."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from hsi.errors import ClusterError
from hsi.inference import resolve_device
from hsi.inference.memory import free_memory

# What decides about numbers and about what is sent.
PACKAGES = ("hsi", "torch", "numpy")
# With as much as this share of a machine's free memory, each process of it has its part; and one
# takes no more of it than it would alone.
SHARED, ALONE = 1 / 2, 1 / 4


@dataclass(frozen=True, kw_only=True)
class WorkerFacts:
    """What a worker says of itself.

    Attributes
    ----------
    host : str
        The machine.
    versions : dict
        Of the packages that were asked for; None where one is missing.
    device : str
        The kind of device that it would compute on.
    free : int
        Bytes that can still be had there.
    limit : int
        Bytes that Dask lets it have; 0 for no limit.
    slots : int
        Tasks that Dask gives it at a time.
    """

    host: str
    versions: dict[str, str | None]
    device: str
    free: int
    limit: int
    slots: int


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """What all workers have in common.

    Attributes
    ----------
    device : str
        The kind of device.
    memory : int
        Bytes that the computation of each may take where nothing else is said.
    versions : dict
        Of packages; those of this process, too.
    """

    device: str
    memory: int
    versions: dict[str, str | None]


def facts_here(
    device: str | torch.device, packages: tuple[str, ...], dask_worker: Any = None
) -> WorkerFacts:
    """Return the facts of the worker that calls it; Dask hands it over as `dask_worker`."""
    where = resolve_device(device)
    return WorkerFacts(
        host=platform.node(),
        versions=versions_here(packages),
        device=where.type,
        free=free_memory(where),
        limit=dask_worker.memory_manager.memory_limit or 0,
        slots=dask_worker.state.nthreads,
    )


def versions_here(packages: tuple[str, ...]) -> dict[str, str | None]:
    """Return the versions of packages in this process."""
    return {name: _version(name) for name in packages}


def agree(found: Mapping[str, Any], packages: tuple[str, ...]) -> Agreed:
    """Return what workers have in common.

    Parameters
    ----------
    found : mapping
        `WorkerFacts` by address, or what a worker failed with.
    packages : tuple of str
        Whose versions have to be those of this process.

    Raises
    ------
    ClusterError
        If a worker cannot say anything, or differs.
    """
    here = versions_here(packages)
    for address, facts in found.items():
        if not isinstance(facts, WorkerFacts):
            said = str(facts).splitlines() or [type(facts).__name__]
            raise ClusterError(
                f"the worker {address} cannot work for hsi: {said[0]}\n"
                "Start workers in an environment with the same hsi, torch and numpy as here."
            )
        check_versions(facts.versions, here, f"the worker {address} on {facts.host}")
    kinds = {facts.device: address for address, facts in found.items()}
    if len(kinds) > 1:
        listed = ", ".join(f"{kind} on {address}" for kind, address in kinds.items())
        raise ClusterError(
            f"workers would compute on different devices: {listed}\n"
            "Their numbers differ in the last digits; name one that all have (--device cpu)."
        )
    beside = Counter(facts.host for facts in found.values())
    memory = min(
        min(
            int(ALONE * facts.free),
            int(SHARED * facts.free / beside[facts.host]),
            int(ALONE * facts.limit) or facts.free,
        )
        for facts in found.values()
    )
    return Agreed(device=next(iter(kinds)), memory=memory, versions=here)


def check_versions(
    there: Mapping[str, str | None], here: Mapping[str, str | None], whose: str
) -> None:
    """Refuse a process that has other versions than the one which asks it.

    Raises
    ------
    ClusterError
        With the first difference.
    """
    for name, expected in here.items():
        if there.get(name) != expected:
            has = "no " + name if there.get(name) is None else f"{name} {there[name]}"
            raise ClusterError(
                f"{whose} has {has}; here it is {expected}\n"
                "Start workers in an environment with the same versions."
            )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
