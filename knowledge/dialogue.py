"""What is said while a questionnaire or a draft is filled in, and what conducts it."""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from knowledge.document import FOLDER, Document
from knowledge.schema import Identifier, Name, Strict, sentence


class Wording(Strict):
    """`dialogue.yml`."""

    commands: dict[Identifier, tuple[Name, ...]]
    polite: tuple[Name, ...] = Field(description="words that change nothing in a command")
    problems: dict[Identifier, dict[Identifier, Annotated[str, AfterValidator(sentence)]]]
    glossary: dict[Name, Name] = Field(description="words of ours, and what they mean")
    refusals: dict[Identifier, Name]
    sentences: dict[Identifier, Annotated[str, AfterValidator(sentence)]]

    def problem(self, kind: str, problem: str) -> str:
        """Return the sentence for a problem with an answer of a kind; the kind's own, if any."""
        own, common = self.problems.get(kind, {}), self.problems["any"]
        return own.get(problem) or common.get(problem) or own.get("nothing") or common["nothing"]


@cache
def load_wording(folder: Path = FOLDER / "candidature") -> Wording:
    """Read and check `dialogue.yml`.

    Raises:
        knowledge.KnowledgeError: it cannot be read or does not follow the schema.
    """
    return Document(folder / "dialogue.yml").checked(Wording)
