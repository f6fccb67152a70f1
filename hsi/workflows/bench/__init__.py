"""Benchmarks: every model on every scene, split, amount and seed, and tables of what came out."""

from hsi.workflows.bench.asked import Asked
from hsi.workflows.bench.folder import Bench
from hsi.workflows.bench.running import check_choices, train_cells
from hsi.workflows.bench.side_by_side import SideBySide, compare_benches

__all__ = ["Asked", "Bench", "SideBySide", "check_choices", "compare_benches", "train_cells"]
