"""XML that came with a scene, read without following anything that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from hsi.errors import SceneError

# The metadata of a product have a few megabytes, response functions of all bands included.
LARGEST_BYTES = 32 * 2**20


def read_xml(path: Path) -> Element:
    """Return the root of an XML file, names of elements without prefixes.

    A document type declaration is refused: it is where an XML file defines entities, which can
    name other files or grow beyond all memory, and no product has one.

    Raises
    ------
    SceneError
        If the file is missing, very large, damaged, or declares a document type.
    """
    if not path.is_file():
        raise SceneError(f"{path} does not exist")
    if path.stat().st_size > LARGEST_BYTES:
        raise SceneError(
            f"{path} has {path.stat().st_size:,} bytes; metadata of a scene have less than "
            f"{LARGEST_BYTES:,}"
        )
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    # Texts as a whole, not in pieces of expat's buffer.
    parser.buffer_text = True

    def refuse(*declaration: Any) -> None:
        raise SceneError(f"{path} declares a document type (DOCTYPE); metadata of scenes have none")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: builder.start(_plain(name), attributes)
    parser.EndElementHandler = lambda name: builder.end(_plain(name))
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(path.read_bytes(), True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # also an unknown encoding
        raise SceneError(f"{path} is damaged, or no XML: {error}") from error
    root: Element = builder.close()
    return root


def _plain(name: str) -> str:
    return name.rpartition(":")[2]
