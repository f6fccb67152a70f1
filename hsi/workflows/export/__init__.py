"""A run as one graph for other programs: band reduction and network, cube in, classes out."""

from hsi.workflows.export.exporting import Exported, export_run

__all__ = ["Exported", "export_run"]
