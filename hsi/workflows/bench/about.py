"""How a benchmark came about: what one needs to have it again."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from hsi.evaluation import Result
from hsi.report.result_tables import seeds_words
from hsi.workflows.bench.plan import Plan
from hsi.workflows.products import versions


def machine() -> dict[str, Any]:
    """Return what this machine is: processor, number of processors, operating system."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
    return {
        "processor": processor,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def about(plan: Plan, results: Sequence[Result]) -> dict[str, Any]:
    """Return commands, settings, versions and machine, for JSON."""
    return {
        "commands": list(plan.commands),
        "settings": plan.settings,
        "guard": plan.guard,
        "scenes": plan.sources,
        "seeds": sorted({result.cell.seed for result in results}),
        "versions": versions("scipy", "scikit-learn"),
        "machine": machine(),
        "devices": sorted({result.device for result in results}),
        "threads": sorted({result.threads for result in results}),
    }


def about_lines(facts: dict[str, Any]) -> list[str]:
    """Return these facts as lines of text."""
    computer = facts["machine"]
    settings = ", ".join(f"{name} {value}" for name, value in facts["settings"].items())
    lines = [f"Command: {command}" for command in facts["commands"]]
    lines.append(f"Settings: {settings or 'usual for each model'}")
    if facts["guard"] is not None:
        lines.append(
            f"Blocks and folds keep {facts['guard']} pixels between training and test, for all "
            "models alike"
        )
    if facts["seeds"]:
        lines.append(
            f"Splits: those that are drawn, with {seeds_words(facts['seeds'])}, one for all "
            "models; masks are in split.npz of each run"
        )
    lines.append(
        "Versions: " + ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    )
    devices = ", ".join(facts["devices"]) or "none yet"
    threads = " or ".join(map(str, facts["threads"]))
    lines.append(
        f"Machine: {computer['processor']} ({computer['instructions']}), {computer['processors']} "
        f"processors, {computer['system']}; trained on {devices}"
        + (f", {threads} {'thread' if threads == '1' else 'threads'}" if threads else "")
    )
    return lines
