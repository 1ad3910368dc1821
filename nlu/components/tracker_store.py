"""A tracker store whose cost does not grow with the conversation.

Stock stores keep every event for ever and replay them all at each turn: 13 ms
at the first turn of a sender, 105 ms at the 300th. Nothing here needs them: the
conversation's text is in the relay's rows, the thread is in the slots. So one
row holds one conversation: its slots, its active loop, and its last few turns.
"""

import asyncio
import json
import time
from functools import partial
from typing import Any, Dict, Iterable, List, Optional, Text

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SerializedTrackerAsText, TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.engine.url import make_url

KEPT_TURNS = 4
"""Turns kept whole: enough for any rule's conditions; older ones leave only their slots."""

_metadata = sa.MetaData()
_trackers = sa.Table(
    "rasa_tracker",
    _metadata,
    sa.Column("sender_id", sa.String(255), primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("saved_at", sa.Float, nullable=False, index=True),
)


def bounded(tracker: DialogueStateTracker, kept_turns: int = KEPT_TURNS) -> List[Event]:
    """Return events that stand for `tracker`: its state so far, then its last turns whole."""
    events = list(tracker.events)
    starts = [index for index, event in enumerate(events) if isinstance(event, UserUttered)]
    if len(starts) <= kept_turns:
        return events
    cut = starts[-kept_turns]
    # A turn begins with the assistant listening: keep that event with its message.
    while cut > 0 and not _is_listening(events[cut]):
        cut -= 1
    head, tail = events[:cut], events[cut:]
    before = DialogueStateTracker.from_events(tracker.sender_id, head, tracker.slots.values())
    at = head[-1].timestamp if head else None
    state: List[Event] = [
        ActionExecuted(ACTION_SESSION_START_NAME, timestamp=at),
        SessionStarted(timestamp=at),
    ]
    state += [
        SlotSet(slot.name, slot.value, timestamp=at)
        for slot in before.slots.values()
        if slot.value != slot.initial_value
    ]
    if before.active_loop:
        state.append(ActiveLoop(before.active_loop.name, timestamp=at))
    return state + tail


def without_words(event: Dict[Text, Any]) -> Dict[Text, Any]:
    """Return a stored event with nothing that was said, nor what was made of it but its sense.

    Rules look at intents and entities alone. The words are personal, those of
    the answers too: they tell a draft back. The rankings are ten times as long.
    """
    if event["event"] == BotUttered.type_name:
        return {**event, "text": "", "data": {}}
    if event["event"] != UserUttered.type_name:
        return event
    parse = event["parse_data"]
    entities = [
        {"entity": entity["entity"], "value": entity["value"]}
        for entity in parse.get("entities") or []
    ]
    sense = {"intent": parse.get("intent") or {}, "entities": entities, "text": ""}
    return {**event, "text": "", "parse_data": sense}


def _is_listening(event: Event) -> bool:
    return isinstance(event, ActionExecuted) and event.action_name == ACTION_LISTEN_NAME


class BoundedTrackerStore(TrackerStore, SerializedTrackerAsText):
    """One row a conversation, in SQLite or PostgreSQL. See the module's words.

    `host` is a SQLAlchemy URL (the name is Rasa's, which passes the endpoint's
    `url` under it). The database work is done in a thread: Rasa's own SQL store
    blocks its event loop meanwhile.
    """

    def __init__(
        self,
        domain: Optional[Domain] = None,
        event_broker: Optional[EventBroker] = None,
        host: Text = "sqlite://",
        **kwargs: Any,
    ) -> None:
        super().__init__(domain, event_broker, **kwargs)
        self.engine = _engine(host)
        _metadata.create_all(self.engine)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Store the conversation's bounded state in place of the last one."""
        await self.stream_events(tracker)
        dialogue = tracker.as_dialogue()
        dialogue.events = bounded(tracker)
        told = dialogue.as_dict()
        told["events"] = [without_words(event) for event in told["events"]]
        state = json.dumps(told, ensure_ascii=False)
        await self._in_thread(partial(self._write, tracker.sender_id, state))

    async def retrieve(self, sender_id: Text) -> Optional[DialogueStateTracker]:
        """Return the conversation's tracker, or `None` for an unknown `sender_id`."""
        state = await self._in_thread(partial(self._read, sender_id))
        return None if state is None else self.deserialise_tracker(sender_id, state)

    async def keys(self) -> Iterable[Text]:
        """Return every known sender id."""
        return await self._in_thread(self._all_keys)

    async def _in_thread(self, work: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, work)

    def _read(self, sender_id: Text) -> Optional[Text]:
        query = sa.select(_trackers.c.state).where(_trackers.c.sender_id == sender_id)
        with self.engine.connect() as connection:
            return connection.execute(query).scalar()

    def _write(self, sender_id: Text, state: Text) -> None:
        values: Dict[Text, Any] = {"state": state, "saved_at": time.time()}
        with self.engine.begin() as connection:
            updated = connection.execute(
                _trackers.update().where(_trackers.c.sender_id == sender_id).values(**values)
            )
            if not updated.rowcount:
                connection.execute(_trackers.insert().values(sender_id=sender_id, **values))

    def _all_keys(self) -> List[Text]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(_trackers.c.sender_id)).scalars())


def _engine(url: Text) -> sa.engine.Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        # One driver for Rasa's old SQLAlchemy, whatever the application's URL names.
        return sa.create_engine(parsed.set(drivername="postgresql+psycopg2"), pool_pre_ping=True)
    engine = sa.create_engine(
        parsed.set(drivername="sqlite"), connect_args={"check_same_thread": False, "timeout": 30}
    )

    @sa.event.listens_for(engine, "connect")
    def _several_writers(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine
