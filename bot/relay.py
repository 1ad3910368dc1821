"""The relay: messages are rows before they are anything else.

An adapter `receive`s: the message is stored, and only then acknowledged. The
worker (`run`) answers what is due, one conversation at a time and in order, and
stores the replies in the transaction that marks the message done. Nothing is
kept in memory that a restart would lose.
"""

import asyncio
import hashlib
import random
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from bot.arrivals import Arrivals
from bot.metrics import Metrics
from bot.processes import here, is_gone
from bot.rasa import Fault, Turn
from bot.retries import retry_delay
from knowledge import OUT_OF_SCOPE
from storage import inbox
from storage.database import Database
from storage.inbox import Claim, LeaseLost, Received
from storage.times import utc_now

AT_ONCE = 16
"""How many conversations one process answers at the same time."""
POLL = 1.0
"""How often due retries and other processes' messages are looked for, in seconds."""
LONGEST_RETRY = timedelta(seconds=60)
"""Longest wait before a message is tried again."""
GIVE_UP_AFTER = 4320
"""Attempts after which a message is given up: three days of them, longer than a
week-end's outage, so that only one which Rasa can never answer ends there and
stops holding up those behind it."""
STOP_GRACE = 3.0
"""How long running turns may still take when the process stops, in seconds."""

log = structlog.get_logger()


def short(conversation_id: str) -> str:
    """Return what a log says of a conversation: enough to follow it, no more."""
    return hashlib.sha256(conversation_id.encode()).hexdigest()[:8]


def off_subject(outcome: Mapping[str, Any] | None) -> bool:
    """Tell whether what was said has nothing to do with our subjects: then it is not kept.

    It may well be about somebody's health or papers.
    """
    return outcome is not None and outcome.get("references") == [OUT_OF_SCOPE]


class Dialogue(Protocol):
    """Whoever answers: the reception, or what stands for it in a test."""

    async def answer(self, held: Claim) -> Turn:
        """Answer the claimed message; raise `Fault` if there is no answer yet."""


class Relay:
    """Receives messages and answers them; one a process, any number on a database.

    `sentences["unavailable"]` is what people read, once, when their message
    cannot be answered yet.
    """

    def __init__(
        self,
        database: Database,
        dialogue: Dialogue,
        arrivals: Arrivals,
        metrics: Metrics,
        sentences: Mapping[str, str],
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._dialogue = dialogue
        self._arrivals = arrivals
        self._metrics = metrics
        self._unavailable = sentences["unavailable"]
        self._clock = clock
        # Its own in the process: what it holds when it stops is given back.
        self._name = f"{here()}:{secrets.token_hex(2)}"
        self._wake = asyncio.Event()
        self._turns: set[asyncio.Task[None]] = set()

    async def receive(
        self, conversation_id: str, *, scope: str, external_id: str, text: str, payload: str | None
    ) -> Received:
        """Store a message, to be answered soon; a second delivery changes nothing.

        Raises:
            storage.inbox.UnknownConversation: there is none under this id.
            storage.inbox.DifferentContent: `external_id` is another message's.
        """
        async with self._database.write() as session:
            received = await inbox.receive(
                session,
                conversation_id,
                scope=scope,
                external_id=external_id,
                text=text,
                payload=payload,
                now=self._clock(),
            )
        self.announce(conversation_id, received)
        return received

    def announce(self, conversation_id: str, received: Received) -> None:
        """Have a message that was stored answered at once, rather than at the next look."""
        if received.fresh:
            self._metrics.received.inc()
            self._arrivals.ring(conversation_id)
            self._wake.set()
            log.info("message_received", conversation=short(conversation_id), seq=received.seq)

    async def run(self) -> None:
        """Answer what is due, until cancelled; then let running turns end."""
        # Of those that were killed on this machine, nobody has to wait for the end.
        await self._release_left(is_gone)
        try:
            while True:
                while len(self._turns) >= AT_ONCE:
                    await asyncio.wait(self._turns, return_when=asyncio.FIRST_COMPLETED)
                self._wake.clear()
                claim = await self._claim()
                if claim is not None:
                    turn = asyncio.create_task(self._serve(claim))
                    self._turns.add(turn)
                    turn.add_done_callback(self._turns.discard)
                    continue
                try:
                    async with asyncio.timeout(POLL):
                        await self._wake.wait()
                except TimeoutError:
                    pass
        finally:
            await self._finish_turns()
            # One may have been claimed as we were told to stop.
            await self._release_left(lambda holder: holder == self._name)

    async def _release_left(self, gone: Callable[[str], bool]) -> None:
        """Free the conversations that are held by who answers no more."""
        try:
            async with self._database.write() as session:
                await inbox.release_left(session, gone)
        except Exception as error:  # then their leases end by themselves
            _log_failure("leases_not_released", error)

    async def _finish_turns(self) -> None:
        if not self._turns:
            return
        _, late = await asyncio.wait(self._turns, timeout=STOP_GRACE)
        for turn in late:
            turn.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _claim(self) -> Claim | None:
        try:
            # Looking takes no lock; only what is there to take does.
            async with self._database.read() as session:
                ids = await inbox.waiting(session, self._clock(), AT_ONCE)
            # Several processes see the same ones: let them not all try the first.
            for conversation_id in random.sample(ids, len(ids)):
                async with self._database.write() as session:
                    claim = await inbox.claim(session, conversation_id, self._name, self._clock())
                if claim is not None:
                    return claim
        except Exception as error:  # whatever it is, the worker must not end of it
            _log_failure("inbox_not_read", error)
        return None

    async def _serve(self, claim: Claim) -> None:
        """Answer the messages of a claimed conversation until none is due."""
        held: Claim | None = claim
        try:
            while held is not None:
                held = await self._turn(held)
        except LeaseLost:
            log.warning("lease_lost", conversation=short(claim.conversation_id))
        except asyncio.CancelledError:
            # Stopping: another process need not wait for the lease to end.
            async with self._database.write() as session:
                await inbox.release(session, claim)
            raise
        except Exception as error:  # the lease ends by itself, and the message is tried again
            _log_failure("turn_not_stored", error, conversation=short(claim.conversation_id))

    async def _turn(self, held: Claim) -> Claim | None:
        """Answer one message; return the claim on the next one due, if any."""
        message = held.message
        about = {"conversation": short(held.conversation_id), "seq": message.seq}
        started = time.monotonic()
        try:
            turn = await self._answered(held)
        except Fault as fault:
            self._metrics.faults.labels(fault.reason).inc()
            await self._postpone(held)
            log.warning("turn_failed", **about, reason=fault.reason, attempts=message.attempts + 1)
            return None
        seconds = time.monotonic() - started
        if turn.erased:
            self._arrivals.ring(held.conversation_id)
            log.info("conversation_erased", **about)
            return None
        async with self._database.write() as session:
            following = await inbox.answer(
                session,
                held,
                turn.replies,
                turn.outcome,
                self._clock(),
                forget=message.payload is None and off_subject(turn.outcome),
            )
        self._metrics.turns.observe(seconds)
        self._metrics.sent.inc(len(turn.replies))
        self._arrivals.ring(held.conversation_id)
        log.info("turn_answered", **about, seconds=round(seconds, 3), replies=len(turn.replies))
        return following

    async def _answered(self, held: Claim) -> Turn:
        try:
            return await self._dialogue.answer(held)
        except Fault:
            raise
        except SQLAlchemyError as error:
            if not isinstance(error, DataError | IntegrityError):
                raise
            raise Fault("crashed") from None
        except Exception as error:  # a mistake of ours must not hold up those behind for ever
            _log_failure("turn_crashed", error, conversation=short(held.conversation_id))
            raise Fault("crashed") from None

    async def _postpone(self, held: Claim) -> None:
        message, now = held.message, self._clock()
        attempts = message.attempts + 1
        given_up = attempts >= GIVE_UP_AFTER
        notice = self._unavailable if message.attempts == 0 else None
        async with self._database.write() as session:
            await inbox.postpone(
                session,
                held,
                retry_at=None if given_up else now + retry_delay(attempts, LONGEST_RETRY),
                notice=notice,
                now=now,
            )
        if notice:
            self._metrics.sent.inc()
            self._arrivals.ring(held.conversation_id)
        if given_up:
            log.error("message_given_up", conversation=short(held.conversation_id), seq=message.seq)


def _log_failure(event: str, error: Exception, **about: str) -> None:
    # The database's own errors may quote a row, hence what somebody wrote.
    traceback = not isinstance(error, SQLAlchemyError)
    log.error(event, **about, error=type(error).__name__, exc_info=traceback)
