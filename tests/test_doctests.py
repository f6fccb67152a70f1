"""Every example in a docstring does what it says."""

import doctest
import pkgutil
from importlib import import_module

import pytest

import hsi

MODULES = sorted(
    each.name for each in pkgutil.walk_packages(hsi.__path__, "hsi.") if "__main__" not in each.name
)
EXAMPLES = [
    pytest.param(test, id=test.name)
    for name in ["hsi", *MODULES]
    for test in doctest.DocTestFinder(exclude_empty=True).find(import_module(name))
    if test.examples
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_example(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert failed == 0, f"{failed} of {tried} examples (see the output above)"


def test_there_are_examples_and_none_is_overlooked():
    names = {parameter.id for parameter in EXAMPLES}
    assert {"hsi.sampling.pixels.split_pixels", "hsi.models.registry.build_model"} <= names
    assert len(names) > 8
