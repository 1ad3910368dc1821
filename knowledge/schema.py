"""The shape of the knowledge files: one pydantic model a kind of file.

A field that is wrong or unknown is refused by its name; `loader` adds the file
and the line.
"""

import datetime as dt
import re
from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from knowledge.typography import french

MAX_TEXT = 600
"""Longest answer, in characters: what one reads on a phone without scrolling."""
MAX_LABEL = 40
"""Longest title or label, in characters: what a button holds."""
OUT_OF_SCOPE = "out_of_scope"
"""The reply to what has nothing to do with our subjects."""
UNDOCUMENTED = "undocumented"
"""The aspect of what the documentation does not say of a subject."""


def _short(limit: int) -> AfterValidator:
    def check(value: str) -> str:
        if len(value) > limit:
            raise ValueError(f"{len(value)} caractères, {limit} au plus")
        return value

    return AfterValidator(check)


def _filled(value: str) -> str:
    if not value.strip():
        raise ValueError("le texte est vide")
    return french(value.strip())


def _reference(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]+(/[a-z0-9_]+)?", value):
        raise ValueError("un renvoi s'écrit « aspect/sujet » ou porte le nom d'une réponse")
    return value


Text = Annotated[str, AfterValidator(_filled), _short(MAX_TEXT)]
Label = Annotated[str, AfterValidator(_filled), _short(MAX_LABEL)]
Name = Annotated[str, AfterValidator(_filled)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
FactId = Annotated[str, Field(pattern=r"^F\d{2,3}$")]
Reference = Annotated[str, AfterValidator(_reference)]


class Strict(BaseModel):
    """What a file holds: nothing unknown, and nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Strict):
    """Where an answer comes from, and of which day: its own, or that on which it was read."""

    publisher: Name
    title: Name
    date: dt.date | None = None
    read: dt.date | None = Field(None, description="of a page that bears no date")
    url: str | None = None

    @model_validator(mode="after")
    def _one_day(self) -> "Source":
        if (self.date is None) == (self.read is None):
            raise ValueError("il faut « date », ou « read » si la page n'est pas datée")
        return self


class SourcesFile(Strict):
    """`sources.yml`."""

    sources: dict[Identifier, Source]


class Notice(Strict):
    """What must be said about an answer's age once a day has passed."""

    id: Identifier
    after: dt.date = Field(description="said from the next day on")
    subjects: tuple[Identifier, ...] = Field(min_length=1)
    short: Name = Field(description="in the source line of every answer on these subjects")
    text: Text = Field(description="a whole sentence, under the answers of these aspects")
    aspects: tuple[Identifier, ...] = ()


class NoticesFile(Strict):
    """`notices.yml`."""

    notices: tuple[Notice, ...]


class Cell(Strict):
    """What is known of one aspect of one subject: a text, or the same as another cell."""

    title: Label | None = None
    facts: tuple[FactId, ...] = ()
    text: Text | None = None
    next: tuple[Reference, ...] = Field((), max_length=3)
    source: Identifier | None = Field(None, description="if not the file's")
    same_as: Reference | None = None

    @model_validator(mode="after")
    def _text_or_alias(self) -> "Cell":
        if self.same_as:
            if self.text or self.facts or self.next:
                raise ValueError("« same_as » ne va pas avec « text », « facts » ni « next »")
        elif not (self.text and self.title):
            raise ValueError("il faut « title » et « text », ou bien « same_as »")
        return self


class Subject(Strict):
    """What questions are about."""

    name: Name = Field(description="inside a sentence")
    label: Label = Field(description="on a button")
    parent: Identifier | None = Field(None, description="whose answers serve for empty cells")
    otherwise: Identifier | None = Field(
        None, description="the aspect that answers where nothing else does: one rule says it all"
    )
    answers: dict[Identifier, Cell] = Field(min_length=1)

    @model_validator(mode="after")
    def _otherwise_is_answered(self) -> "Subject":
        if self.otherwise is not None and self.otherwise not in self.answers:
            raise ValueError(f"« otherwise » renvoie à « {self.otherwise} », qui manque")
        return self

    @property
    def next_door(self) -> bool:
        """Whether the documentation says nothing of it: one answer, whatever is asked."""
        return self.answers.keys() == {UNDOCUMENTED}


class DispositifFile(Strict):
    """A dispositif's file: its subjects and their answers."""

    dispositif: Identifier
    rank: int = Field(description="its place where subjects are offered, from 1")
    source: Identifier
    subjects: dict[Identifier, Subject] = Field(min_length=1)


class Reply(Strict):
    """What is answered to a dialogue act: a greeting, thanks, a question off the subject."""

    title: Label
    text: Text
    facts: tuple[FactId, ...] = ()
    next: tuple[Reference, ...] = Field((), max_length=4)


def sentence(value: str) -> str:
    """Return a sentence with its placeholders, its typography made French."""
    try:
        list(Formatter().parse(value))
    except ValueError as error:
        raise ValueError("accolade orpheline") from error
    return _filled(value)


class ConversationFile(Strict):
    """`conversation.yml`: replies to dialogue acts, and the program's own sentences."""

    replies: dict[Identifier, Reply]
    sentences: dict[Identifier, Annotated[str, AfterValidator(sentence)]]
