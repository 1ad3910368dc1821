"""Understands a question: what is asked (the intent) and about what (the subject).

The characters and the words of the folded text, weighed by TF-IDF, feed two
linear classifiers, one for the intent, one for the subject that each example's
block declares (`metadata: subject:` in `nlu/*.yml`). Small, quick to train, and
robust to spelling; chosen by `make bench`, see `docs/`. Names found by
`SubjectMentions` become one token, whatever the words and spelling used.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Text

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
from scipy.optimize import minimize_scalar
from scipy.sparse import spmatrix
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

from nlu.components.parts import Part, split
from nlu.components.spelling_corrector import folded
from nlu.components.subject_mentions import SUBJECT
from nlu.components.text import Folded

INTENT_RANKING = "intent_ranking"
SUBJECT_RANKING = "subject_ranking"
NO_SUBJECT = ""
"""The class of examples whose subject is the conversation's: `None` in the ranking."""
PARTS = "parts"
"""The same rankings for each part of a message that has several."""
RANKED = 10
"""How many intents and subjects are worth telling: the action server receives them."""
_PARTS = 5
"""One part in so many is held out to measure how sure the classifiers may be."""
_TOLERANCE = 1e-2
"""When the training of a classifier stops: a finer one takes longer and understands no better."""
_FILE = "question_classifier.skops"


class Ranker(NamedTuple):
    """A classifier whose scores become probabilities by one measured temperature."""

    classifier: LinearSVC
    temperature: float

    @classmethod
    def fitted(cls, features: spmatrix, labels: Sequence[Text], regularisation: float) -> Ranker:
        """Train on `features`; the temperature is that which fits a part held out at first."""
        names, true = np.unique(labels, return_inverse=True)
        parts = max(2, min(_PARTS, int(np.bincount(true).min())))
        learnt, held_out = next(
            StratifiedKFold(parts, shuffle=True, random_state=0).split(features, true)
        )
        untrained = LinearSVC(C=regularisation, tol=_TOLERANCE, random_state=0)
        trial = clone(untrained).fit(features[learnt], names[true[learnt]])
        scores = _two_or_more(trial.decision_function(features[held_out]))

        def loss(temperature: float) -> float:
            probabilities = log_softmax(scores / temperature, axis=1)
            return -float(probabilities[np.arange(len(held_out)), true[held_out]].mean())

        best = minimize_scalar(loss, bounds=(0.02, 2.0), method="bounded")
        return cls(untrained.fit(features, labels), float(best.x))

    def rank(self, features: spmatrix) -> List[List[Dict[Text, Any]]]:
        """Return the likeliest classes of each text, likeliest first."""
        scores = self.classifier.decision_function(features)
        probabilities = softmax(_two_or_more(scores) / self.temperature, axis=1)
        return [
            [
                {
                    "name": str(self.classifier.classes_[index]) or None,
                    "confidence": float(row[index]),
                }
                for index in np.argsort(-row)[:RANKED]
            ]
            for row in probabilities
        ]


def _two_or_more(scores: np.ndarray) -> np.ndarray:
    """Return a column for each class: scikit-learn gives one for two."""
    return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores


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


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class QuestionClassifier(GraphComponent, IntentClassifier):
    """Sets `intent`, `intent_ranking` and `subject_ranking`. See the module's words."""

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """Longest character n-gram; scikit-learn's C: the larger, the closer to the examples.

        `characters` and `words` are the two views of a text; at least one is needed.
        """
        return {"longest_ngram": 5, "regularisation": 1.5, "characters": True, "words": True}

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
            features, *rankers = skops.io.load(folder / _FILE, trusted=True)
        intents, subjects = (Ranker(*ranker) for ranker in rankers)
        return cls(config, model_storage, resource, Trained(features, intents, subjects))

    def train(self, training_data: TrainingData) -> Resource:
        """Train on the examples, and store what was learnt."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        union = _untrained_features(self._config)
        matrix = union.fit_transform([marked(folded(e), _named(e)) for e in examples])
        regularisation = self._config["regularisation"]
        labels = [
            [example.get(INTENT) for example in examples],
            [declared_subject(example) for example in examples],
        ]
        # Both at once: scikit-learn lets go of Python's lock while it trains.
        with ThreadPoolExecutor(len(labels)) as pool:
            intents, subjects = pool.map(
                lambda column: Ranker.fitted(matrix, column, regularisation), labels
            )
        self._trained = Trained(union, intents, subjects)
        with self._model_storage.write_to(self._resource) as folder:
            skops.io.dump([union, list(intents), list(subjects)], folder / _FILE)
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Rank the intents and the subjects of each message that has a text."""
        if self._trained is None:
            return messages
        for message in messages:
            if not message.get(TEXT):
                continue
            text, named = folded(message), _named(message)
            whole, *parts = self._rank(text, named, split(message.get(TEXT)))
            for key, value in whole.items():
                message.set(key, value, add_to_output=True)
            message.set(PARTS, parts, add_to_output=True)
        return messages

    def _rank(
        self, text: Folded, named: List[Dict[Text, Any]], parts: List[Part]
    ) -> List[Dict[Text, Any]]:
        """Return what is told of a message, then of each of its parts."""
        assert self._trained is not None
        texts = [marked(text, named), *(marked(text, named, p.start, p.end) for p in parts)]
        features = self._trained.features.transform(texts)
        told: List[Dict[Text, Any]] = [
            {INTENT: intents[0], INTENT_RANKING: intents, SUBJECT_RANKING: subjects}
            for intents, subjects in zip(
                self._trained.intents.rank(features),
                self._trained.subjects.rank(features),
                strict=True,
            )
        ]
        for one, part in zip(told[1:], parts, strict=True):
            inside = [e for e in named if part.start <= e["start"] < part.end]
            one.update({ENTITIES: inside, "asks": part.asks})
        return told
