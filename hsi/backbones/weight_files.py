"""The tensors in files of weights, read without running anything that a file may hold."""

from __future__ import annotations

import io
import lzma
import pickle
import pickletools
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from hsi.errors import WeightsError

# What training programs call the weights among the other things in a checkpoint.
NESTS = ("state_dict", "model_state_dict", "model")
# Published weights of DenseNet have names such as ``denselayer1.norm.1.weight``, from a time when
# PyTorch allowed the second dot; the layer is ``norm1`` now.
OLD_NAME = re.compile(r"(\.denselayer\d+\.(?:norm|conv))\.(?=[12]\.)")
# What PyTorch's reader and zipfile raise on files that are damaged, or something else altogether.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    RuntimeError,
    EOFError,
    struct.error,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ImportError,
    OverflowError,
    MemoryError,
)
# Where the classes and functions lie that tensors alone are pickled with.
OF_TENSORS = ("torch", "torch._utils", "torch._tensor", "torch.nn.parameter", "torch.serialization")
OF_PLAIN_VALUES = ("collections", "_codecs", "__builtin__", "builtins")
# A file in PyTorch's old format begins with three small pickles.
PICKLES = 4


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a file by name; nothing in it is executed.

    Raises
    ------
    WeightsError
        If it is damaged, or holds anything but tensors and plain values.
    """
    content: Any
    try:
        if path.suffix == ".safetensors":
            content = load_file(path)
        else:
            _check_packing(path)
            with warnings.catch_warnings():
                # Of protocols that its reader of tensors may not know, on which it then fails.
                warnings.simplefilter("ignore", UserWarning)
                content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
    except (pickle.UnpicklingError, SafetensorError, *UNREADABLE) as error:
        raise _unreadable(path) from error
    return tensors_of(content)


def _check_packing(path: Path) -> None:
    """Refuse an archive whose members are packed, as `torch.save` never does: it may be a bomb."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        claimed = sum(member.file_size for member in archive.infolist())
    if claimed > path.stat().st_size:
        raise ValueError(f"its members claim {claimed:,} bytes")


def tensors_of(content: Any) -> dict[str, Tensor]:
    """Return the tensors of a state dict or checkpoint by the names that they have today."""
    while isinstance(content, Mapping):
        nest = next((key for key in NESTS if isinstance(content.get(key), Mapping)), None)
        if nest is None:
            break
        content = content[nest]
    tensors = content.items() if isinstance(content, Mapping) else ()
    return {
        OLD_NAME.sub(r"\1", key): value
        for key, value in tensors
        if isinstance(key, str) and isinstance(value, Tensor)
    }


def _unreadable(path: Path) -> WeightsError:
    """Return the error for a file that was not read: what it holds, or that it is damaged."""
    classes = _classes(path)
    if not classes:
        return WeightsError(
            f"{path} is damaged, or no file of weights (expected .safetensors, or .pth from "
            "torch.save)"
        )
    module = any(each.startswith(("torch.nn.modules.", "__torch__.")) for each in classes)
    more = f" and {len(classes) - 3} more" if len(classes) > 3 else ""
    return WeightsError(
        f"{path} holds {'a pickled module' if module else 'pickled objects besides tensors'} "
        f"({', '.join(classes[:3])}{more}), which is not opened: unpickling it would run code\n"
        "Where it was made, save the weights alone: torch.save(network.state_dict(), PATH)"
    )


def _classes(path: Path) -> list[str]:
    """Return the names of classes and functions in a file, but for those of tensors.

    Instructions of a pickle are looked at, not followed. What breaks off is taken as far as it
    goes.
    """
    found: list[str] = []
    try:
        for file in _pickles(path):
            for name in _globals(file):
                if name not in found:
                    found.append(name)
    except (OSError, *UNREADABLE):
        return found
    return found


def _pickles(path: Path) -> Iterator[IO[bytes]]:
    """Yield the pickles in a file, one after the other."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith("/data.pkl"):
                    yield io.BytesIO(archive.read(name))  # which checks that it is whole
    else:
        with path.open("rb") as file:
            for _ in range(PICKLES):
                yield file


def _globals(file: IO[bytes]) -> Iterator[str]:
    """Yield the dotted names that the next pickle in a file asks for."""
    texts = ["", ""]
    for instruction, argument, _ in pickletools.genops(file):
        name = None
        if instruction.name == "GLOBAL":
            name = str(argument).split(" ", 1)
        elif instruction.name == "STACK_GLOBAL":
            name = texts[-2:]
        elif isinstance(argument, str):
            texts.append(argument)
        if name and not _harmless(name[0]):
            yield ".".join(name)


def _harmless(module: str) -> bool:
    return module in OF_TENSORS or module in OF_PLAIN_VALUES
