"""Scenes: an image, its labels and all that is known of both. The one door to scene files.

A reader for each format turns a file into `Contents`; a card says what a well-known scene is and
where its files are; `load_scene` puts both together into a `Scene`.
"""

from hsi.scenes.catalogue import list_cards, load_card
from hsi.scenes.load import load_scene
from hsi.scenes.scene import Scene

__all__ = ["Scene", "list_cards", "load_card", "load_scene"]
