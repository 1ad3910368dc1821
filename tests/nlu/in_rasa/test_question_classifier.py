"""Run by `tests/nlu/test_in_rasa.py` in Rasa's environment: stdlib `unittest` only."""

import tempfile
import unittest
from pathlib import Path

from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.message import Message

from nlu.components.question_classifier import QuestionClassifier
from nlu.components.subject_mentions import SubjectMentions

DATA = """
version: "3.1"
nlu:
- synonym: axe_1
  examples: |
    - axe 1
    - premier axe
- intent: montant
  metadata: {subject: axe_1}
  examples: |
    - combien d'argent pour l'axe 1
    - quel budget a le premier axe
    - la somme prévue pour l'axe 1
- intent: montant
  metadata: {subject: fonds}
  examples: |
    - combien d'argent dans le fonds
    - quel budget pour le fonds
    - la somme prévue par le fonds
- synonym: ~axe_1
  examples: |
    - le premier
- intent: greet
  examples: |
    - bonjour
    - bonsoir madame
    - salut à vous
"""


class Understanding(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        path = Path(folder.name)
        (path / "nlu.yml").write_text(DATA, encoding="utf-8")
        data = load_data(str(path / "nlu.yml"))
        storage = LocalModelStorage(path)
        context = ExecutionContext(GraphSchema({}))
        names, questions = Resource("names"), Resource("questions")
        mentions = SubjectMentions.create({}, storage, names, context)
        mentions.train(data)
        mentions.process_training_data(data)
        config = {**QuestionClassifier.get_default_config(), "families": {"fonds": ["axe_1"]}}
        classifier = QuestionClassifier.create(config, storage, questions, context)
        classifier.train(data)
        cls.trained = mentions, classifier
        cls.loaded = (
            SubjectMentions.load({}, storage, names, context),
            QuestionClassifier.load(config, storage, questions, context),
        )

    def parse(self, text, components=None):
        message = Message({TEXT: text})
        for component in components or self.trained:
            component.process([message])
        return message

    def test_the_aspect_and_the_subject_are_ranked(self):
        message = self.parse("Combien d'argent pour l'AXE 1 ?")
        self.assertEqual(message.get(INTENT)["name"], "montant")
        self.assertEqual(message.get("subject_ranking")[0]["name"], "axe_1")
        self.assertEqual(self.parse("bonjour").get(INTENT)["name"], "greet")
        total = sum(item["confidence"] for item in message.get("intent_ranking"))
        self.assertAlmostEqual(total, 1.0, places=3)

    def test_no_subject_is_none(self):
        self.assertIsNone(self.parse("bonjour").get("subject_ranking")[0]["name"])

    def test_a_name_is_an_entity_in_its_place(self):
        text = "Et le Premier Axe ?"
        (entity,) = self.parse(text).get(ENTITIES)
        self.assertEqual(entity["value"], "axe_1")
        self.assertEqual(text[entity["start"] : entity["end"]], "Premier Axe")

    def test_the_intents_are_ranked_for_each_family(self):
        by_family = self.parse("quel budget ?").get("intent_ranking_by_family")
        self.assertEqual(set(by_family), {"", "fonds"})
        self.assertEqual(by_family["fonds"][0]["name"], "montant")
        # A courtesy may come amid any subject.
        greeting = self.parse("bonjour").get("intent_ranking_by_family")
        self.assertEqual(greeting["fonds"][0]["name"], "greet")

    def test_a_rank_that_stands_alone_is_a_relative(self):
        (entity,) = self.parse("et le premier ?").get(ENTITIES)
        self.assertEqual((entity["entity"], entity["value"]), ("relative", "axe_1"))
        for text in ("le premier versement", "le 1er mars"):
            self.assertEqual(self.parse(text).get(ENTITIES), [], text)
        (entity,) = self.parse("et le premier axe ?").get(ENTITIES)
        self.assertEqual(entity["entity"], "subject")

    def test_a_stored_model_says_the_same(self):
        for text in ("quel budget ?", "premier axe", "bonjour", "🙂", "x" * 20_000):
            one, other = self.parse(text), self.parse(text, self.loaded)
            for key in ("intent_ranking", "subject_ranking"):
                self.assertEqual(
                    [item["name"] for item in one.get(key)],
                    [item["name"] for item in other.get(key)],
                )
            key = "intent_ranking_by_family"
            self.assertEqual(one.get(key), other.get(key))

    def test_an_empty_text_is_left_alone(self):
        self.assertIsNone(self.parse("").get("subject_ranking"))
