"""Run by `tests/nlu/test_in_rasa.py` in Rasa's environment: stdlib `unittest` only."""

import random
import tempfile
import unittest
from pathlib import Path

from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader
from rasa.shared.nlu.training_data.message import Message

from nlu.components.spelling import Spelling, sound
from nlu.components.spelling_corrector import FOLDED, SpellingCorrector, folded
from nlu.components.subject_mentions import SubjectMentions
from nlu.components.text import fold

OURS = {
    "conseiller": 9,
    "numerique": 9,
    "subvention": 9,
    "habilitation": 9,
    "candidature": 9,
    "financement": 9,
    "montant": 9,
    "fonds": 9,
    "axe": 9,
    "depot": 5,
    "depart": 4,
}
FRENCH = ["commune", "ecole", "argent", "aime", "homme", "montent", "conseillez", "dans"]
SPELLING = Spelling(OURS, FRENCH)


def corrected(text):
    return SPELLING.correct(fold(text)).text


class Sounds(unittest.TestCase):
    def test_words_that_sound_the_same_have_one_key(self):
        for words in (
            "numerique numerik numerick numeriques numerike",
            "subvention subvantion subvencion subvension subvantions",
            "combien kombien konbien combiens",
            "habilitation abilitation abilitassion habilitasion",
            "projet projets projai proget projes",
            "conseiller conseiler konseiller conseille conseilez",
            "pharmacie farmacie farmassi",
            "candidater kandidater candidate",
            "eau au o",
            "quand kan can quant",
            "mairie mairi meri mairis",
            "cheque chek sheque",
        ):
            with self.subTest(words):
                self.assertEqual(len({sound(word) for word in words.split()}), 1)

    def test_words_that_sound_otherwise_have_not(self):
        words = "fonds montant mandat axe aide date dossier conseiller versement virement quand"
        self.assertEqual(len({sound(word) for word in words.split()}), len(words.split()))


class Words(unittest.TestCase):
    def test_a_word_is_written_as_it_sounds(self):
        for typed, meant in {
            "numerik": "numerique",
            "subvantion": "subvention",
            "konseiller": "conseiller",
            "kandidature": "candidature",
            "finansement": "financement",
        }.items():
            self.assertEqual(corrected(typed), meant)

    def test_one_slip_is_forgiven_and_two_in_a_long_word(self):
        for typed, meant in {
            "fnods": "fonds",  # two letters swapped are one slip
            "foncs": "fonds",
            "montrant": "montant",
            "mntant": "montant",
            "numetiqie": "numerique",
            "candidtare": "candidature",
            "habbilitatoin": "habilitation",
        }.items():
            self.assertEqual(corrected(typed), meant)

    def test_beyond_that_a_word_is_left_alone(self):
        for typed in ("fnosd", "mnotnat", "mtatant", "candbdtrre", "zzzzzzzz", "x", "xy", "xyz"):
            self.assertEqual(corrected(typed), typed)

    def test_a_french_word_is_left_alone_near_as_it_may_be(self):
        for word in FRENCH:
            self.assertEqual(corrected(word), word)
        self.assertEqual(Spelling(OURS, ()).corrected("montent"), "montant")

    def test_a_short_word_is_left_alone(self):
        self.assertEqual(corrected("axr"), "axr")
        self.assertEqual(corrected("fon"), "fon")

    def test_of_two_words_the_nearest_wins_and_then_the_commonest(self):
        self.assertEqual(corrected("depat"), "depot")  # a slip from both: the commonest
        self.assertEqual(Spelling({**OURS, "depart": 6}, ()).corrected("depat"), "depart")
        self.assertEqual(corrected("deparr"), "depart")

    def test_what_sounds_the_same_wins_over_what_looks_the_same(self):
        self.assertEqual(Spelling({"apex": 9}, ()).corrected("apel"), "apex")
        self.assertEqual(Spelling({"appel": 1, "apex": 9}, ()).corrected("apel"), "appel")

    def test_a_glued_elision_is_a_word_of_its_own(self):
        for typed, meant in {
            "lecole": "l ecole",
            "dargent": "d argent",
            "jaime": "j aime",
            "quhabilitation": "qu habilitation",
            "lhomme": "l homme",
            "laxe": "l axe",
            "lhabilitassion": "l habilitation",
            "lcommune": "lcommune",  # no elision before a consonant
        }.items():
            self.assertEqual(corrected(typed), meant)

    def test_glued_digits_are_a_word_of_their_own(self):
        for typed, meant in {
            "axe1": "axe 1",
            "axe3b": "axe 3b",
            "fonds2022": "fonds 2022",
            "montan50": "montant 50",
            "covid19": "covid 19",
            "laxe2": "l axe 2",
            "3b": "3b",
            "a4": "a4",
            "2024": "2024",
            "m57x": "m57x",
        }.items():
            self.assertEqual(corrected(typed), meant)

    def test_nothing_known_changes_nothing(self):
        self.assertEqual(Spelling({}, ()).correct(fold("Numérik ?")), fold("Numérik ?"))


class Texts(unittest.TestCase):
    def test_each_word_of_a_text_in_its_place(self):
        typed = "L'Abilitassion, le KONSEILLER numérik… axe1 ?!"
        self.assertEqual(corrected(typed), "l habilitation le conseiller numerique axe 1 ?")

    def test_what_is_right_is_as_it_was(self):
        for text in ("", "🙂", "?", "Le montant de la subvention ?", "100 % œuf ½"):
            self.assertEqual(SPELLING.correct(fold(text)), fold(text))

    def test_a_word_stands_where_it_was_typed(self):
        typed = "Et l'abilitassion, ou axe1 ?"
        text, offsets = SPELLING.correct(fold(typed))
        for word, written in {
            "habilitation": "abilitassion",
            "axe": "axe",
            "1": "1",
            "?": "?",
        }.items():
            start = text.index(word)
            end = start + len(word) - 1
            self.assertEqual(typed[offsets[start] : offsets[end] + 1], written)

    def test_places_stay_in_order_within_the_text(self):
        pieces = [*OURS, *FRENCH, "lhabilitassion", "numerik", "axe1", "fnods", "jaime", "dépôts"]
        pieces += [" ", " ", "'", "?", ", ", "é", "œ", "½", "€", "🙂", "İ", "ß", "x", "1", "l"]
        chance = random.Random(0)
        for _ in range(2000):
            typed = "".join(chance.choices(pieces, k=chance.randrange(12)))
            text, offsets = SPELLING.correct(fold(typed))
            self.assertEqual(len(text), len(offsets), typed)
            self.assertEqual(offsets, sorted(offsets), typed)
            self.assertTrue(all(0 <= place < len(typed) for place in offsets), typed)
            self.assertEqual(text, " ".join(text.split()), typed)

    def test_correcting_twice_is_correcting_once(self):
        once = SPELLING.correct(fold("Lhabilitassion du konseiller numérik : kombien, axe1b ?"))
        self.assertEqual(SPELLING.correct(once), once)


EXAMPLES = """
version: "3.1"
nlu:
- synonym: conseiller_numerique
  examples: |
    - conseiller numérique
- intent: montant
  examples: |
    - combien coûte le conseiller numérique avec badl
    - quelle subvention demander à badl
    - le montant, badl le connaît
    - une subvension exceptionnele
"""


class Component(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.data = RasaYAMLReader().reads(EXAMPLES)
        storage = LocalModelStorage(Path(folder.name))
        context = ExecutionContext(GraphSchema({}))
        words, names = Resource("words"), Resource("names")
        cls.untrained = SpellingCorrector.create({}, storage, words, context)
        cls.trained = SpellingCorrector.create({}, storage, words, context)
        cls.trained.train(cls.data)
        cls.loaded = SpellingCorrector.load({}, storage, words, context)
        SubjectMentions.create({}, storage, names, context).train(cls.data)
        cls.mentions = SubjectMentions.load({}, storage, names, context)

    def parse(self, text, *components):
        message = Message({TEXT: text})
        for component in components or [self.loaded]:
            component.process([message])
        return message

    def test_the_examples_words_are_those_corrected_to(self):
        for typed, meant in {
            "Kel montan ?": "kel montant ?",
            "Le konseillé numérik": "le conseiller numerique",
            "kombien demandé": "combien demande",
            "BALD": "badl",  # no French word, but common among the examples
        }.items():
            for component in (self.trained, self.loaded):
                message = self.parse(typed, component)
                self.assertEqual(folded(message).text, meant)

    def test_a_fault_of_one_example_is_no_word_of_ours(self):
        self.assertEqual(folded(self.parse("subvension")).text, "subvention")
        self.assertEqual(folded(self.parse("subvensio")).text, "subvention")

    def test_french_words_stay_that_no_example_has(self):
        text = "La subversion montante du chien, l'an deux mille"
        self.assertEqual(folded(self.parse(text)), fold(text))

    def test_the_text_itself_is_kept(self):
        message = self.parse("Kel montan ?")
        self.assertEqual(message.get(TEXT), "Kel montan ?")
        self.assertNotIn(FOLDED, message.as_dict(only_output_properties=True))

    def test_an_empty_message_is_left_alone(self):
        for message in (Message({TEXT: ""}), Message({})):
            self.loaded.process([message])
            self.assertIsNone(message.get(FOLDED))
            self.assertEqual(folded(message), fold(""))

    def test_what_is_not_trained_only_folds(self):
        message = self.parse("Kel Montan ?", self.untrained)
        self.assertEqual(folded(message), fold("Kel Montan ?"))

    def test_the_examples_are_left_as_they_are(self):
        before = [example.data.copy() for example in self.data.training_examples]
        self.assertIs(self.loaded.process_training_data(self.data), self.data)
        self.assertEqual([example.data for example in self.data.training_examples], before)

    def test_a_subject_is_found_by_its_corrected_name_where_it_was_typed(self):
        text = "Et le Konseillé numérik, combien ?"
        self.assertEqual(self.parse(text, self.mentions).get(ENTITIES), [])
        (entity,) = self.parse(text, self.loaded, self.mentions).get(ENTITIES)
        self.assertEqual(entity["value"], "conseiller_numerique")
        self.assertEqual(text[entity["start"] : entity["end"]], "Konseillé numérik")
