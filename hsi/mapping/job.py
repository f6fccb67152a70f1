"""How a map is made: in strips that are kept, and files that appear when all are there."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hsi.errors import ClusterError, RunError
from hsi.evaluation.counts import count_ids
from hsi.files import make_folder_with_sums, write_text
from hsi.mapping.facts import differences
from hsi.mapping.part_maps import save_part_maps
from hsi.mapping.products import (
    ALONE,
    BESIDE,
    PICTURE,
    RASTERS,
    Format,
    SavedMap,
    as_record,
    put_in_place,
    write_products,
    writing_into,
)
from hsi.mapping.source import MapClassifier
from hsi.mapping.tiles import MapTiles, stored_types
from hsi.mapping.unfinished import FOLDER, UnfinishedMap
from hsi.scenes import Scene
from hsi.sums import check_sum

RECORD = "map.json"
# Called with the number of rows that are done, and of all rows.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class MapJob:
    """A map that is ready to be made: what can be wrong before has been looked at.

    Attributes
    ----------
    classifier : MapClassifier
        That makes it.
    scene : Scene
        With the bands of the classifier.
    tiles : callable
        Returns the tiles of the scene; takes `method` and `max_memory` of a plan to be kept.
    place : callable
        Returns the folder; takes this job. It is asked when the map is made, since maps that are
        made before may take folders.
    resume : bool
        Whether to continue an unfinished map there.
    facts : dict
        By what the map is known, in groups: ``scene``, ``classifier``, ``options``, ``versions``.
    format : {"tif", "envi"}
        Of the class map.
    notes : tuple of str
        What has to be said of it in any case.
    """

    classifier: MapClassifier
    scene: Scene
    tiles: Callable[..., MapTiles]
    place: Callable[[MapJob], Path]
    resume: bool
    facts: dict[str, Any]
    format: Format
    notes: tuple[str, ...] = ()

    def free_folder(self, path: Path) -> Path:
        """Return `path`, or ``NAME-2``, ... beside it, that no other map has taken."""
        name, number = path.name, 1
        while path.exists():
            if self.resume and (self._is_finished(path) or self._is_begun(path)):
                return path
            if not self.resume and [each.name for each in path.iterdir()] == [FOLDER]:
                return path
            number += 1
            path = path.with_name(f"{name}-{number}")
        return path

    def make(self, *, progress: Progress | None = None) -> SavedMap:
        """Make the map, or what is missing of it, and write its files; see `hsi.map_scene`."""
        folder = self.place(self)
        facts = UnfinishedMap.facts_in(folder) if self.resume else None
        if self.resume and facts is None and self._is_finished(folder):
            return self._finished(folder)
        if facts is not None:
            self._check_same(facts, folder)
        with writing_into(folder):
            unfinished, tiles, note = self._continued(folder) if facts else self._begun(folder)
            start = time.perf_counter()
            try:
                with unfinished:
                    self._compute(unfinished, tiles, progress)
                    seconds = time.perf_counter() - start
                    saved = self._write(unfinished, folder, seconds=seconds, notes=note)
            except (Exception, KeyboardInterrupt) as error:
                self._leave(unfinished, folder, error)
                raise
            UnfinishedMap.discard(folder)
        return saved

    def ahead(self) -> tuple[MapTiles, int] | None:
        """Return the tiles for which `make` would ask, and from which row; None if for none."""
        folder = self.place(self)
        facts = UnfinishedMap.facts_in(folder) if self.resume else None
        if facts is None:
            return None if self.resume and self._is_finished(folder) else (self.tiles(), 0)
        self._check_same(facts, folder)
        with UnfinishedMap(folder) as unfinished:
            plan, row = unfinished.plan, unfinished.rows
        return self.tiles(method=plan["method"], max_memory=plan["max_memory"]), row

    def _begun(self, folder: Path) -> tuple[UnfinishedMap, MapTiles, tuple[str, ...]]:
        tiles = self.tiles()  # before anything is written
        make_folder_with_sums(folder)
        note: tuple[str, ...] = ()
        if UnfinishedMap.is_in(folder):
            note = ("an unfinished map in the folder was begun anew; --resume would continue it",)
        elif self.resume and (other := self._differing(folder)):
            note = (f"the map that was there is not of the same, and is replaced ({other[0]})",)
        unfinished = UnfinishedMap.begin(
            folder, facts=self.facts, plan=tiles.plan, arrays=self._arrays()
        )
        return unfinished, tiles, note

    def _continued(self, folder: Path) -> tuple[UnfinishedMap, MapTiles, tuple[str, ...]]:
        unfinished = UnfinishedMap(folder)
        plan = unfinished.plan
        tiles = self.tiles(method=plan["method"], max_memory=plan["max_memory"])
        if tiles.plan != plan:
            unfinished.close()
            raise RunError(
                f"the unfinished map in {folder} was planned as {plan}; here it would be "
                f"{tiles.plan}\nMap without --resume (resume=True) to begin anew."
            )
        notes = [f"continued after {unfinished.rows:,} of {self.scene.rows:,} rows"]
        if unfinished.damaged:
            notes.append(
                f"{unfinished.damaged:,} rows that were done are damaged and are mapped once more"
            )
        return unfinished, tiles, tuple(notes)

    def _compute(
        self, unfinished: UnfinishedMap, tiles: MapTiles, progress: Progress | None
    ) -> None:
        total = self.scene.rows
        for each in tiles.from_row(unfinished.rows):
            rows, cols = each.tile.slices
            for name, values in each.arrays.items():
                unfinished.write(name, rows, cols, values)
            if cols.stop == self.scene.cols:
                unfinished.count(rows.stop)
            if progress:
                share = cols.stop / self.scene.cols
                progress(int(rows.start + share * (rows.stop - rows.start)), total)

    def _write(
        self, unfinished: UnfinishedMap, folder: Path, *, seconds: float, notes: tuple[str, ...]
    ) -> SavedMap:
        arrays = unfinished.arrays
        made = unfinished.path / "made"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        write_products(
            made,
            self.classifier,
            self.scene,
            class_map=arrays["class_map"],
            confidence=arrays.get("confidence"),
            scores=arrays.get("scores"),
            format=self.format,
        )
        saved = SavedMap(
            picture=folder / PICTURE,
            raster=folder / RASTERS[self.format],
            confidence=folder / "confidence.tif" if "confidence" in arrays else None,
            scores=folder / "scores.tif" if "scores" in arrays else None,
            counts=count_ids(arrays["class_map"]),
            seconds=seconds,
            notes=(*self.notes, *notes),
        )
        record = as_record(saved, self.facts, unfinished.plan, self.classifier.class_names)
        # Of the same scene and classifier, what is not replaced is still true.
        stale = () if self._same_map(folder) else (*ALONE, *BESIDE)
        # What was interrupted in a folder of its own has left no sums there.
        make_folder_with_sums(folder)
        (folder / RECORD).unlink(missing_ok=True)
        put_in_place(made, folder, removing=stale)
        save_part_maps(self.classifier, self.scene, arrays["class_map"], folder, seconds=seconds)
        write_text(folder / RECORD, json.dumps(record, indent=2) + "\n")
        return saved

    def _leave(self, unfinished: UnfinishedMap, folder: Path, error: BaseException) -> None:
        """Keep what can be continued, say so, and remove what cannot."""
        keep = isinstance(error, KeyboardInterrupt | OSError | MemoryError | ClusterError)
        if not keep or unfinished.rows == 0:
            UnfinishedMap.discard(folder)
            return
        kept = f"{unfinished.rows:,} of {self.scene.rows:,} rows are kept in {folder}"
        if isinstance(error, OSError):
            raise RunError(
                f"cannot write the map into {folder}: {error.strerror or error}\n"
                f"{kept}; --resume (resume=True) goes on."
            ) from error
        error.add_note(f"{kept}; the same command with --resume goes on (resume=True).")

    def _arrays(self) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
        names = (
            "class_map",
            *(name for name in ("confidence", "scores") if self.facts["options"][name]),
        )
        types = stored_types(self.classifier, names)
        size = self.scene.shape[:2]
        return {name: ((*before, *size), kind) for name, (before, kind) in types.items()}

    def _check_same(self, facts: dict[str, Any], folder: Path) -> None:
        found = differences(facts, self._comparable(facts))
        if found:
            more = f", and {len(found) - 2} more differences" if len(found) > 2 else ""
            raise RunError(
                f"the unfinished map in {folder} is not of the same:\n"
                + "\n".join(found[:2]) + more
                + "\nMap without --resume (resume=True) to begin anew, or elsewhere (--out)."
            )  # fmt: skip

    def _comparable(self, other: dict[str, Any]) -> dict[str, Any]:
        """Return the facts, with what was not asked for now taken from an earlier attempt."""
        options = dict(self.facts["options"])
        earlier = other.get("options", {})
        if "max_memory" not in options and "max_memory" in earlier:
            options["max_memory"] = earlier["max_memory"]
        return self.facts | {"options": options}

    def _record(self, folder: Path) -> dict[str, Any]:
        """Return what `map.json` says, or nothing where there is none that can be read."""
        try:
            check_sum(folder / RECORD)
            found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError, RunError):
            return {}
        return found if isinstance(found, dict) else {}

    def _same_map(self, folder: Path) -> bool:
        record = self._record(folder)
        return all(record.get(name) == self.facts[name] for name in ("scene", "classifier"))

    def _differing(self, folder: Path) -> list[str] | None:
        """Return how a complete map differs from this one; None where there is none."""
        record = self._record(folder)
        before = {name: record.get(name, {}) for name in self.facts}
        return differences(before, self._comparable(before)) if record else None

    def _is_finished(self, folder: Path) -> bool:
        return self._differing(folder) == [] and (folder / RASTERS[self.format]).is_file()

    def _is_begun(self, folder: Path) -> bool:
        """Return whether there is an unfinished map of this scene, be it as it was or changed."""
        facts = UnfinishedMap.facts_in(folder) or {}
        one, two = facts.get("scene", {}), self.facts["scene"]
        return bool(facts) and one.get("given dataset") == two.get("given dataset")

    def _finished(self, folder: Path) -> SavedMap:
        record = self._record(folder)
        options = self.facts["options"]
        return SavedMap(
            picture=folder / PICTURE,
            raster=folder / RASTERS[self.format],
            confidence=folder / "confidence.tif" if options["confidence"] else None,
            scores=folder / "scores.tif" if options["scores"] else None,
            counts={each["id"]: each["pixels"] for each in record["classes"]},
            seconds=record["seconds"],
            notes=(*self.notes, "the map was complete already"),
        )
