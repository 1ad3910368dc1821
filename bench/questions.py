"""The questions of every set, read and checked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

FILE = Path(__file__).with_name("questions.yml")
"""The development questions."""
VALIDATION = Path(__file__).with_name("validation.yml")
"""The validation questions: nothing is tuned on them."""
SETS = Path(__file__).with_name("sets")
"""The development questions of strangers, one file a kind."""
RESERVE = Path(__file__).with_name("reserve")
"""The same kinds of questions, only ever scored: nobody who writes examples reads them."""


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_several)]
Kind = Literal["scope", "next_to_it", "off_subject", "courtesy", "follow_up", "double"]
"""What a question measures; `follow_up` is whatever comes after another message."""


class Question(BaseModel):
    """A message, and the one thing that makes its answer right.

    `facts`: those it carries. `reply`: the one it is, or any one of several.
    `follow`: the follow-up that it is understood as. `parts`: the facts that
    each of its questions needs, or `undocumented`. `answers` are documented answers that say of
    themselves that they do not know: right too where `undocumented` is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(min_length=1)
    aspect: Names = ()
    subject: Names = ()
    facts: frozenset[str] = frozenset()
    reply: Names = ()
    follow: Literal["why", "more", "something_else"] | None = None
    parts: tuple[frozenset[str], ...] = ()
    answers: Names = ()

    @model_validator(mode="after")
    def _one_expectation(self) -> "Question":
        if [bool(one) for one in (self.facts, self.reply, self.follow, self.parts)].count(
            True
        ) != 1:
            raise ValueError(f"« {self.text} » : facts, reply, follow ou parts, un seul des quatre")
        if len(self.parts) == 1 or not all(self.parts):
            raise ValueError(f"« {self.text} » : parts, deux au moins, aucune vide")
        if self.facts and not self.aspect:
            raise ValueError(f"« {self.text} » : des facts, mais pas d'aspect")
        if self.answers and "undocumented" not in self.reply:
            raise ValueError(f"« {self.text} » : answers ne va qu'avec reply: undocumented")
        return self

    @property
    def about(self) -> str:
        """The subject (of the assistant itself: the aspect), or what is expected but a fact."""
        return (*self.subject, *self.aspect)[0] if self.facts else self._expected

    @property
    def asks(self) -> str:
        """The aspect, or what is expected but a fact."""
        return self.aspect[0] if self.facts else self._expected

    @property
    def _expected(self) -> str:
        return self.reply[0] if self.reply else self.follow or "parts"

    def kind(self, follows: bool) -> Kind:
        """Return what it measures; `follows` if it comes after another message."""
        if follows:
            return "follow_up"
        if self.parts:
            return "double"
        if self.facts:
            return "scope"
        if "undocumented" in self.reply:
            return "next_to_it"
        return "off_subject" if "out_of_scope" in self.reply else "courtesy"


class Dialogue(BaseModel):
    """Messages of one conversation; each is understood in the light of those before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    turns: tuple[Question, ...] = Field(min_length=2)


class QuestionSet(BaseModel):
    """All that a file asks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    questions: tuple[Question, ...] = ()
    dialogues: tuple[Dialogue, ...] = ()

    def conversations(self) -> Iterator[tuple[Question, ...]]:
        """Return every conversation, most of them of one question."""
        yield from ((question,) for question in self.questions)
        yield from (dialogue.turns for dialogue in self.dialogues)


def load(file: Path = FILE) -> QuestionSet:
    """Read a file of questions.

    Raises:
        pydantic.ValidationError: an item is not of the expected form.
    """
    return QuestionSet.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))


def load_folder(folder: Path) -> dict[str, QuestionSet]:
    """Read every file of a folder, each under its name without the suffix.

    Raises:
        pydantic.ValidationError: an item is not of the expected form.
    """
    return {file.stem: load(file) for file in sorted(folder.glob("*.yml"))}


def load_development() -> dict[str, QuestionSet]:
    """Read what may be looked at: `questions.yml` and the files of `sets/`."""
    return {FILE.stem: load(FILE), **load_folder(SETS)}


def load_reserve() -> dict[str, QuestionSet]:
    """Read what is only scored: `validation.yml` and the files of `reserve/`, so prefixed."""
    reserve = {VALIDATION.stem: load(VALIDATION), **load_folder(RESERVE)}
    return {f"reserve/{name}": one for name, one in reserve.items()}
