"""The search for settings: which combination does best on validation pixels."""

from hsi.workflows.search.results import SearchResult
from hsi.workflows.search.running import search

__all__ = ["SearchResult", "search"]
