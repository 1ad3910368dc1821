"""The development questions, read and checked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

FILE = Path(__file__).with_name("questions.yml")
"""The development questions."""
VALIDATION = Path(__file__).with_name("validation.yml")
"""The validation questions: nothing is tuned on them."""


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_several)]


class Question(BaseModel):
    """A message, and what makes its answer right: the facts it carries, or the reply it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(min_length=1)
    aspect: Names = ()
    subject: Names = ()
    facts: frozenset[str] = frozenset()
    reply: Names = ()

    @model_validator(mode="after")
    def _one_expectation(self) -> "Question":
        if bool(self.facts) == bool(self.reply):
            raise ValueError(f"« {self.text} » : facts ou reply, l'un des deux")
        return self

    @property
    def about(self) -> str:
        """The subject, or the reply where none is expected."""
        return self.subject[0] if self.facts else self.reply[0]

    @property
    def asks(self) -> str:
        """The aspect, or the reply where none is expected."""
        return self.aspect[0] if self.facts else self.reply[0]


class Dialogue(BaseModel):
    """Messages of one conversation; each is understood in the light of those before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    turns: tuple[Question, ...] = Field(min_length=2)


class DevelopmentSet(BaseModel):
    """All that is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    questions: tuple[Question, ...]
    dialogues: tuple[Dialogue, ...]

    def conversations(self) -> Iterator[tuple[Question, ...]]:
        """Return every conversation, most of them of one question."""
        yield from ((question,) for question in self.questions)
        yield from (dialogue.turns for dialogue in self.dialogues)


def load(file: Path = FILE) -> DevelopmentSet:
    """Read the development set.

    Raises:
        pydantic.ValidationError: an item is not of the expected form.
    """
    return DevelopmentSet.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
