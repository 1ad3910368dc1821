"""What is shown and said in Telegram besides the answers: `channels/telegram.yml`."""

from functools import cache
from pathlib import Path
from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, Field

from knowledge.base import Knowledge
from knowledge.document import FOLDER, Document
from knowledge.loader import load
from knowledge.schema import Identifier, Name, Strict, sentence

OWN = ("@welcome", "@export", "@erase")
"""What a command may do that is neither an answer nor a draft's."""
DRAFT = ("form", "resume")
"""What a command may do with the draft that is open."""

COMMANDS = ("start", "eligibilite")
"""The commands that the program itself leads to."""
OTHER = "other"
"""What is said of a kind that has no sentence of its own."""
_SAID: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            *("hello", "ask", "share_phone", "keyboard_removed", "chosen_before", "not_offered"),
            *("no_draft", "lost_file"),
        ),
        (),
    ),
    **dict.fromkeys(("caption", "without_text"), ()),
    **dict.fromkeys(
        ("empty", "old_edit", "export", "erase", "erase_yes", "erase_no", "erased", "kept"), ()
    ),
    "notice": ("kept",),
    "too_long": ("limit",),
    "private": ("username",),
    "erased_filed": ("prefecture",),
}
"""The sentences that the program says, and what it fills in."""

CommandName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]


class Command(Strict):
    """One command of the menu."""

    title: Annotated[Name, Field(max_length=256)]
    does: str = Field(description="@welcome, form, begin/fonds, definition/fonds, help…")
    said: tuple[Name, ...] = Field((), description="words that say the same, and nothing else")


class TelegramWording(Strict):
    """`telegram.yml`; the lengths are Telegram's own limits."""

    description: Annotated[Name, Field(max_length=512)]
    short_description: Annotated[Name, Field(max_length=120)]
    commands: dict[CommandName, Command] = Field(max_length=100)
    welcome: tuple[str, ...] = Field(description="what the buttons of the welcome lead to")
    privacy: tuple[Name, ...] = Field(description="words that ask what is kept, and by whom")
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
        if command.does not in (*OWN, *DRAFT) and not _leads(knowledge, command.does):
            problem = f"« {command.does} » ne mène nulle part"
            raise document.error(("commands", name, "does"), problem)
    for index, reference in enumerate(wording.welcome):
        if not _leads(knowledge, reference):
            raise document.error(("welcome", index), f"« {reference} » ne mène nulle part")
    _check_needed(document, wording)
    begin = wording.commands["eligibilite"].does
    if not _leads(knowledge, begin):  # it is a button too
        raise document.error(("commands", "eligibilite", "does"), f"« {begin} » n'a pas de titre")
    return wording


def _check_needed(document: Document, wording: TelegramWording) -> None:
    """Check that there is what the program needs: a lack would show on somebody's message."""
    needed = (("commands", COMMANDS), ("wordless", (OTHER,)), ("sentences", tuple(_SAID)))
    for field, names in needed:
        for name in names:
            if name not in getattr(wording, field):
                raise document.error((field,), f"il manque « {name} »")
    for name, said in wording.sentences.items():
        if name not in _SAID:
            raise document.error(("sentences", name), "cette phrase n'est dite nulle part")
        asked = {one for _, one, _, _ in Formatter().parse(said) if one is not None}
        if unknown := asked - {*_SAID[name]}:
            raise document.error(("sentences", name), f"« {min(unknown)} » n'y est pas rempli")


def _leads(knowledge: Knowledge, reference: str) -> bool:
    try:
        knowledge.title(reference)
    except KeyError:
        return False
    return True
