"""An ONNX file of `hsi export`: its sum is written into it, and checked before anything is run.

The description in the metadata begins with the sha256 of the whole file, computed with zeros in
its place, as that of a run's `model.safetensors` does. It tells of damage, not of who wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hsi.deployed.description import CUBE, FORMAT, KEY, OUTPUTS, Description
from hsi.deployed.optional import check_onnx
from hsi.errors import RunError
from hsi.sums import NO_SUM, check_sum, own_sum, seal

# As the sum stands in the file: JSON in a field of text.
SUM_AFTER = b'{"sha256": "'
# Types of ONNX by their numbers there, and those that outputs have: networks compute in their own.
FLOAT, INT32, DOUBLE = 1, 6, 11
TYPES = {
    "class": (INT32,), "confidence": (FLOAT,), "scores": (FLOAT, DOUBLE),
    "components": (FLOAT, DOUBLE),
}  # fmt: skip
# Operators that give another result each time.
DRAWING = (
    "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial",
    "Bernoulli",
)  # fmt: skip


def as_metadata(description: Description) -> str:
    """Return the text for the metadata of a file that is yet to be sealed."""
    return json.dumps({"sha256": NO_SUM, **description.model_dump()})


def seal_onnx(path: Path) -> None:
    """Write the sum of a complete file into it."""
    place = _place_of_sum(path.read_bytes())
    assert place is not None
    seal(path, place)


def read_onnx(path: Path) -> tuple[Description, bytes, str]:
    """Read an ONNX file that `hsi export` wrote: its description, its bytes and its sha256.

    Raises
    ------
    RunError
        If it is missing, damaged, was not written by `hsi export`, refers to other files, or holds
        what no such file holds.
    UsageError
        If onnx is not installed.
    """
    check_onnx("onnx")
    check_sum(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from error
    model = _parsed(path, content)
    text = next((each.value for each in model.metadata_props if each.key == KEY), None)
    if text is None:
        raise _foreign(path, "its metadata lack the description of the classifier")
    try:
        about = json.loads(text)
        found, written = about["format"], about.pop("sha256")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _foreign(path, "the description in its metadata is none") from error
    place = _place_of_sum(content)
    if place is None or own_sum(BytesIO(content), place) != written:
        raise RunError(
            f"{path} is damaged: its sha256 is not the one that it was written with\n"
            "Restore it from a copy, or export the run again: hsi export."
        )
    if found != FORMAT:
        raise RunError(f"{path} has format {found}; this version of hsi reads format {FORMAT}")
    try:
        description = Description.model_validate(about)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "as a whole"
        raise _foreign(path, f"its description is wrong ({where}: {first['msg']})") from error
    _check_graph(path, model, description)
    return description, content, written


def _parsed(path: Path, content: bytes) -> Any:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        # From bytes: what it may refer to is not looked for.
        model = onnx.ModelProto.FromString(content)
    except DecodeError as error:
        raise RunError(f"{path} is damaged or no ONNX file: {error}") from error
    if not model.HasField("graph"):
        raise RunError(f"{path} is damaged or no ONNX file: it holds no graph")
    return model


def _check_graph(path: Path, model: Any, description: Description) -> None:
    """Refuse what no graph of `hsi export` has, since onnxruntime might act on it."""
    import onnx

    strange = sorted({each.domain for each in model.opset_import} - {"", "ai.onnx"})
    strange += [node.op_type for node in _nodes(model.graph) if node.domain not in ("", "ai.onnx")]
    if strange or model.functions or model.training_info:
        what = strange[0] if strange else "functions"
        raise _foreign(path, f"it holds more than plain operators of ONNX ({what})")
    drawing = [node.op_type for node in _nodes(model.graph) if node.op_type in DRAWING]
    if drawing:
        raise _foreign(path, f"it draws at random ({drawing[0]})")
    for tensor in _tensors(model.graph):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise _foreign(path, f"its weights '{tensor.name}' are to be read from another file")
    inputs = {each.name: each.type.tensor_type for each in model.graph.input}
    outputs = {each.name: each.type.tensor_type for each in model.graph.output}
    sizes = [each.dim_value for each in inputs[CUBE].shape.dim] if CUBE in inputs else []
    if (
        set(inputs) != {CUBE}
        or set(outputs) != set(OUTPUTS)
        or sizes != [0, 0, description.bands.count]
        or inputs[CUBE].elem_type != FLOAT
        or any(each.elem_type not in TYPES[name] for name, each in outputs.items())
    ):
        raise _foreign(path, "its inputs and outputs are not those of `hsi export`")


def _nodes(graph: Any) -> Iterator[Any]:
    """Yield all nodes, those of graphs within them, too."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _nodes(inner)


def _tensors(graph: Any) -> Iterator[Any]:
    """Yield all tensors that are stored, wherever in the graph."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)


def _place_of_sum(content: bytes) -> int | None:
    """Return where in the file the digits of its sum begin; the metadata come last in it."""
    found = content.rfind(SUM_AFTER)
    return None if found < 0 else found + len(SUM_AFTER)


def _foreign(path: Path, reason: str) -> RunError:
    return RunError(
        f"{path} is damaged, or was not written by `hsi export`: {reason}\n"
        "`hsi export RUN` writes a file that can be mapped with."
    )
