"""The packages for ONNX files, which an extra installs: whether they are there."""

from __future__ import annotations

from importlib.util import find_spec

from hsi.errors import UsageError

INSTALL = 'python -m pip install -c constraints.txt -e ".[onnx]"'


def check_onnx(*packages: str) -> None:
    """Raise UsageError unless the packages are installed.

    Parameters
    ----------
    *packages : str
        Of ``onnx``, ``onnxruntime`` and ``onnxscript``.
    """
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"ONNX files need {' and '.join(missing)}, which {'are' if missing[1:] else 'is'} not "
            f"installed\nIn the clone of the repository: {INSTALL}"
        )
