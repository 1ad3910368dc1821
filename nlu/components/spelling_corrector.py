"""Folds each message and corrects its spelling, for the components that follow."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, List, Optional, Text

import rasa.shared.utils.io
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from spellchecker import SpellChecker

from nlu.components.spelling import Spelling
from nlu.components.text import Folded, fold

FOLDED = "folded"
"""Where a message's folded text is kept, for this pipeline only."""
OFTEN = 3
"""Occurrences that make a word of the examples ours, though no dictionary has it."""
_FILE = "words.json"


def folded(message: Message) -> Folded:
    """Return the message's folded text, its spelling corrected if the pipeline does that."""
    return message.get(FOLDED) or fold(message.get(TEXT) or "")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SpellingCorrector(GraphComponent):
    """Learns the examples' words; see `nlu.components.spelling` for what it does with them.

    The examples themselves are not corrected: what is common among them is right.
    """

    def __init__(
        self,
        model_storage: ModelStorage,
        resource: Resource,
        spelling: Optional[Spelling] = None,
    ) -> None:
        self._model_storage = model_storage
        self._resource = resource
        self._spelling = spelling

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SpellingCorrector:
        """Return an untrained component."""
        return cls(model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SpellingCorrector:
        """Return a trained component."""
        with model_storage.read_from(resource) as folder:
            words = rasa.shared.utils.io.read_json_file(folder / _FILE)
        return cls(model_storage, resource, Spelling(words["ours"], words["french"]))

    def train(self, training_data: TrainingData) -> Resource:
        """Count the examples' words, and keep them with the French ones."""
        texts = [fold(example.get(TEXT) or "").text for example in training_data.intent_examples]
        counts = Counter(word for text in texts for word in text.split())
        dictionary = SpellChecker(language="fr").word_frequency.words()
        french = {word for entry in dictionary for word in fold(entry).text.split()}
        ours = {word: n for word, n in counts.items() if n >= OFTEN or word in french}
        self._spelling = Spelling(ours, french)
        with self._model_storage.write_to(self._resource) as folder:
            words = {"ours": ours, "french": sorted(french - ours.keys())}
            rasa.shared.utils.io.dump_obj_as_json_to_file(folder / _FILE, words)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leave the examples as they are."""
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        """Give each message its folded and corrected text."""
        if self._spelling is not None:
            for message in messages:
                text = message.get(TEXT)
                if text:
                    message.set(FOLDED, self._spelling.correct(fold(text)))
        return messages
