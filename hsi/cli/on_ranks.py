"""``hsi train`` as one of the processes that torchrun has started."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from hsi.cli import resuming
from hsi.torchrun import Launched

if TYPE_CHECKING:
    from hsi.scenes import Scene
    from hsi.training import Run, Settings


def trained(
    process: Launched,
    *,
    check: Callable[[], None],
    opened: Callable[[], tuple[Scene, Settings]],
    resume: str | None,
    changes: dict[str, Any],
    bitwise: bool,
    device: str,
    out: str | None,
    announce: Callable[[Run], None],
) -> Run | None:
    """Train, or go on, together with the other processes.

    Parameters
    ----------
    process : Launched
        What torchrun says of this one.
    check : callable
        Raises what is wrong with the options.
    opened : callable
        Returns scene and settings of a new training.
    resume, changes, bitwise, device, out
        The options, as they came.
    announce : callable
        Told of the run before its training starts.

    Returns
    -------
    Run or None
        What is to be printed: in the first process only.
    """
    from hsi.cli.console import TrainingDisplay
    from hsi.training.ranks import joined
    from hsi.workflows.together import resume_together, train_together

    def same_settings(run: Run) -> None:
        resuming.check_settings(run.path, run.settings, run.settings.changed(**changes))

    with joined(process, device=device) as ranks:
        ranks.agreed(check)
        with TrainingDisplay() if ranks.first else nullcontext() as display:
            if resume is None:
                return train_together(
                    ranks,
                    opened,
                    out=out,
                    progress=display,
                    started=announce,
                    noted=resuming.say,
                )
            return resume_together(
                ranks,
                resume,
                bitwise=bitwise,
                check=same_settings,
                progress=display,
                started=announce,
                noted=resuming.say,
            )
