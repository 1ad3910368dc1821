"""Reads the knowledge files; what is wrong in one is said by file, line and field."""

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from knowledge.base import BEGIN, Answer, Knowledge
from knowledge.document import FOLDER, Document, KnowledgeError
from knowledge.questionnaire import load_questionnaires
from knowledge.schema import (
    UNDOCUMENTED,
    Cell,
    ConversationFile,
    DispositifFile,
    Notice,
    NoticesFile,
    Reply,
    Source,
    SourcesFile,
    Subject,
)

_COMMON = ("sources", "notices", "conversation")
"""The files that every knowledge folder has; each of the others is a dispositif's."""
_Path = tuple[int | str, ...]


@cache
def load(folder: Path = FOLDER) -> Knowledge:
    """Read and check every knowledge file of `folder`.

    Raises:
        KnowledgeError: a file cannot be read, does not follow the schema, or
            refers to something that does not exist.
    """
    documents = {file.stem: Document(file) for file in sorted(folder.glob("*.yml"))}
    for name in _COMMON:
        if name not in documents:
            raise KnowledgeError(folder / f"{name}.yml", 1, "", "ce fichier manque")
    sources, notices, conversation = (documents.pop(name) for name in _COMMON)
    replies = conversation.checked(ConversationFile)
    draft = _Draft(sources.checked(SourcesFile).sources)
    # The order of the files is not the order in which subjects are offered: `rank` is.
    checked = [(document, document.checked(DispositifFile)) for document in documents.values()]
    for document, dispositif in sorted(checked, key=lambda pair: pair[1].rank):
        draft.add(document, dispositif)
    questionnaires = folder / "questionnaires"
    if questionnaires.exists():
        for name, one in load_questionnaires(questionnaires).items():
            draft.beginnings[f"{BEGIN}/{name}"] = one.button
    draft.check_references(replies.replies)
    _check_next(conversation, ("replies",), replies.replies, draft.references(replies.replies))
    return Knowledge(
        answers=draft.answers,
        aliases=draft.aliases,
        beginnings=draft.beginnings,
        subjects=draft.subjects,
        replies=replies.replies,
        sentences=replies.sentences,
        notices=_notices(notices, draft.subjects),
    )


class _Draft:
    """The dispositifs' files put together; references are checked once all are in."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = sources
        self.subjects: dict[str, Subject] = {}
        self.answers: dict[str, Answer] = {}
        self.aliases: dict[str, str] = {}
        self.beginnings: dict[str, str] = {}
        self._documents: dict[str, Document] = {}

    def add(self, document: Document, dispositif: DispositifFile) -> None:
        self._check_source(document, ("source",), dispositif.source)
        for name, subject in dispositif.subjects.items():
            if name in self.subjects:
                raise document.error(("subjects", name), "ce sujet existe déjà")
            self.subjects[name] = subject
            self._documents[name] = document
            for aspect, cell in subject.answers.items():
                path = ("subjects", name, "answers", aspect, "source")
                source = cell.source or dispositif.source
                self._check_source(document, path, source)
                self._add_cell(aspect, name, cell, self.sources[source])

    def _add_cell(self, aspect: str, subject: str, cell: Cell, source: Source) -> None:
        if cell.same_as:
            self.aliases[f"{aspect}/{subject}"] = cell.same_as
        elif cell.text and cell.title:  # the schema saw to it
            answer = Answer(aspect, subject, cell.title, cell.text, cell.facts, cell.next, source)
            self.answers[answer.key] = answer

    def _check_source(self, document: Document, path: _Path, source: str) -> None:
        if source not in self.sources:
            raise document.error(path, f"la source « {source} » n'existe pas")

    def references(self, replies: Mapping[str, Reply]) -> set[str]:
        """Return everything a button may lead to."""
        return {*self.answers, *self.aliases, *self.beginnings, *replies}

    def check_references(self, replies: Mapping[str, Reply]) -> None:
        references = self.references(replies)
        for name, subject in self.subjects.items():
            document = self._documents[name]
            path: _Path = ("subjects", name)
            if subject.parent is not None:
                self._check_parent(document, name, subject.parent)
            for aspect, cell in subject.answers.items():
                if cell.same_as and cell.same_as not in self.answers:
                    problem = f"« {cell.same_as} » n'est pas une réponse"
                    raise document.error((*path, "answers", aspect, "same_as"), problem)
            _check_next(document, (*path, "answers"), subject.answers, references)
            if not self._admission(name):
                problem = f"il manque « {UNDOCUMENTED} », à ce sujet ou à l'un de ses parents"
                raise document.error((*path, "answers"), problem)

    def _admission(self, subject: str | None) -> bool:
        """Tell whether there is something to say when the documentation says nothing."""
        while subject is not None:
            if UNDOCUMENTED in self.subjects[subject].answers:
                return True
            subject = self.subjects[subject].parent
        return False

    def _check_parent(self, document: Document, name: str, parent: str) -> None:
        path = ("subjects", name, "parent")
        if parent not in self.subjects:
            raise document.error(path, f"« {parent} » n'existe pas")
        ancestor: str | None = parent
        seen = {name}
        while ancestor is not None and ancestor in self.subjects:
            if ancestor in seen:
                raise document.error(path, "ce parent tourne en rond")
            seen.add(ancestor)
            ancestor = self.subjects[ancestor].parent


def _check_next(
    document: Document,
    path: _Path,
    items: Mapping[str, Cell] | Mapping[str, Reply],
    references: Collection[str],
) -> None:
    for name, item in items.items():
        for index, reference in enumerate(item.next):
            if reference not in references:
                raise document.error((*path, name, "next", index), f"« {reference} » n'existe pas")


def _notices(document: Document, subjects: Collection[str]) -> tuple[Notice, ...]:
    notices = document.checked(NoticesFile).notices
    for index, notice in enumerate(notices):
        for place, name in enumerate(notice.subjects):
            if name not in subjects:
                path = ("notices", index, "subjects", place)
                raise document.error(path, f"le sujet « {name} » n'existe pas")
    return notices
