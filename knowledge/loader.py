"""Reads the knowledge files; what is wrong in one is said by file, line and field."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yaml.reader import ReaderError

from knowledge.base import Answer, Knowledge
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

FOLDER = Path(__file__).resolve().parent
_COMMON = ("sources", "notices", "conversation")
"""The files that every knowledge folder has; each of the others is a dispositif's."""
_Path = tuple[int | str, ...]
Model = TypeVar("Model", bound=BaseModel)

_FRENCH = {
    "missing": "ce champ manque",
    "extra_forbidden": "ce champ est inconnu",
    "string_type": "un texte est attendu",
    "string_pattern_mismatch": "ce nom n'a pas la forme attendue",
    "date_from_datetime_parsing": "une date est attendue (AAAA-MM-JJ)",
    "date_type": "une date est attendue (AAAA-MM-JJ)",
    "too_long": "trop d'éléments",
    "too_short": "trop peu d'éléments",
    "dict_type": "des champs « nom: valeur » sont attendus",
    "model_type": "des champs « nom: valeur » sont attendus",
    "tuple_type": "une liste est attendue",
}


class KnowledgeError(ValueError):
    """A knowledge file is wrong; `str()` is one sentence with file, line and field."""

    def __init__(self, file: Path, line: int, field: str, problem: str) -> None:
        place = f"{file.parent.name}/{file.name}, ligne {line}"
        super().__init__(f"{place}{f', {field}' if field else ''} : {problem}.")


class Document:
    """One YAML file, with the line of each of its fields."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lines: dict[_Path, int] = {(): 1}
        content = file.read_bytes()
        try:
            node = yaml.compose(content.decode(), yaml.SafeLoader)
            self.data: Any = self._build(node, ()) if node else None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise KnowledgeError(file, line, "", f"YAML illisible ({error.problem})") from error
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise KnowledgeError(file, line, "", "le fichier n'est pas en UTF-8") from error
        except ReaderError as error:
            line = content.decode().count("\n", 0, error.position) + 1
            problem = f"YAML illisible (caractère de commande {error.character:#04x})"
            raise KnowledgeError(file, line, "", problem) from error

    def _build(self, node: yaml.Node, path: _Path) -> Any:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            fields: dict[Hashable, Any] = {}
            for key_node, value_node in node.value:
                if not isinstance(key_node, yaml.ScalarNode):
                    line = key_node.start_mark.line + 1
                    raise KnowledgeError(self.file, line, "", "un nom de champ est attendu")
                key = self._scalar(key_node, path)
                self._lines[(*path, key)] = key_node.start_mark.line + 1
                if key in fields:
                    raise self.error((*path, key), "ce champ est donné deux fois")
                fields[key] = self._build(value_node, (*path, key))
            return fields
        if isinstance(node, yaml.SequenceNode):
            return [self._build(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _scalar(self, node: yaml.Node, path: _Path) -> Any:
        try:
            return yaml.SafeLoader("").construct_object(node, deep=True)
        except ValueError as error:  # what looks like a date, a number, and is none
            raise self.error(path, "cette valeur est illisible") from error

    def error(self, path: Iterable[int | str], problem: str) -> KnowledgeError:
        """Return the error for the field at `path` (or the nearest field around it)."""
        path = tuple(path)
        known = path
        while known not in self._lines:
            known = known[:-1]
        field = ".".join(str(part) for part in path)
        return KnowledgeError(self.file, self._lines[known], field, problem)

    def checked(self, model: type[Model]) -> Model:
        """Return the content as `model`; raise `KnowledgeError` at its first fault."""
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            problem = _FRENCH.get(first["type"]) or first["msg"].removeprefix("Value error, ")
            raise self.error((p for p in first["loc"] if p != "[key]"), problem) from error


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
    draft.check_references(replies.replies)
    _check_next(conversation, ("replies",), replies.replies, draft.references(replies.replies))
    return Knowledge(
        answers=draft.answers,
        aliases=draft.aliases,
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
        return {*self.answers, *self.aliases, *replies}

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
