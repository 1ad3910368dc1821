"""Understands a question: what is asked (the intent) and about what (the subject).

The characters and the words of the folded text, weighed by TF-IDF, feed two
linear classifiers, one for the intent, one for the subject that each example's
block declares (`metadata: subject:` in `nlu/*.yml`). Small, quick to train, and
robust to spelling; chosen by `make bench`, see `docs/`. Names found by
`SubjectMentions` become one token, whatever the words and spelling used. The
intent is ranked for each family of subjects: what is meant depends on what it
is asked of, and that may be known from the conversation alone.
"""

from __future__ import annotations

import itertools
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Text, Tuple

import numpy as np
import skops.io
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import ENTITIES, INTENT, METADATA, METADATA_INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion

from nlu.components.parts import Part, pieces, split
from nlu.components.ranker import Ranker, Ranking
from nlu.components.spelling_corrector import folded
from nlu.components.subject_mentions import SUBJECT
from nlu.components.text import Folded

INTENT_RANKING = "intent_ranking"
SUBJECT_RANKING = "subject_ranking"
NO_SUBJECT = ""
"""The class of examples whose subject is the conversation's: `None` in the ranking."""
PARTS = "parts"
"""The same rankings for each part of a message that has several."""
PIECES = "pieces"
"""The same for the things that a part, or a message of one part, may join."""
BY_FAMILY = "intent_ranking_by_family"
"""The ranking of the intents as if the message were about each family of subjects."""
_FILE = "question_classifier.skops"


class Trained(NamedTuple):
    """All that training gives."""

    features: FeatureUnion
    intents: Ranker
    subjects: Ranker


def marked(text: Folded, named: Sequence[Dict[Text, Any]], start: int = 0, end: int = -1) -> Text:
    """Return a folded text, or its part from `start` to `end` (of the text it comes from).

    Each subject named in it is one token.
    """
    tokens = {entity["start"]: f" xx{entity['value']}xx " for entity in named}
    hidden = {place for entity in named for place in range(entity["start"], entity["end"])}
    pieces: List[Text] = []
    for character, place in zip(text.text, text.offsets, strict=True):
        if start <= place and (place < end or end < 0):
            pieces.append(tokens.pop(place, "") if place in hidden else character)
    return " ".join("".join(pieces).split())


def _named(message: Message) -> List[Dict[Text, Any]]:
    return [entity for entity in message.get(ENTITIES, []) if entity["entity"] == SUBJECT]


def declared_subject(example: Message) -> Text:
    """Return the subject that the example's block declares, or `NO_SUBJECT`."""
    block = (example.get(METADATA) or {}).get(METADATA_INTENT) or {}
    return block.get("subject") or NO_SUBJECT


def _untrained_features(config: Dict[Text, Any]) -> FeatureUnion:
    views = {"characters": _characters(config), "words": _words()}
    return FeatureUnion([(name, view) for name, view in views.items() if config[name]])


def _characters(config: Dict[Text, Any]) -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(2, config["longest_ngram"]),
        sublinear_tf=True,
        min_df=2,
        dtype=np.float32,
    )


def _words() -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer="word",
        token_pattern=r"[^ ]+",  # noqa: S106 (no password)
        ngram_range=(1, 2),
        sublinear_tf=True,
        dtype=np.float32,
    )


# As one text and one array: skops writes each entry of a vocabulary in fifty times its size.
def _stored(features: FeatureUnion) -> List[Any]:
    views = (view for _, view in features.transformer_list)
    return [["\n".join(view.get_feature_names_out()), view.idf_] for view in views]


def _restored(config: Dict[Text, Any], stored: List[Any]) -> FeatureUnion:
    features = _untrained_features(config)
    for (_, view), (names, idf) in zip(features.transformer_list, stored, strict=True):
        view.set_params(vocabulary=names.split("\n"))
        view.idf_ = idf
    return features


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class QuestionClassifier(GraphComponent, IntentClassifier):
    """Sets `intent`, `intent_ranking` and `subject_ranking`. See the module's words."""

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """Longest character n-gram; scikit-learn's C: the larger, the closer to the examples.

        `characters` and `words` are the two views of a text; at least one is needed.
        `families` gives the subjects that belong to a main one.
        """
        return {
            "longest_ngram": 5,
            "regularisation": 1.5,
            "characters": True,
            "words": True,
            "families": {},
        }

    def __init__(
        self,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        trained: Optional[Trained] = None,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._trained = trained
        self._family = {
            member: family for family, members in config["families"].items() for member in members
        }

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> QuestionClassifier:
        """Return an untrained component."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> QuestionClassifier:
        """Return a trained component."""
        with model_storage.read_from(resource) as folder:
            stored, *rankers = skops.io.load(folder / _FILE, trusted=True)
        intents, subjects = (Ranker(*ranker) for ranker in rankers)
        trained = Trained(_restored(config, stored), intents, subjects)
        return cls(config, model_storage, resource, trained)

    def train(self, training_data: TrainingData) -> Resource:
        """Train on the examples, and store what was learnt."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        union = _untrained_features(self._config)
        matrix = union.fit_transform([marked(folded(e), _named(e)) for e in examples])
        regularisation = self._config["regularisation"]
        aims = [example.get(INTENT) for example in examples]
        about = [declared_subject(example) for example in examples]
        families = self._families_of(list(zip(aims, about, strict=True)))
        self._trained = Trained(
            union,
            Ranker.fitted(matrix, aims, regularisation, families),
            Ranker.fitted(matrix, about, regularisation),
        )
        with self._model_storage.write_to(self._resource) as folder:
            rankers = [list(self._trained.intents), list(self._trained.subjects)]
            skops.io.dump([_stored(union), *rankers], folder / _FILE)
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Rank the intents and the subjects of each message that has a text."""
        if self._trained is None:
            return messages
        for message in messages:
            if not message.get(TEXT):
                continue
            raw = message.get(TEXT)
            parts = split(raw)
            joined = [pieces(raw, p.start, p.end) for p in parts or [Part(0, len(raw), True)]]
            whole, *told = self._rank(message, [*parts, *itertools.chain(*joined)])
            told, of_pieces = told[: len(parts)], iter(told[len(parts) :])
            for one, some in zip(told or [whole], joined, strict=True):
                one[PIECES] = list(itertools.islice(of_pieces, len(some)))
            for key, value in whole.items():
                message.set(key, value, add_to_output=True)
            message.set(PARTS, told, add_to_output=True)
        return messages

    def _rank(self, message: Message, parts: List[Part]) -> List[Dict[Text, Any]]:
        """Return what is told of a message, then of each of these parts."""
        assert self._trained is not None
        text, named = folded(message), _named(message)
        texts = [marked(text, named), *(marked(text, named, p.start, p.end) for p in parts)]
        features = self._trained.features.transform(texts)
        subjects = self._trained.subjects.rank(features)
        intents = self._trained.intents.rank_by_family(
            features, [self._families(ranking) for ranking in subjects]
        )
        told: List[Dict[Text, Any]] = [
            {
                INTENT: ranking[0],
                INTENT_RANKING: ranking,
                BY_FAMILY: by_family,
                SUBJECT_RANKING: subjects[place],
            }
            for place, (ranking, by_family) in enumerate(intents)
        ]
        for one, part in zip(told[1:], parts, strict=True):
            entities = message.get(ENTITIES, [])
            inside = [e for e in entities if part.start <= e["start"] < part.end]
            one.update({ENTITIES: inside, "asks": part.asks})
        return told

    def _families_of(self, examples: Sequence[Tuple[Text, Text]]) -> List[Tuple[Text, ...]]:
        """Return the families that each example (its intent and its subject) is learnt for.

        What is never said of a subject, a courtesy or something quite different,
        may come amid any of them: each family learns its share of that.
        """
        names = [self._family.get(subject, subject) for _, subject in examples]
        turns = itertools.cycle(sorted(set(names) - {NO_SUBJECT}) or [NO_SUBJECT])
        said = {intent for intent, subject in examples if subject}
        return [
            (name,) if intent in said else tuple({name, next(turns)})
            for name, (intent, _) in zip(names, examples, strict=True)
        ]

    def _families(self, subjects: Ranking) -> Dict[Text, float]:
        """Return how likely each family is."""
        families: Dict[Text, float] = {}
        for subject in subjects:
            name = subject["name"] or NO_SUBJECT
            family = self._family.get(name, name)
            families[family] = families.get(family, 0.0) + subject["confidence"]
        return families
