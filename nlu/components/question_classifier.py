"""Understands a question: what is asked (the intent) and about what (the subject).

The characters and the words of the folded text, weighed by TF-IDF, feed two
linear classifiers, one for the intent, one for the subject that each example's
block declares (`metadata: subject:` in `nlu/*.yml`). Small, quick to train, and
robust to spelling; chosen by `make bench`, see `docs/`. Names found by
`SubjectMentions` become one token, whatever the words and spelling used.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Text

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
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

from nlu.components.subject_mentions import SUBJECT
from nlu.components.text import fold

INTENT_RANKING = "intent_ranking"
SUBJECT_RANKING = "subject_ranking"
NO_SUBJECT = ""
"""The class of examples whose subject is the conversation's: `None` in the ranking."""
RANKED = 10
"""How many intents and subjects are worth telling: the action server receives them."""
_FOLDS = 4
_FILE = "question_classifier.skops"


class Ranker(NamedTuple):
    """A classifier whose scores become probabilities by one measured temperature."""

    classifier: LinearSVC
    temperature: float

    @classmethod
    def fitted(cls, features: spmatrix, labels: List[Text], regularisation: float) -> Ranker:
        """Train on `features`, then find the temperature that fits on unseen folds."""
        untrained = LinearSVC(C=regularisation, random_state=0)
        _, true = np.unique(labels, return_inverse=True)
        folds = StratifiedKFold(
            max(2, min(_FOLDS, int(np.bincount(true).min()))), shuffle=True, random_state=0
        )
        scores = cross_val_predict(
            untrained, features, labels, cv=folds, method="decision_function"
        )
        if scores.ndim == 1:  # scikit-learn gives one column for two classes
            scores = np.column_stack([-scores, scores])

        def loss(temperature: float) -> float:
            probabilities = log_softmax(scores / temperature, axis=1)
            return -float(probabilities[np.arange(len(true)), true].mean())

        best = minimize_scalar(loss, bounds=(0.02, 2.0), method="bounded")
        return cls(untrained.fit(features, labels), float(best.x))

    def rank(self, features: spmatrix) -> List[Dict[Text, Any]]:
        """Return the likeliest classes of one text, likeliest first."""
        scores = np.atleast_1d(np.squeeze(self.classifier.decision_function(features)))
        if len(scores) == 1:
            scores = np.array([-scores[0], scores[0]])
        probabilities = softmax(scores / self.temperature)
        best = np.argsort(-probabilities)[:RANKED]
        return [
            {
                "name": str(self.classifier.classes_[index]) or None,
                "confidence": float(probabilities[index]),
            }
            for index in best
        ]


class Trained(NamedTuple):
    """All that training gives."""

    features: FeatureUnion
    intents: Ranker
    subjects: Ranker


def marked(message: Message) -> Text:
    """Return the folded text, with one token for each subject named in it."""
    text: Text = message.get(TEXT) or ""
    parts: List[Text] = []
    end = 0
    for entity in sorted(message.get(ENTITIES, []), key=lambda entity: entity["start"]):
        if entity["entity"] == SUBJECT and entity["start"] >= end:
            parts += [fold(text[end : entity["start"]]).text, f"xx{entity['value']}xx"]
            end = entity["end"]
    parts.append(fold(text[end:]).text)
    return " ".join(part for part in parts if part)


def declared_subject(example: Message) -> Text:
    """Return the subject that the example's block declares, or `NO_SUBJECT`."""
    block = (example.get(METADATA) or {}).get(METADATA_INTENT) or {}
    return block.get("subject") or NO_SUBJECT


def _untrained_features(config: Dict[Text, Any]) -> FeatureUnion:
    characters = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(2, config["longest_ngram"]),
        sublinear_tf=True,
        min_df=2,
        dtype=np.float32,
    )
    words = TfidfVectorizer(
        analyzer="word",
        token_pattern=r"[^ ]+",  # noqa: S106 (no password)
        ngram_range=(1, 2),
        sublinear_tf=True,
        dtype=np.float32,
    )
    return FeatureUnion([("characters", characters), ("words", words)])


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class QuestionClassifier(GraphComponent, IntentClassifier):
    """Sets `intent`, `intent_ranking` and `subject_ranking`. See the module's words."""

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """Longest character n-gram; scikit-learn's C: the larger, the closer to the examples."""
        return {"longest_ngram": 5, "regularisation": 0.7}

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
        matrix = union.fit_transform([marked(example) for example in examples])
        regularisation = self._config["regularisation"]
        intents = Ranker.fitted(
            matrix, [example.get(INTENT) for example in examples], regularisation
        )
        subjects = Ranker.fitted(matrix, [declared_subject(e) for e in examples], regularisation)
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
            features = self._trained.features.transform([marked(message)])
            ranking = self._trained.intents.rank(features)
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING, ranking, add_to_output=True)
            subjects = self._trained.subjects.rank(features)
            message.set(SUBJECT_RANKING, subjects, add_to_output=True)
        return messages
