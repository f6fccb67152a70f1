"""From a module to a graph: PyTorch's export, and from that ONNX."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.export import Dim, ExportedProgram

from hsi.deployed.description import CUBE, KEY, OUTPUTS, Description
from hsi.deployed.onnx_file import as_metadata, seal_onnx
from hsi.errors import RunError
from hsi.workflows.export.graph import MapGraph

# Of a program in PyTorch; what is captured for one pixel might hold for one alone.
FEWEST = 2
# What fits into one file of ONNX.
LARGEST = 2**31 - 1


def capture(graph: MapGraph, *, bands: int) -> ExportedProgram:
    """Return the graph of a module, for tiles of any number of rows and columns from 2 on.

    Raises
    ------
    RunError
        If PyTorch cannot capture the network.
    """
    least = graph.patch_size - 1 + FEWEST
    sizes = {0: Dim("rows", min=least), 1: Dim("cols", min=least)}
    cube = torch.zeros(least + 3, least + 5, bands)
    with _quiet(), torch.no_grad():
        try:
            return torch.export.export(graph, (cube,), dynamic_shapes=(sizes,))
        except (RuntimeError, ValueError, TypeError) as error:
            raise not_possible(error) from error


def write_program(path: Path, program: ExportedProgram, description: Description) -> None:
    """Write a program with its description as ``hsi.json`` within the archive."""
    with _quiet():
        torch.export.save(
            program, path, extra_files={f"{KEY}.json": description.model_dump_json(indent=1)}
        )


def write_onnx(path: Path, program: ExportedProgram, description: Description) -> None:
    """Translate a program to ONNX, describe it, and write it in one file.

    Raises
    ------
    RunError
        If an operator of the network cannot be translated, or the file would be too large.
    """
    with _quiet():
        try:
            translated = torch.onnx.export(
                program, dynamo=True, input_names=[CUBE], output_names=list(OUTPUTS), verbose=False
            )
        except (torch.onnx.OnnxExporterError, RuntimeError, ValueError) as error:
            raise not_possible(error) from error
    assert translated is not None
    model: Any = translated.model_proto
    model.producer_name, model.producer_version = "hsi", description.hsi
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = KEY, as_metadata(description)
    _name_sizes(model.graph, margin=description.patch_size - 1)
    if model.ByteSize() > LARGEST:
        raise RunError(
            f"the network has {model.ByteSize():,} bytes, and a file of ONNX holds {LARGEST:,}\n"
            "A smaller patch_size makes a smaller network; --format torch has no such limit."
        )
    path.write_bytes(model.SerializeToString())
    seal_onnx(path)


def not_possible(error: BaseException) -> RunError:
    """Return the error for a network that PyTorch or its translation cannot take."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
    return RunError(
        f"this network cannot be exported: {reason}\n"
        "Layers must not depend on how many pixels they are given at once."
    )


def _name_sizes(graph: Any, *, margin: int) -> None:
    """Give the axes of inputs and outputs names that say what they are."""
    around = ("rows + patch_size - 1", "cols + patch_size - 1") if margin else ("rows", "cols")
    names = {
        CUBE: around, "components": around, "class": ("rows", "cols"),
        "confidence": ("rows", "cols"), "scores": (None, "rows", "cols"),
    }  # fmt: skip
    for value in (*graph.input, *graph.output):
        for axis, name in zip(value.type.tensor_type.shape.dim, names[value.name], strict=False):
            if name is not None:
                axis.dim_param = name


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep libraries from telling of what is deprecated, or tried in vain, among themselves."""
    loggers = [logging.getLogger(name) for name in ("onnx_ir", "onnxscript", "torch.onnx")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        for each, level in zip(loggers, levels, strict=True):
            stack.callback(each.setLevel, level)
        for kind in (DeprecationWarning, FutureWarning):
            warnings.filterwarnings("ignore", category=kind, module=r"(torch|onnx|copyreg)")
            warnings.filterwarnings("ignore", "`isinstance.treespec, LeafSpec.`", category=kind)
        yield
