"""The parts in which a message is sent: texts that Telegram takes, then documents."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from telegram import InlineKeyboardMarkup, ReplyKeyboardMarkup, ReplyKeyboardRemove

from bot.telegram.rendering import inline_keyboard, phone_keyboard, split
from storage.models import Asks, Message

Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove


@dataclass(frozen=True)
class Part:
    """One message of Telegram: a text, or a document as the row tells of it."""

    text: str = ""
    document: dict[str, Any] | None = None
    markup: Markup | None = None

    @property
    def editable(self) -> bool:
        """Whether Telegram lets its keyboard be changed once it is sent."""
        return self.markup is None or isinstance(self.markup, InlineKeyboardMarkup)


def parts(message: Message, share: str, *, keyboard: bool) -> list[Part]:
    """Return the parts of a message, the same each time it is asked.

    Args:
        message: the message's row.
        share: what the key that shares one's number says.
        keyboard: whether a reply keyboard may still be shown, and has to go.
    """
    texts = split(message.text)
    buttons = message.buttons or []
    markup: Markup | None = inline_keyboard(buttons)
    if message.asks is Asks.phone:
        markup = phone_keyboard(share, buttons)
    elif keyboard:
        # A message has one keyboard at most: to remove one and show another takes two.
        if markup is None:
            markup = ReplyKeyboardRemove()
        elif texts:
            texts = _parted(texts)
    made = [Part(one) for one in texts]
    if made and markup is not None:
        made[-1] = replace(made[-1], markup=markup)
        if keyboard and len(made) > 1 and made[0].markup is None:
            made[0] = replace(made[0], markup=ReplyKeyboardRemove())
    return made + [Part(document=told) for told in message.attachments or ()]


def _parted(texts: Sequence[str]) -> list[str]:
    """Return the texts, the first in two if it can be: a paragraph, a line or a sentence apart."""
    for end in (r"\n\n", r"\n", r"(?<=[.!?…]) "):
        first, *rest = re.split(end, texts[0], maxsplit=1)
        if rest and first.strip() and rest[0].strip():
            return [first, rest[0], *texts[1:]]
    return list(texts)
