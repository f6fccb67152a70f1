"""The classifier on a worker: its file comes with the worker's plugin, once, and is read once.

The scheduler keeps the plugin, and gives it to workers that join later or are started again.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed.diagnostics.plugin import WorkerPlugin

from hsi.training import Classifier

if TYPE_CHECKING:
    from hsi.workflows.cluster.strip import SceneOfStrips


class ModelPlugin(WorkerPlugin):
    """A model file that all workers of a cluster have.

    Parameters
    ----------
    content : bytes
        Of the file, safetensors.
    name : str
        By which a task finds it.
    """

    def __init__(self, content: bytes, *, name: str) -> None:
        self.name, self.content = name, content

    def setup(self, worker: Any) -> None:
        """Take note that a worker has it; called there."""
        self.lock = threading.Lock()
        # The scene of the last strip: the next one is mostly of the same.
        self.last: SceneOfStrips | None = None

    def teardown(self, worker: Any) -> None:
        """Forget the scene, and with it the process that has its file open."""
        self.last = None

    @cached_property
    def classifier(self) -> Classifier:
        """The classifier, read when the first task asks for it."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            path.write_bytes(self.content)
            return Classifier.load(path)


def name_of_model(content: bytes, *, client: str) -> str:
    """Return a name for a model that no other client of the same workers uses."""
    return f"hsi-model-{hashlib.sha256(content).hexdigest()[:16]}-{client}"
