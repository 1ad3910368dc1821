"""The knowledge base: which answer stands for an aspect of a subject."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from knowledge.schema import UNDOCUMENTED, Notice, Reply, Source, Subject
from knowledge.typography import french

BEGIN = "begin"
"""What stands in place of an aspect where a button begins a questionnaire: `begin/fonds`."""


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

    @property
    def documented(self) -> bool:
        """Whether the documentation answers; if not, this admits it."""
        return self.aspect != UNDOCUMENTED


@dataclass(frozen=True)
class Knowledge:
    """Everything the assistant knows, checked; made by `knowledge.load()`."""

    answers: Mapping[str, Answer]
    aliases: Mapping[str, str]
    beginnings: Mapping[str, str]
    """The words of the buttons that begin a questionnaire."""
    subjects: Mapping[str, Subject]
    replies: Mapping[str, Reply]
    sentences: Mapping[str, str]
    notices: tuple[Notice, ...]

    def find(self, aspect: str, subject: str) -> Answer | None:
        """Return the answer for `aspect` of `subject`.

        An empty cell falls back to the parent subject's, then to the subject's one
        rule if it has one (`otherwise`), and in the end to what admits that the
        documentation does not say. `None`: an unknown subject,
        or nothing of it under this aspect nor to admit.
        """
        if subject in self.subjects and self.subjects[subject].next_door:
            return self.answers[f"{UNDOCUMENTED}/{subject}"]
        found = self._cell(aspect, subject)
        otherwise = self.subjects[subject].otherwise if subject in self.subjects else None
        if found is None and otherwise:
            found = self._cell(otherwise, subject)
        return found or self._cell(UNDOCUMENTED, subject)

    def _cell(self, aspect: str, subject: str) -> Answer | None:
        name: str | None = subject
        while name is not None and name in self.subjects:
            key = f"{aspect}/{name}"
            key = self.aliases.get(key, key)
            if key in self.answers:
                return self.answers[key]
            name = self.subjects[name].parent
        return None

    def answer(self, aspect: str, subject: str) -> Answer:
        """Return the answer for `aspect` of a known `subject`: the loader saw that there is one."""
        found = self.find(aspect, subject)
        assert found is not None, subject
        return found

    def told_of(self, aspect: str) -> tuple[str, ...]:
        """Return the main subjects of which the documentation tells this aspect."""
        return tuple(name for name in self.main_subjects if self._cell(aspect, name))

    def family(self, subject: str) -> str:
        """Return the main subject that a known `subject` belongs to."""
        parent = self.subjects[subject].parent
        return self.family(parent) if parent else subject

    def title(self, reference: str) -> str:
        """Return the words of a button that leads to an answer, a reply or a questionnaire."""
        if reference in self.beginnings:
            return self.beginnings[reference]
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
        source = answer.source
        line = self.sentences["source_line" if source.date else "source_line_read"].format(
            publisher=source.publisher, date=f"{source.date or source.read:%d/%m/%Y}"
        )
        for notice in self._notices(answer, today):
            line += f" ({notice.short})"
        return french(line)

    def notice(self, answer: Answer, today: date) -> str | None:
        """Return the sentence about the answer's age where its aspect calls for one."""
        texts = [n.text for n in self._notices(answer, today) if answer.aspect in n.aspects]
        return "\n".join(texts) or None

    def _notices(self, answer: Answer, today: date) -> Iterator[Notice]:
        if not answer.documented:  # it tells no rule that could have aged
            return iter(())
        return (n for n in self.notices if answer.subject in n.subjects and today > n.after)
