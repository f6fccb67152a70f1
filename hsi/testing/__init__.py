"""Batteries of checks for networks, attention blocks and readers of one's own.

Each function raises an `AssertionError` that names the promise which was not kept, what came and
what was expected. The project's own networks, blocks and readers pass them.
"""

from hsi.testing.attentions import check_attention
from hsi.testing.battery import CheckFailedError
from hsi.testing.models import check_model
from hsi.testing.readers import check_reader

__all__ = ["CheckFailedError", "check_attention", "check_model", "check_reader"]
