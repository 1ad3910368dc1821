"""The knowledge base: which answer stands for an aspect of a subject."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from knowledge.schema import Notice, Reply, Source, Subject
from knowledge.typography import french


@dataclass(frozen=True)
class Answer:
    """One answer: its key, its words, what it rests on and what may come next."""

    aspect: str
    subject: str
    title: str
    text: str
    facts: tuple[str, ...]
    next: tuple[str, ...]
    source: Source

    @property
    def key(self) -> str:
        """`aspect/subject`, unique in the knowledge base."""
        return f"{self.aspect}/{self.subject}"


@dataclass(frozen=True)
class Knowledge:
    """Everything the assistant knows, checked; made by `knowledge.load()`."""

    answers: Mapping[str, Answer]
    aliases: Mapping[str, str]
    subjects: Mapping[str, Subject]
    replies: Mapping[str, Reply]
    sentences: Mapping[str, str]
    notices: tuple[Notice, ...]

    def find(self, aspect: str, subject: str) -> Answer | None:
        """Return the answer for `aspect` of `subject`.

        An empty cell falls back to the parent subject's. `None`: nothing true
        is known, and the caller must say so.
        """
        name: str | None = subject
        while name is not None and name in self.subjects:
            key = f"{aspect}/{name}"
            key = self.aliases.get(key, key)
            if key in self.answers:
                return self.answers[key]
            name = self.subjects[name].parent
        return None

    def title(self, reference: str) -> str:
        """Return the words of a button that leads to an answer or a reply."""
        if "/" in reference:
            return self.answers[self.aliases.get(reference, reference)].title
        return self.replies[reference].title

    @cached_property
    def main_subjects(self) -> tuple[str, ...]:
        """The subjects offered when a question names none: those without a parent."""
        return tuple(name for name, subject in self.subjects.items() if subject.parent is None)

    @cached_property
    def aspects(self) -> frozenset[str]:
        """Every aspect of which anything is known."""
        return frozenset(key.partition("/")[0] for key in (*self.answers, *self.aliases))

    def source_line(self, answer: Answer, today: date) -> str:
        """Return the line that closes an answer: who says it, when, and how it aged."""
        line = self.sentences["source_line"].format(
            publisher=answer.source.publisher, date=f"{answer.source.date:%d/%m/%Y}"
        )
        for notice in self._notices(answer, today):
            line += f" ({notice.short})"
        return french(line)

    def notice(self, answer: Answer, today: date) -> str | None:
        """Return the sentence about the answer's age where its aspect calls for one."""
        texts = [n.text for n in self._notices(answer, today) if answer.aspect in n.aspects]
        return "\n".join(texts) or None

    def _notices(self, answer: Answer, today: date) -> Iterator[Notice]:
        return (n for n in self.notices if answer.subject in n.subjects and today > n.after)
