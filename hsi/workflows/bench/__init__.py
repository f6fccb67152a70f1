"""Benchmarks: every model on every scene, split, amount and seed, and tables of what came out."""

from hsi.workflows.bench.asked import Asked
from hsi.workflows.bench.folder import Bench
from hsi.workflows.bench.running import check_choices, train_cells

__all__ = ["Asked", "Bench", "check_choices", "train_cells"]
