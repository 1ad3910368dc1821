"""Run by `tests/nlu/test_in_rasa.py` in Rasa's environment: stdlib `unittest` only."""

import asyncio
import os
import tempfile
import unittest
import uuid

from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from nlu.components.tracker_store import KEPT_TURNS, BoundedTrackerStore

DOMAIN = Domain.from_yaml(
    """
version: "3.1"
intents: [ask]
slots:
  subject: {type: text, influence_conversation: false, mappings: [{type: custom}]}
  misses: {type: float, initial_value: 0, influence_conversation: false, mappings: [{type: custom}]}
actions: [action_answer]
forms:
  candidature: {required_slots: []}
"""
)


def turn(tracker, number):
    tracker.update(ActionExecuted("action_listen"))
    intent = {"name": "ask", "confidence": 1.0}
    entity = {"entity": "subject", "value": "axe_1", "start": 0, "end": 8}
    parse = {"intent": intent, "entities": [entity], "parts": [{"intent": intent}]}
    tracker.update(UserUttered(f"question {number}", intent, [entity], parse))
    tracker.update(SlotSet("subject", f"subject {number}"))
    tracker.update(ActionExecuted("action_answer"))
    tracker.update(BotUttered("réponse " * 20))


def kept(tracker):
    """Return what the kept turns set, in order."""
    slots = [event for event in tracker.events if isinstance(event, SlotSet)]
    return [event.value for event in slots if event.key == "subject"]


class OnADatabase:
    url = ""

    def setUp(self):
        self.store = BoundedTrackerStore(DOMAIN, host=self.url)
        self.sender = uuid.uuid4().hex

    def tearDown(self):
        self.store.engine.dispose()

    def converse(self, turns):
        """Save and retrieve at each turn, as Rasa does; return the tracker's last state."""

        async def play():
            for number in range(turns):
                tracker = await self.store.get_or_create_tracker(self.sender)
                if not number:
                    tracker.update(ActionExecuted("action_session_start"))
                    tracker.update(SessionStarted())
                turn(tracker, number)
                await self.store.save(tracker)
            return await self.store.retrieve(self.sender)

        return asyncio.run(play())

    def test_an_unknown_sender_has_no_tracker(self):
        self.assertIsNone(asyncio.run(self.store.retrieve("nobody")))

    def test_a_short_conversation_is_kept_whole(self):
        tracker = self.converse(KEPT_TURNS)
        self.assertEqual(kept(tracker), [f"subject {number}" for number in range(KEPT_TURNS)])

    def test_a_long_conversation_stays_small_and_keeps_its_thread(self):
        tracker = self.converse(300)
        self.assertLess(len(tracker.events), 10 * (KEPT_TURNS + 1))
        self.assertEqual(tracker.get_slot("subject"), "subject 299")
        self.assertEqual(tracker.get_slot("misses"), 0)
        self.assertLess(len(self.store._read(self.sender)), 20_000)
        last = [f"subject {number}" for number in range(300 - KEPT_TURNS, 300)]
        self.assertEqual(kept(tracker)[-KEPT_TURNS:], last)
        times = [event.timestamp for event in tracker.events]
        self.assertEqual(times, sorted(times))

    def test_nothing_that_was_typed_is_kept_but_its_sense(self):
        tracker = self.converse(KEPT_TURNS * 2)
        stored = self.store._read(self.sender)
        for word in ("question", '"parts"', '"start"'):
            self.assertNotIn(word, stored)
        said = [event for event in tracker.events if isinstance(event, UserUttered)]
        self.assertEqual(len(said), KEPT_TURNS)
        self.assertEqual({event.intent_name for event in said}, {"ask"})
        self.assertEqual(said[-1].entities, [{"entity": "subject", "value": "axe_1"}])

    def test_what_was_set_before_the_cut_outlives_it(self):
        async def play():
            tracker = DialogueStateTracker(self.sender, DOMAIN.slots)
            tracker.update(SlotSet("misses", 7.0))
            tracker.update(ActionExecuted("candidature"))
            tracker.update(ActiveLoop("candidature"))
            for number in range(KEPT_TURNS * 3):
                turn(tracker, number)
            await self.store.save(tracker)
            return await self.store.retrieve(self.sender)

        tracker = asyncio.run(play())
        self.assertEqual(tracker.get_slot("misses"), 7.0)
        self.assertEqual(tracker.active_loop_name, "candidature")

    def test_conversations_do_not_mix(self):
        self.converse(2)
        other, self.sender = self.sender, uuid.uuid4().hex
        self.converse(1)
        keys = set(asyncio.run(self.store.keys()))
        self.assertLessEqual({other, self.sender}, keys)
        self.assertEqual(asyncio.run(self.store.retrieve(other)).get_slot("subject"), "subject 1")


class OnSqlite(OnADatabase, unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.url = f"sqlite:///{self.folder.name}/rasa.db"
        super().setUp()


@unittest.skipUnless(os.environ.get("TEST_POSTGRESQL_URL"), "no PostgreSQL server")
class OnPostgresql(OnADatabase, unittest.TestCase):
    url = os.environ.get("TEST_POSTGRESQL_URL", "")
