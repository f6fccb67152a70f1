"""Scenes: an image, its labels and all that is known of both. The one door to scene files.

A reader for each format turns a file into `Contents`; a card says what a well-known scene is and
where its files are; `load_scene` puts both together into a `Scene`.
"""

from hsi.scenes.catalogue import list_cards, load_card
from hsi.scenes.contents import Contents
from hsi.scenes.lazy import LazyCube
from hsi.scenes.load import load_scene
from hsi.scenes.mosaic import join_scenes
from hsi.scenes.part import Part
from hsi.scenes.readers import register_reader
from hsi.scenes.scene import Scene
from hsi.scenes.scene_list import load_scenes, open_scene

__all__ = [
    "Contents",
    "LazyCube",
    "Part",
    "Scene",
    "join_scenes",
    "list_cards",
    "load_card",
    "load_scene",
    "load_scenes",
    "open_scene",
    "register_reader",
]
