"""What is shown and said in Telegram besides the answers: `channels/telegram.yml`."""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from knowledge.base import Knowledge
from knowledge.document import FOLDER, Document
from knowledge.loader import load
from knowledge.schema import Identifier, Name, Strict, sentence

HOUSE = ("@welcome", "@export", "@erase")
"""What a command may do that is neither an answer nor a draft's."""
DRAFT = ("form", "resume")
"""What a command may do with the draft that is open."""

CommandName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]


class Command(Strict):
    """One command of the menu."""

    title: Annotated[Name, Field(max_length=256)]
    does: str = Field(description="@welcome, form, begin/fonds, definition/fonds, help…")


class TelegramWording(Strict):
    """`telegram.yml`; the lengths are Telegram's own limits."""

    description: Annotated[Name, Field(max_length=512)]
    short_description: Annotated[Name, Field(max_length=120)]
    commands: dict[CommandName, Command] = Field(max_length=100)
    welcome: tuple[str, ...] = Field(description="what the buttons of the welcome lead to")
    wordless: dict[Identifier, Name]
    sentences: dict[Identifier, Annotated[str, AfterValidator(sentence)]]


@cache
def load_telegram(folder: Path = FOLDER) -> TelegramWording:
    """Read and check `telegram.yml`.

    Raises:
        knowledge.KnowledgeError: it cannot be read, does not follow the schema,
            or leads to something that does not exist.
    """
    document = Document(folder / "channels" / "telegram.yml")
    wording = document.checked(TelegramWording)
    knowledge = load(folder)
    for name, command in wording.commands.items():
        if command.does not in (*HOUSE, *DRAFT) and not _leads(knowledge, command.does):
            problem = f"« {command.does} » ne mène nulle part"
            raise document.error(("commands", name, "does"), problem)
    for index, reference in enumerate(wording.welcome):
        if not _leads(knowledge, reference):
            raise document.error(("welcome", index), f"« {reference} » ne mène nulle part")
    return wording


def _leads(knowledge: Knowledge, reference: str) -> bool:
    try:
        knowledge.title(reference)
    except KeyError:
        return False
    return True
