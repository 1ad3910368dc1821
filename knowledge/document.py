"""A YAML file of the knowledge, with the line of each field: a fault is told by its place."""

from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yaml.reader import ReaderError

FOLDER = Path(__file__).resolve().parent
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
