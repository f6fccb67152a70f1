"""The plan of a benchmark, ``bench.toml``: what was asked for, with which settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import tomli_w

from hsi.errors import RunError, UsageError
from hsi.evaluation import Cell
from hsi.evaluation.results import is_all
from hsi.files import write_text
from hsi.models import usual
from hsi.sampling.amounts import check_amounts
from hsi.sums import check_sum
from hsi.toml_files import differing, read_toml
from hsi.training import Settings
from hsi.training.split_settings import DRAWN, GUARDED, MEANT
from hsi.workflows.bench.asked import Asked
from hsi.workflows.bench.model_names import split_model_name
from hsi.workflows.bench.shared_settings import WITHOUT, settled

FILE = "bench.toml"
_HEAD = (
    "# The plan of a benchmark. More scenes, splits, amounts, models and seeds may be added with\n"
    "# `hsi bench --out`; all cells share the settings.\n\n"
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a folder of a benchmark holds or is to hold.

    Attributes
    ----------
    sources : dict
        By name of a scene: what opens it (`hsi.scenes.open_scene`).
    asked : tuple of Asked
        Complete; together they name the cells.
    settings : dict
        Settings that all cells share, as for `hsi.Settings.changed`; only those that were named.
    guard : int or None
        Pixels between training and test on blocks and folds; None as long as there are none.
    commands : tuple of str
        By which it came about.
    """

    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: tuple[Asked, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    guard: int | None = None
    commands: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the plan of a folder; None where there is none.

        Raises
        ------
        RunError
            If it is damaged.
        """
        path = folder / FILE
        check_sum(path)
        try:
            table = read_toml(path)
            return cls(
                sources={name: dict(source) for name, source in table["scenes"].items()},
                asked=tuple(Asked(**each) for each in table["asked"]),
                settings=dict(table["settings"]),
                guard=table.get("guard"),
                commands=tuple(table["commands"]),
            )
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RunError(f"cannot read {path}: {error.strerror}") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise RunError(f"{path} is no plan of a benchmark, or damaged: {error}") from error

    def write(self, folder: Path) -> None:
        """Write the plan into its folder."""
        table: dict[str, Any] = {"commands": list(self.commands)}
        if self.guard is not None:
            table["guard"] = self.guard
        table["settings"] = self.settings
        table["scenes"] = self.sources
        table["asked"] = [dataclasses.asdict(each) for each in self.asked]
        write_text(folder / FILE, _HEAD + tomli_w.dumps(table))

    @property
    def models(self) -> list[str]:
        """All models, in the order in which they were named."""
        return list(dict.fromkeys(model for each in self.asked for model in each.models))

    def cells(self) -> Iterator[Cell]:
        """Yield all cells: those of one scene together, then of one split, and so on."""
        cells = dict.fromkeys(cell for each in self.asked for cell in each.cells())
        orders = [
            {
                name: place
                for place, name in enumerate(
                    dict.fromkeys((each[axis], type(each[axis])) for each in cells)
                )
            }
            for axis in range(len(Cell._fields))
        ]
        yield from sorted(
            cells,
            key=lambda cell: tuple(
                order[value, type(value)] for order, value in zip(orders, cell, strict=True)
            ),
        )

    def settings_of(self, cell: Cell) -> Settings:
        """Return the settings of one training."""
        model, attention = split_model_name(cell.model)
        changes = dict(self.settings)
        if usual(model).patch_size == 1:
            changes.pop("patch_size", None)  # it looks at single pixels, whatever others do
        if cell.split != "file":
            changes.pop("split_file", None)
        return Settings().changed(
            **changes,
            model=model,
            attention=attention,
            split=cell.split,
            train=cell.train,
            seed=cell.seed,
            guard=self.guard if cell.split in GUARDED else None,
        )

    def side_of(self, model: str) -> int:
        """Return the side of a model's patches."""
        return self.settings_of(Cell("", "random", 0.1, 0, model)).side

    def extended(
        self,
        asked: Asked,
        *,
        sources: Mapping[str, Mapping[str, Any]],
        settings: Mapping[str, Any],
        guard: int | None,
        command: str | None,
        binding: bool = True,
    ) -> Self:
        """Return the plan with more asked of it.

        Parameters
        ----------
        asked : Asked
            Complete.
        sources : mapping
            Of its scenes.
        settings : mapping
            Those that are named now; the plan's stay where nothing is said.
        guard : int, optional
            If it is named now.
        command : str, optional
            What asks.
        binding : bool
            Whether something was trained by the plan. If not, what is named now takes the place of
            what the plan has: a mistake can be mended by another command.

        Raises
        ------
        UsageError
            If a setting or scene is another one than in the plan, or patches of a model are too
            large for the guard.
        """
        settings = settled(settings)
        # Whatever is wrong with settings is found now, and said as of them alone.
        validation = Settings().changed(**settings).validation
        for amount in asked.train:
            check_amounts(1 if is_all(amount) else amount, validation)
            drawn = [split for split in asked.splits if split in DRAWN]
            if drawn and is_all(amount):
                raise UsageError(
                    f"--train {amount} is all pixels of each class, which leaves none to test with "
                    f"--split {drawn[0]}; name a fraction below 1, or a number of pixels"
                )
        if self.asked and binding:
            self._refuse_others(settings, sources)
        kept = self.settings if binding else self.settings | settings
        plan = dataclasses.replace(
            self if binding or guard is None else dataclasses.replace(self, guard=None),
            sources=self.sources | {name: dict(sources[name]) for name in asked.scenes},
            asked=self.asked if asked in self.asked else (*self.asked, asked),
            settings=kept if self.asked else {**settings},
            commands=tuple(dict.fromkeys([*self.commands, *([command] if command else [])])),
        )
        plan._check_split_settings()
        return plan._with_guard(guard)

    def _check_split_settings(self) -> None:
        """Refuse settings of splits that are not asked for, and a file that is not named."""
        scenes = {name for each in self.asked if "file" in each.splits for name in each.scenes}
        splits = {split for each in self.asked for split in each.splits}
        for setting, split in MEANT.items():
            if setting in self.settings and split not in splits:
                option = setting.replace("_", "-")
                raise UsageError(f"--{option} is for --split {split}, which is not asked for")
        if not scenes:
            return
        if "split_file" not in self.settings:
            raise UsageError("--split file needs the file that holds it: name it with --split-file")
        if len(scenes) > 1:
            raise UsageError(
                f"--split-file is of one scene, but --split file is asked for {len(scenes)}: "
                f"{', '.join(sorted(scenes))}\nGive each of them a folder of its own (--out)."
            )

    def _refuse_others(
        self, settings: Mapping[str, Any], sources: Mapping[str, Mapping[str, Any]]
    ) -> None:
        others = [
            f"{name} is {_shown(there)} there, {_shown(value)} now"
            for name, value in settings.items()
            if (there := self.settings.get(name, WITHOUT.get(name))) != value
        ]
        if others:
            raise UsageError(
                f"the benchmark in this folder was begun with other settings: {'; '.join(others)}\n"
                "Its models would not be comparable. Leave these options out to go on with its "
                "settings, or name another folder (--out)."
            )
        for name, source in sources.items():
            before = self.sources.get(name)
            if before is not None and before != dict(source):
                raise UsageError(
                    f"the benchmark in this folder has another scene named {name}: "
                    f"{_differences(before, source)}\nName another folder (--out)."
                )

    def _with_guard(self, guard: int | None) -> Self:
        """Return the plan with the distance that blocks and folds of all its models need."""
        if not any(split in GUARDED for each in self.asked for split in each.splits):
            if guard is not None:
                raise UsageError(
                    "--guard is for blocks and folds, but --split names none of them; leave it out"
                )
            return self
        if guard is not None and guard < 0:
            raise UsageError(f"the guard is a number of pixels from 0, not {guard} (--guard)")
        sides = {model: self.side_of(model) for model in self.models}
        largest = max(sides, key=sides.__getitem__)
        needed = sides[largest] - 1
        if self.guard is not None and guard not in (None, self.guard):
            raise UsageError(
                f"the splits in this folder keep {self.guard} pixels between training and test, "
                f"not {guard}\nLeave out --guard, or name another folder (--out)."
            )
        given = guard if self.guard is None else self.guard
        if given is not None and given < needed:
            side = f"{sides[largest]}x{sides[largest]}"
            advice = (
                f"Name --guard {needed} or more, or leave it out."
                if self.guard is None
                else "Other splits would not be comparable with what is there: name a smaller "
                f"--patch-size, or begin in another folder (--out) with --guard {needed}."
            )
            raise UsageError(
                f"{largest} looks at patches of {side} pixels, for which training and test must be "
                f"{needed} pixels apart on blocks and folds; here it is {given}\n{advice}"
            )
        return dataclasses.replace(self, guard=needed if given is None else given)


def _shown(value: Any) -> str:
    return "as usual" if value is None else str(value)


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    parts: Sequence[str] = [
        f"{name} is {_shown(before.get(name))} there, {_shown(now.get(name))} now"
        for name in differing(before, now)
    ]
    return "; ".join(parts)
