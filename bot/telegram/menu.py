"""The menu of the bot and what is said of it, in Telegram's own places."""

import re
from dataclasses import dataclass

from telegram import Bot, BotCommand

from knowledge.telegram import TelegramWording
from storage.payloads import payload_of

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w+)?(?:\s+(.*))?\Z", re.DOTALL)
_CODE = re.compile(r"[A-Za-z0-9]{4}[\s_–-]*[A-Za-z0-9]{4}[\s_–-]*[A-Za-z0-9]{4}")


@dataclass(frozen=True)
class Order:
    """What a command comes to: what is received for it, or the words that it stands for."""

    text: str
    payload: str | None


def ordered(text: str, wording: TelegramWording, questionnaires: frozenset[str]) -> Order | None:
    """Return what a message that is a command comes to; nothing if it is none.

    `/start` may carry the word of a link (`t.me/<bot>?start=…`): a command of
    the menu, a questionnaire, or the code of a draft. An unknown command gets
    what the assistant can do.
    """
    found = _COMMAND.match(text)
    if found is None:
        return None
    name, rest = found[1].lower(), (found[2] or "").strip()
    if name == "start" and rest:
        return _linked(text, rest, wording, questionnaires)
    if name == "reprendre" and _CODE.fullmatch(rest):
        return Order(f"reprendre {rest}", None)
    command = wording.commands.get(name)
    return Order(text, payload_of(command.does if command else "help"))


def _linked(
    text: str, word: str, wording: TelegramWording, questionnaires: frozenset[str]
) -> Order:
    if command := wording.commands.get(word.lower()):
        return Order(text, payload_of(command.does))
    if word.lower() in questionnaires:
        return Order(text, payload_of(f"begin/{word.lower()}"))
    if _CODE.fullmatch(word):
        plain = re.sub(r"[\s_–-]", "", word)
        return Order(f"reprendre {plain[:4]}-{plain[4:8]}-{plain[8:]}", None)
    return Order(text, payload_of(wording.commands["start"].does))


async def show_menu(bot: Bot, wording: TelegramWording) -> None:
    """Tell Telegram the commands and the descriptions.

    Raises:
        telegram.error.TelegramError: Telegram does not take them, or not now.
    """
    commands = [BotCommand(name, one.title) for name, one in wording.commands.items()]
    await bot.set_my_commands(commands)
    await bot.set_my_description(wording.description)
    await bot.set_my_short_description(wording.short_description)
