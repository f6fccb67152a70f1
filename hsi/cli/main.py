"""The entry point: finds subcommands, and turns errors into messages and exit codes."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, TextIO, cast

import click

from hsi.errors import HsiError, unknown_name, visible
from hsi.interrupts import INTERRUPTED, interrupted_once
from hsi.torchrun import check_one_process, launched

SUBCOMMANDS = (
    "train", "map", "export", "evaluate", "compare", "bench", "search", "report", "view", "models",
    "scenes", "transfer", "denoise", "retrieve",
)  # fmt: skip
# What the processes that torchrun starts do together.
SHARED = "train"


class _Subcommands(click.Group):
    """Loads the module of a subcommand only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in SUBCOMMANDS:
            return None
        command: click.Command = import_module(f"hsi.cli.{name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args[0] not in SUBCOMMANDS and not args[0].startswith("-"):
            raise unknown_name("command", args[0], SUBCOMMANDS)
        if args[0] in SUBCOMMANDS and args[0] != SHARED:
            check_one_process(args[0])
        return super().resolve_command(ctx, args)


@click.group(cls=_Subcommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hsi", message="hsi %(version)s")
def cli() -> None:
    """Classify every pixel of a hyperspectral scene.

    \b
    Example:
      hsi train --dataset synthetic --model hybridsn-dw
    """


def main() -> None:
    """Run the command line; a user's mistake ends in one message and exit code 1 or 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where it is closed
            # A name that the terminal has no letters for is no reason to stop.
            stream.reconfigure(errors="replace")
    streams = sys.stdout, sys.stderr
    harmless = [None if each is None else cast(TextIO, _Harmless(each)) for each in streams]
    sys.stdout, sys.stderr = harmless
    try:
        with interrupted_once():
            _run()
    except (KeyboardInterrupt, SystemExit) as ended:
        # An interrupt comes as such only while a command begins, or ends already.
        code = ended.code if isinstance(ended, SystemExit) else INTERRUPTED
        if code and launched() is not None:
            _leave(code)
        sys.exit(code)
    finally:
        # Where nobody reads any more, click leaves streams that do not complain in the end.
        if sys.stdout is harmless[0]:
            sys.stdout = streams[0]
        if sys.stderr is harmless[1]:
            sys.stderr = streams[1]


def _run() -> None:
    try:
        # Of a command that ends early, click returns the exit code; commands return nothing.
        code = cli(standalone_mode=False)
        if code:
            sys.exit(code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except HsiError as error:
        _say("\n".join([f"Error: {error}", *getattr(error, "__notes__", [])]))
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort) as stop:
        if isinstance(stop.__cause__ or stop.__context__, EOFError):
            raise  # nobody asked to stop: click takes a file's early end for that of its input
        # click turns an interrupt into an Abort; what was done about it stands in its notes.
        notes = getattr(stop.__cause__ or stop, "__notes__", [])
        _say(" ".join(["Interrupted.", *notes]))
        sys.exit(getattr(stop.__cause__ or stop, "exit_code", INTERRUPTED))
    except BrokenPipeError:
        # Whoever read our output has gone.
        _drop_output()
        sys.exit(1)
    except MemoryError:
        _say(
            "Error: not enough memory. A smaller --patch-size, fewer --components or a smaller "
            "--batch-size need less."
        )
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename is not None else ""
        notes = getattr(error, "__notes__", [])
        _say("\n".join([f"Error: {where}{error.strerror or error}", *notes]))
        _drop_output()
        sys.exit(1)


class _Harmless:
    """A stream that shows what a terminal would obey; texts from files are written to it.

    Rich, which moves the cursor on purpose, finds the stream itself.
    """

    def __init__(self, stream: TextIO) -> None:
        self.rich_proxied_file = stream

    def write(self, text: str) -> int:
        return self.rich_proxied_file.write(visible(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


def _drop_output() -> None:
    """Keep Python from complaining once more when it flushes what could not be written."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave(code: Any) -> None:
    """End at once: connections to processes that are gone could take long to be given up."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.flush()
    os._exit(code if isinstance(code, int) else 1)


def _say(message: str) -> None:
    click.echo(message, err=True)
