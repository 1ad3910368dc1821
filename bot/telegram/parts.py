"""The parts in which a message is sent: texts that Telegram takes, then documents."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from telegram import InlineKeyboardMarkup, ReplyKeyboardMarkup, ReplyKeyboardRemove

from bot.telegram.rendering import inline_keyboard, phone_keyboard, split
from knowledge.telegram import TelegramWording
from storage.models import Asks, Message

Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove


@dataclass(frozen=True)
class Part:
    """One message of Telegram: a text, or a document as the row tells of it."""

    text: str = ""
    document: dict[str, Any] | None = None
    markup: Markup | None = None

    @property
    def has_buttons(self) -> bool:
        """Whether choices are shown under it."""
        return isinstance(self.markup, InlineKeyboardMarkup)

    @property
    def editable(self) -> bool:
        """Whether Telegram lets its keyboard be changed once it is sent."""
        return self.markup is None or isinstance(self.markup, InlineKeyboardMarkup)


def parts(message: Message, wording: TelegramWording, *, keyboard: bool) -> list[Part]:
    """Return the parts of a message, the same each time it is asked.

    Args:
        message: the message's row.
        wording: what the key that shares one's number says, and what is said to remove it.
        keyboard: whether a reply keyboard may still be shown, and has to go.
    """
    texts = split(message.text)
    buttons = message.buttons or []
    markup: Markup | None = inline_keyboard(buttons)
    if message.asks is Asks.phone:
        markup = phone_keyboard(wording.sentences["share_phone"], buttons)
    elif keyboard:
        # A message has one keyboard at most: to remove one and show another takes two.
        if markup is None:
            markup = ReplyKeyboardRemove()
        elif texts:
            texts = _parted(texts, wording.sentences["keyboard_removed"])
    made = [Part(one) for one in texts]
    if made and markup is not None:
        made[-1] = replace(made[-1], markup=markup)
        if keyboard and len(made) > 1 and made[0].markup is None:
            made[0] = replace(made[0], markup=ReplyKeyboardRemove())
    return made + [Part(document=told) for told in message.attachments or ()]


def _parted(texts: Sequence[str], before: str) -> list[str]:
    """Return the texts, the first in two: its first paragraph or line or, for want of it, `before`.

    Sentences stay together: « Question 5/13. » by itself would be odd.
    """
    if len(texts) > 1:
        return list(texts)
    for end in ("\n\n", "\n"):
        first, _, rest = texts[0].partition(end)
        if first.strip() and rest.strip():
            return [first, rest]
    return [before, *texts]
