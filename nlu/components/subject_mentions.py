"""Finds the subjects that a message names outright, from the synonyms in `nlu/subjects.yml`."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Text

import rasa.shared.utils.io
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.spelling_corrector import folded
from nlu.components.text import RELATIVE_MARK, Folded, Mention, Vocabulary

SUBJECT = "subject"
RELATIVE = "relative"
"""The entity of a name that means a subject only where its family is already spoken of."""
# What follows « le deuxième » where it stands alone: with a noun after it, it is that noun's.
_ALONE = re.compile(
    r" *(?:$|[?]|(?:est|c|ce|a|il|elle|on|ca|cela|je|et|en|ou|qui|que|quoi|pour|par|sert|vise|"
    r"alors|donc|aussi|lui|comment|combien|concerne|consiste|exige|finance|paie|prevoit|svp|"
    r"s|si|du coup|plutot|exactement|y|peut|dit)\b)"
)
_FILE = "names.json"


# A featurizer as far as Rasa's recipe knows: those alone are run on the examples too,
# before the classifiers are trained, and what these see must not differ from a real message.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SubjectMentions(GraphComponent, EntityExtractorMixin):
    """Adds an entity for each name found, with its place in the text.

    It is a `subject`; or, if there is none, a `relative`, whose synonym begins
    with « ~ » (« le deuxième »): what that means, the conversation tells.
    """

    def __init__(
        self,
        model_storage: ModelStorage,
        resource: Resource,
        names: Optional[Dict[Text, Text]] = None,
    ) -> None:
        self._model_storage = model_storage
        self._resource = resource
        self._know(names or {})

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SubjectMentions:
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
    ) -> SubjectMentions:
        """Return a trained component."""
        with model_storage.read_from(resource) as folder:
            names = rasa.shared.utils.io.read_json_file(folder / _FILE)
        return cls(model_storage, resource, names)

    def train(self, training_data: TrainingData) -> Resource:
        """Keep the synonyms: names, and the subject each of them means."""
        names = dict(training_data.entity_synonyms)
        self._know(names)
        with self._model_storage.write_to(self._resource) as folder:
            rasa.shared.utils.io.dump_obj_as_json_to_file(folder / _FILE, names)
        return self._resource

    def _know(self, names: Dict[Text, Text]) -> None:
        own = {name: value for name, value in names.items() if value[0] != RELATIVE_MARK}
        others = {name: value[1:] for name, value in names.items() if name not in own}
        self._names, self._relatives = Vocabulary(own), Vocabulary(others)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Mark the subjects named in the examples, for the classifiers that follow."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        """Mark the subjects named in the messages."""
        for message in messages:
            if not message.get(TEXT):
                continue
            text = folded(message)
            found = [_entity(SUBJECT, mention, text) for mention in self._names.find(text.text)]
            if not found:
                found = [
                    _entity(RELATIVE, mention, text)
                    for mention in self._relatives.find(text.text)
                    if _ALONE.match(text.text, mention.end)
                ]
            entities = self.add_extractor_name(found)
            message.set(ENTITIES, message.get(ENTITIES, []) + entities, add_to_output=True)
        return messages


def _entity(kind: Text, mention: Mention, text: Folded) -> Dict[Text, Any]:
    return {
        "entity": kind,
        "value": mention.value,
        "start": text.offsets[mention.start],
        "end": text.offsets[mention.end - 1] + 1,
    }
