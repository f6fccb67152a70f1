"""Answers that follow from the package alone, kept for the next time that they are asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import hsi
from hsi.downloads import cache_folder
from hsi.files import write_text


def remembered(
    name: str, *, asked: Mapping[str, Any], sources: Iterable[str], answer: Callable[[], Any]
) -> Any:
    """Return what `answer` returns, from the cache if it was asked for before.

    Parameters
    ----------
    name : str
        Of the file in the cache.
    asked : mapping
        What the answer depends on besides the code.
    sources : iterable of str
        Folders of the package that hold the code. Where that or PyTorch is another than before,
        all answers are forgotten.
    answer : callable
        Returns what JSON can hold.
    """
    path = cache_folder() / f"{name}.json"
    made_by, question = _fingerprint(sources), json.dumps(asked)
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        if known["made_by"] != made_by:
            known = {}
    except (OSError, ValueError, KeyError, TypeError):
        known = {}  # not there yet, or not from here
    answers = dict(known.get("answers", {}))
    if question not in answers:
        answers[question] = answer()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, json.dumps({"made_by": made_by, "answers": answers}))
        except OSError:
            return answers[question]  # a cache that cannot be written makes it slower, no more
    return answers[question]


def _fingerprint(sources: Iterable[str]) -> str:
    root = Path(hsi.__file__).parent
    digest = hashlib.sha256(version("torch").encode())
    for folder in sources:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()
