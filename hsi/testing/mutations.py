"""Seeded mutations of files: the same seed gives the same damage."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Literal

Change = Callable[[random.Random, bytes, bytes], bytes]
TextChange = Callable[[random.Random, str, str], str]

# Where programs miscount: the ends of the ranges of integers, and what lies beside them.
INTEGERS = [0, 1, -1, 2, 7, 127, 128, 255, 256, 32767, 32768, 65535, 2**24, 2**31 - 1, 2**31,
            2**32 - 1, 2**40, 2**62, 2**63 - 1, 2**64 - 1]  # fmt: skip
TEXTS = [*map(str, INTEGERS), "-2147483648", "9" * 40, "1e999", "-1e-320", "nan", "inf", "-inf",
         "", "0x10", "1.5", "true", "[]", "{}", "''", '"', "\\", "../../../etc/passwd", "\x00",
         "\x1b[2J", "é", "\u202e", "٣", "%s%n", "<script>", "None", "A" * 5000]  # fmt: skip
TOKEN = re.compile(r"[A-Za-z_]+|[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[^\sA-Za-z_\d]")
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
LONGEST = 2**20


def mutate(content: bytes, *, seed: int, other: bytes = b"", text: bool = False) -> bytes:
    """Return damaged content of a file.

    Parameters
    ----------
    content : bytes
        Of a valid file.
    seed : int
        Decides what is done to it.
    other : bytes
        Of another valid file, pieces of which may be put into it.
    text : bool
        Whether it is text, whose words and numbers are changed as well.
    """
    rng = random.Random(seed)
    ways = BINARY if not text or rng.random() < 0.3 else TEXTUAL
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        content = rng.choice(ways)(rng, content, other)
    if text and rng.random() < 0.05:
        content = rng.choice(ENDLESS)(rng, content, other)
    return content[:LONGEST]


def place(rng: random.Random, content: bytes) -> int:
    """Return a place; every other time in the first tenth, where formats describe themselves."""
    end = len(content) if rng.random() < 0.5 else len(content) // 10
    return rng.randrange(max(1, end))


def span(rng: random.Random, content: bytes) -> tuple[int, int]:
    """Return where a piece begins and ends."""
    start = place(rng, content)
    longest = rng.choice((1, 4, 16, 256, len(content) + 1))
    return start, start + rng.randrange(1, longest + 1)


def flip_bits(rng: random.Random, content: bytes, other: bytes) -> bytes:
    """Flip some bits."""
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 2, 8)) if content else 0):
        damaged[place(rng, content)] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def replace_bytes(rng: random.Random, content: bytes, other: bytes) -> bytes:
    """Overwrite a piece."""
    start, end = span(rng, content)
    piece = rng.choice((bytes(end - start), b"\xff" * (end - start), rng.randbytes(end - start)))
    return content[:start] + piece[: len(content) - start] + content[end:]


def put_integer(rng: random.Random, content: bytes, other: bytes) -> bytes:
    """Overwrite an integer with one of the ends of its range."""
    size = rng.choice((1, 2, 4, 8))
    start = place(rng, content)
    start -= start % rng.choice((1, size))
    value = rng.choice(INTEGERS) % 2 ** (8 * size)
    return (
        content[:start]
        + value.to_bytes(size, rng.choice(("little", "big")))
        + content[start + size :]
    )


def add_to_integer(rng: random.Random, content: bytes, other: bytes) -> bytes:
    """Change an integer by a little."""
    size = rng.choice((1, 2, 4))
    start = place(rng, content)
    order: Literal["little", "big"] = rng.choice(("little", "big"))
    value = int.from_bytes(content[start : start + size], order) + rng.choice((-1, 1, -8, 8))
    piece = (value % 2 ** (8 * size)).to_bytes(size, order)
    return content[:start] + piece + content[start + size :]


def cut_off(rng: random.Random, content: bytes, other: bytes) -> bytes:
    """Take away the end."""
    return content[: rng.randrange(1, max(2, len(content)))]


def insert(rng: random.Random, content: bytes, other: bytes) -> bytes:
    """Put noise in."""
    start = place(rng, content)
    return content[:start] + rng.randbytes(rng.choice((1, 3, 8, 64, 1000))) + content[start:]


def remove(rng: random.Random, content: bytes, other: bytes) -> bytes:
    """Take a piece out."""
    start, end = span(rng, content)
    return content[:start] + content[end:] or b"\x00"


def double(rng: random.Random, content: bytes, other: bytes) -> bytes:
    """Repeat a piece."""
    start, end = span(rng, content)
    return content[:end] + content[start:end] * rng.choice((1, 1, 20)) + content[end:]


def swap(rng: random.Random, content: bytes, other: bytes) -> bytes:
    """Exchange two pieces."""
    a, b = sorted((place(rng, content), place(rng, content)))
    size = rng.choice((1, 4, 16, 256))
    return (
        content[:a]
        + content[b : b + size]
        + content[a + size : b]
        + content[a : a + size]
        + content[b + size :]
    )


def splice(rng: random.Random, content: bytes, other: bytes) -> bytes:
    """Put a piece of another valid file, or of this one, in some place."""
    source = other or content
    start, end = span(rng, source)
    at = start if rng.random() < 0.5 else place(rng, content)
    return content[:at] + source[start:end] + content[at + end - start :]


def textual(change: TextChange) -> Change:
    """Return a mutation of bytes from one of texts."""

    def changed(rng: random.Random, content: bytes, other: bytes) -> bytes:
        texts = (content.decode("utf-8", "replace"), other.decode("utf-8", "replace"))
        return change(rng, *texts).encode("utf-8", "replace")

    return changed


def replace_token(pattern: re.Pattern[str]) -> TextChange:
    """Return a change of one of the tokens that fit a pattern."""

    def replaced(rng: random.Random, content: str, other: str) -> str:
        found = list(pattern.finditer(content))
        if not found:
            return content
        each = rng.choice(found)
        return content[: each.start()] + rng.choice(TEXTS) + content[each.end() :]

    return replaced


def swap_tokens(rng: random.Random, content: str, other: str) -> str:
    """Exchange a word or number for another one."""
    found = list(TOKEN.finditer(content))
    if not found:
        return content
    each, donor = rng.choice(found), rng.choice(list(TOKEN.finditer(other)) or found)
    return content[: each.start()] + donor.group() + content[each.end() :]


def remove_token(rng: random.Random, content: str, other: str) -> str:
    """Take a word or number out."""
    found = list(TOKEN.finditer(content))
    if not found:
        return content
    each = rng.choice(found)
    return content[: each.start()] + content[each.end() :]


def remove_line(rng: random.Random, content: str, other: str) -> str:
    """Take a line out."""
    lines = content.split("\n")
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines) or "\n"


def double_line(rng: random.Random, content: str, other: str) -> str:
    """Repeat a line elsewhere."""
    lines = content.split("\n")
    lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    return "\n".join(lines)


def take_line(rng: random.Random, content: str, other: str) -> str:
    """Put a line of the other file in."""
    lines = content.split("\n")
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(other.split("\n")))
    return "\n".join(lines)


def nest(rng: random.Random, content: str, other: str) -> str:
    """Open many brackets: parsers that call themselves run out of stack."""
    at, bracket = rng.randrange(len(content) + 1), rng.choice(("[", "{", "(", "<a>", '{"a":', "a."))
    return content[:at] + bracket * rng.choice((3, 300, 10_000)) + content[at:]


def lengthen(rng: random.Random, content: str, other: str) -> str:
    """Put something very long in."""
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice(("9", "a", " ", ",", "1,", "é")) * 20_000 + content[at:]


BINARY: list[Change] = [
    flip_bits, flip_bits, replace_bytes, put_integer, put_integer, add_to_integer, cut_off, insert,
    remove, double, swap, splice,
]  # fmt: skip
TEXTUAL: list[Change] = list(
    map(
        textual,
        (replace_token(NUMBER), replace_token(NUMBER), replace_token(TOKEN), swap_tokens,
         remove_token, remove_line, double_line, take_line),
    )
)  # fmt: skip
ENDLESS: list[Change] = list(map(textual, (nest, lengthen)))
