"""How fast a bot may send: Telegram's own rates, with room to spare.

Telegram says about 30 messages a second in all, and one a second in a chat with
short bursts (https://core.telegram.org/bots/faq#broadcasting-to-users).
"""

from collections import OrderedDict
from datetime import timedelta

from aiolimiter import AsyncLimiter
from telegram.error import RetryAfter

IN_ALL = 25
"""Messages a second, of the whole bot."""
BURST, PERIOD = 2, 2.2
"""Messages that a chat may get at once, and in how many seconds as many may come again.

A message leaves a little after its turn: a few at once must not be one too many.
"""
REMEMBERED = 10_000
"""Chats whose rate is remembered: one that is forgotten only gets a fresh burst."""


class Pace:
    """Gives each message its turn."""

    def __init__(self) -> None:
        self._all = AsyncLimiter(IN_ALL, 1)
        self._chats: OrderedDict[int, AsyncLimiter] = OrderedDict()

    async def turn(self, chat_id: int) -> None:
        """Wait until a message may be sent to this chat."""
        limiter = self._chats.pop(chat_id, None) or AsyncLimiter(BURST, PERIOD)
        self._chats[chat_id] = limiter
        if len(self._chats) > REMEMBERED:
            self._chats.popitem(last=False)
        # Its own first: a chat that waits must not hold a place of all.
        await limiter.acquire()
        await self.turn_of_all()

    async def turn_of_all(self) -> None:
        """Wait until something that nobody sees may be asked of Telegram."""
        await self._all.acquire()


def wait_asked(error: RetryAfter) -> timedelta:
    """Return how long Telegram asks us to wait, and a little more for its clock to be past it."""
    # The public name is a number, and warns that it will be this.
    return error._retry_after + timedelta(milliseconds=100)
