"""Run by `tests/nlu/test_in_rasa.py` in Rasa's environment: stdlib `unittest` only."""

import asyncio
import json
import tempfile
import time
import unittest
from pathlib import Path

import skops.io  # noqa: F401  # much slower once TensorFlow is there: see nlu/__main__.py
from rasa.core.processor import MessageProcessor
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader
from rasa.shared.nlu.training_data.message import Message

from nlu.components.question_classifier import QuestionClassifier
from nlu.components.subject_mentions import SubjectMentions
from nlu.components.tracker_store import KEPT_TURNS, BoundedTrackerStore, bounded

DOMAIN = Domain.from_yaml(
    """
version: "3.1"
intents: [ask]
slots:
  subject: {type: text, influence_conversation: false, mappings: [{type: custom}]}
  misses: {type: float, initial_value: 0, influence_conversation: false, mappings: [{type: custom}]}
forms:
  candidature: {required_slots: []}
session_config: {session_expiration_time: 60, carry_over_slots_to_new_session: true}
"""
)
DAY = 86_400.0


def conversation(turns, started):
    """A conversation of one turn a minute; its form begins at the first."""
    tracker = DialogueStateTracker("somebody", DOMAIN.slots)
    tracker.update(ActionExecuted("action_session_start", timestamp=started))
    tracker.update(SessionStarted(timestamp=started))
    tracker.update(SlotSet("subject", "fonds", timestamp=started))
    tracker.update(ActiveLoop("candidature", timestamp=started))
    for number in range(turns):
        at = started + 60.0 * number
        tracker.update(ActionExecuted("action_listen", timestamp=at))
        tracker.update(UserUttered(f"question {number}", {"name": "ask"}, timestamp=at + 1))
    return tracker


def expired(tracker):
    """Whether Rasa would start a new session."""
    processor = MessageProcessor.__new__(MessageProcessor)
    processor.domain = DOMAIN
    return processor._has_session_expired(tracker)


class Bounds(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.store = BoundedTrackerStore(DOMAIN, host=f"sqlite:///{folder.name}/rasa.db")
        self.addCleanup(self.store.engine.dispose)

    def saved(self, tracker):
        async def play():
            await self.store.save(tracker)
            return await self.store.retrieve(tracker.sender_id)

        return asyncio.run(play())

    def test_saving_changes_nothing_of_the_tracker_in_use(self):
        tracker = conversation(KEPT_TURNS * 3, time.time() - DAY)
        before = json.dumps([event.as_dict() for event in tracker.events])
        saved = self.saved(tracker)
        self.assertEqual(json.dumps([event.as_dict() for event in tracker.events]), before)
        for one in (tracker, saved):
            self.assertEqual(one.get_slot("subject"), "fonds")
            self.assertEqual(one.active_loop_name, "candidature")

    def test_the_size_does_not_grow_with_the_conversation(self):
        sizes = [len(bounded(conversation(turns, 1e9))) for turns in (10, 300)]
        self.assertEqual(sizes[0], sizes[1])

    def test_bounding_twice_is_bounding_once(self):
        once = bounded(conversation(50, 1e9))
        again = DialogueStateTracker.from_events("somebody", once, DOMAIN.slots)
        self.assertEqual(
            [event.as_dict() for event in bounded(again)], [event.as_dict() for event in once]
        )

    def test_a_session_is_as_old_as_its_last_message(self):
        """What was cut is neither of now nor of the future, and hides no expiry."""
        now = time.time()
        for started, over in ((now - DAY, True), (now - 30 * 60.0, False)):
            tracker = self.saved(conversation(20, started))
            times = [event.timestamp for event in tracker.events]
            self.assertEqual(times, sorted(times))
            self.assertLessEqual(started, times[0])
            self.assertLessEqual(times[-1], started + 20 * 60.0)
            self.assertEqual(expired(tracker), over)


EXAMPLES = """
version: "3.1"
nlu:
- synonym: axe_1
  examples: |
    - axe 1
- intent: montant
  metadata: {subject: axe_1}
  examples: |
    - combien d'argent pour l'axe 1
    - quel budget a l'axe 1
    - la somme prévue pour l'axe 1
- intent: greet
  examples: |
    - bonjour
    - bonsoir madame
    - salut à vous
"""


class TwoOfEach(unittest.TestCase):
    """Two intents, two subjects: scikit-learn then gives one score, not two."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        data = RasaYAMLReader().reads(EXAMPLES)
        storage = LocalModelStorage(Path(folder.name))
        context = ExecutionContext(GraphSchema({}))
        names, questions = Resource("names"), Resource("questions")
        mentions = SubjectMentions.create({}, storage, names, context)
        mentions.train(data)
        mentions.process_training_data(data)
        config = QuestionClassifier.get_default_config()
        QuestionClassifier.create(config, storage, questions, context).train(data)
        cls.components = [
            SubjectMentions.load({}, storage, names, context),
            QuestionClassifier.load(config, storage, questions, context),
        ]
        cls.untrained = QuestionClassifier.create(config, storage, questions, context)

    def parse(self, text):
        message = Message({TEXT: text})
        for component in self.components:
            component.process([message])
        return message

    def test_rankings_are_distributions_likeliest_first(self):
        for text in ("combien pour l'axe 1 ?", "bonjour", "🙂", "?", "مرحبا", "\u200b"):
            message = self.parse(text)
            for key in (INTENT_RANKING_KEY, "subject_ranking"):
                shares = [item["confidence"] for item in message.get(key)]
                self.assertEqual(shares, sorted(shares, reverse=True), text)
                self.assertAlmostEqual(sum(shares), 1.0, msg=text)
            self.assertEqual(message.get(INTENT), message.get(INTENT_RANKING_KEY)[0])

    def test_the_right_one_of_two(self):
        message = self.parse("quel budget pour l'axe 1 ?")
        self.assertEqual(message.get(INTENT)["name"], "montant")
        self.assertEqual(message.get("subject_ranking")[0]["name"], "axe_1")
        self.assertEqual(self.parse("bonsoir").get(INTENT)["name"], "greet")

    def test_a_very_long_message_takes_no_time(self):
        started = time.perf_counter()
        self.parse("combien pour l'axe 1 ? " * 900)
        self.assertLess(time.perf_counter() - started, 2)

    def test_what_is_not_trained_says_nothing(self):
        message = Message({TEXT: "combien ?"})
        self.untrained.process([message])
        self.assertIsNone(message.get(INTENT))
