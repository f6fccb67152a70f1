"""Cards: what is known of well-known scenes, as data.

A card is a TOML file in ``datasets/``; anyone can write one for scenes of their own and pass its
path to `load_scene`.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from hsi.errors import SceneError, UsageError, unknown_name
from hsi.scenes.palette import Color, parse_color
from hsi.toml_files import read_toml

SYNTHETIC = "synthetic"
# In bytes, as most file systems allow.
LONGEST_NAME = 255


def _color(value: Any) -> Any:
    return parse_color(value) if isinstance(value, str) else value


def _plain_name(value: str) -> str:
    if Path(value).is_absolute() or ".." in Path(value).parts:
        raise ValueError("expected a file name, or a path inside the card's folder")
    if "\0" in value or any(len(os.fsencode(each)) > LONGEST_NAME for each in Path(value).parts):
        raise ValueError("no file can have that name")
    return value


def _single_name(value: str) -> str:
    if value.startswith(".") or any(each in value for each in "/\\:\0") or len(value) > 100:
        raise ValueError("expected a plain name, without a path, of 100 letters at most")
    return value


FileName = Annotated[str, Field(min_length=1), AfterValidator(_plain_name)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CardFile(_Table):
    """A file of a scene: what it is called, where it comes from, how to know it."""

    name: FileName
    other_names: tuple[FileName, ...] = ()
    """Names under which the same bytes are known elsewhere."""
    addresses: tuple[Annotated[str, Field(pattern=r"^https?://")], ...] = ()
    bytes: PositiveInt | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    sha256_recorded_by_others: bool = False
    """True where the hash was published by other projects and the bytes were not seen by us."""
    key: str | None = None
    """Name of the array in a file that holds several."""

    @property
    def names(self) -> tuple[str, ...]:
        """All names of the file, its own first."""
        return (self.name, *self.other_names)

    @model_validator(mode="after")
    def _downloads_are_known(self) -> CardFile:
        if self.addresses and self.sha256 is None:
            raise ValueError("a file with addresses needs its sha256, so that it can be checked")
        return self


class CardSplit(_Table):
    """A published division of the labelled pixels into training and test, as maps of class ids."""

    title: Annotated[str, Field(min_length=1)]
    train: CardFile
    test: CardFile | None = None
    """None: all labelled pixels that the training map leaves."""
    relabel: tuple[NonNegativeInt, ...] = ()
    """The id in the ground truth of each id of the maps, from 0 on; empty: they are the same."""
    adds_labels: bool = False
    """Whether the maps label pixels that the ground truth does not, and are to be believed."""
    citation: str | None = None

    @property
    def files(self) -> tuple[CardFile, ...]:
        """The files of the maps, each once."""
        maps = (self.train,) if self.test is None else (self.train, self.test)
        return tuple({each.name: each for each in maps}.values())


class CardClass(_Table):
    """A class of the ground truth."""

    id: PositiveInt
    name: Annotated[str, Field(min_length=1)]
    color: Annotated[Color, BeforeValidator(_color)]


class Card(_Table):
    """What is known of a scene. Lengths in metres, wavelengths in nanometres, bands zero-based."""

    name: Annotated[str, Field(min_length=1), AfterValidator(_single_name)]
    title: str
    cube: CardFile
    labels: CardFile | None = None
    official: CardSplit | None = None
    """The split that is published. Without `labels`, the ground truth is what its maps label."""
    shape: tuple[PositiveInt, PositiveInt, PositiveInt] | None = None
    """``(rows, cols, bands)``."""
    classes: tuple[CardClass, ...] = ()
    rgb_bands: tuple[int, int, int] | None = None
    wavelengths: tuple[PositiveFloat, ...] | None = None
    components: PositiveInt = 30
    nodata: float | None = None
    sensor: str | None = None
    resolution_m: PositiveFloat | None = None
    wavelength_range_nm: tuple[PositiveFloat, PositiveFloat] | None = None
    bands_note: str | None = None
    place: str | None = None
    licence: str = "not stated"
    citation: str | None = None
    doi: str | None = None
    homepage: str | None = None
    _folder: Path | None = PrivateAttr(default=None)

    @property
    def folder(self) -> Path | None:
        """The folder of the card itself: files beside a user's own card are found there."""
        return self._folder

    @property
    def files(self) -> tuple[CardFile, ...]:
        """The cube's file and, where there is one, the labels'."""
        if self.labels is not None:
            return (self.cube, self.labels)
        return (self.cube, *(self.official.files if self.official else ()))

    @property
    def split_files(self) -> tuple[CardFile, ...]:
        """Files that only the official split needs."""
        own = {each.name for each in self.files}
        maps = self.official.files if self.official else ()
        return tuple(each for each in maps if each.name not in own)

    @property
    def metadata(self) -> dict[str, Any]:
        """What the scene's metadata takes from the card."""
        fields = {
            "title", "sensor", "resolution_m", "wavelength_range_nm", "bands_note", "place",
            "licence", "citation", "doi", "homepage",
        }  # fmt: skip
        return self.model_dump(mode="json", include=fields, exclude_none=True)

    @model_validator(mode="after")
    def _parts_fit(self) -> Card:
        for field in ("id", "name", "color"):
            values = Counter(getattr(each, field) for each in self.classes)
            twice = [str(value) for value, count in values.items() if count > 1]
            if twice:
                raise ValueError(f"two classes have the same {field}: {', '.join(twice)}")
        if self.shape:
            bands = self.shape[2]
            if self.wavelengths and len(self.wavelengths) != bands:
                raise ValueError(f"{len(self.wavelengths)} wavelengths for {bands} bands")
            if self.rgb_bands and not all(0 <= band < bands for band in self.rgb_bands):
                raise ValueError(f"rgb_bands {self.rgb_bands} are not all in 0..{bands - 1}")
        return self


def list_cards() -> tuple[str, ...]:
    """Return the names of the scenes that come with a card, in alphabetical order."""
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def load_card(name: str | Path) -> Card:
    """Return the card of that name, or the one in a TOML file.

    Parameters
    ----------
    name : str or Path
        A name of `list_cards`, in any case, with ``-`` or ``_``; or the path of a card.

    Raises
    ------
    UsageError
        If there is neither a card nor a file of that name.
    SceneError
        If the file is no valid card; names the field that is wrong.
    """
    card = find_card(str(name))
    if card is not None:
        return card
    if plain_name(str(name)) == SYNTHETIC:
        raise UsageError(
            "the synthetic scene is generated when it is opened: there is nothing to fetch"
        )
    if Path(name).suffix == ".toml" and Path(name).is_file():
        return read_card(Path(name))
    raise unknown_name("scene", str(name), (*list_cards(), SYNTHETIC))


def find_card(name: str) -> Card | None:
    """Return the card of that name, or None if there is none."""
    plain = plain_name(name)
    return read_card(_folder() / f"{plain}.toml") if plain in list_cards() else None


def plain_name(name: str) -> str:
    """Return a name as cards are called: ``Salinas-A`` is ``salinas_a``."""
    return name.lower().replace("-", "_")


def read_card(path: Path) -> Card:
    """Read and check a card; its name is the file's unless it says otherwise."""
    try:
        card = Card.model_validate({"name": path.stem, **read_toml(path)})
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}".removeprefix(": ")
            for each in error.errors()
        ]
        more = f"\n... and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise SceneError("\n".join([f"{path} is no valid card:", *wrong[:3]]) + more) from error
    except OSError as error:
        raise SceneError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise SceneError(f"{path} is no TOML file: {error}") from error
    card._folder = path.parent
    return card


def _folder() -> Path:
    """Return the folder of the cards: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "datasets"
    return installed if installed.is_dir() else package.parent / "datasets"
