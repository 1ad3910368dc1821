"""The examples that are learnt: read, drawn from, and written for a training of the bench."""

import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from deploy import rasa
from settings import ROOT

SEED = 20210216
"""Of every draw."""

Block = dict[str, Any]
"""A block of Rasa's NLU format: an intent and its examples, or a synonym and its names."""


class Example(NamedTuple):
    """A text, with the intent and the subject that its block declares."""

    text: str
    intent: str
    subject: str | None


def read() -> list[Block]:
    """Return every block of `nlu/*.yml`."""
    files = (yaml.safe_load((ROOT / file).read_text("utf-8")) for file in rasa.examples())
    return [block for content in files for block in content.get("nlu", [])]


def lines(block: Block) -> list[str]:
    """Return the examples, or the names, of a block."""
    return [line[2:].strip() for line in block["examples"].splitlines() if line.startswith("- ")]


def with_lines(block: Block, kept: Iterable[str]) -> Block:
    """Return the same block with other examples."""
    return {**block, "examples": "".join(f"- {line}\n" for line in kept)}


def share(blocks: Sequence[Block], part: float) -> list[Block]:
    """Return the blocks with `part` (0 to 1) of each one's examples.

    What a smaller part has, a larger one has too.
    """

    def first(drawn: list[str]) -> list[str]:
        return drawn[: max(1, round(part * len(drawn)))]

    return _drawn(blocks, first)


def fold(blocks: Sequence[Block], index: int, of: int) -> tuple[list[Block], list[Example]]:
    """Return what is learnt and what is held out in fold `index`, from 0, `of` so many."""
    learnt = _drawn(blocks, lambda drawn: [x for i, x in enumerate(drawn) if i % of != index])
    held_out = [
        Example(text, block["intent"], (block.get("metadata") or {}).get("subject"))
        for block in _drawn(blocks, lambda drawn: drawn[index::of])
        if "intent" in block
        for text in lines(block)
    ]
    return learnt, held_out


def write(file: Path, blocks: Sequence[Block]) -> None:
    """Write blocks as a file that Rasa learns from: one line an example."""
    content = {"version": "3.1", "nlu": list(blocks)}
    text = yaml.dump(content, allow_unicode=True, sort_keys=False, width=100_000)
    file.write_text(text, encoding="utf-8")


def _drawn(blocks: Sequence[Block], keep: Callable[[list[str]], list[str]]) -> list[Block]:
    """Return the blocks with what `keep` keeps of each one's examples, in an order drawn once."""
    kept = []
    for block in blocks:
        if "intent" in block:
            drawn = lines(block)
            random.Random(SEED).shuffle(drawn)
            block = with_lines(block, keep(drawn))
        kept.append(block)
    return kept
