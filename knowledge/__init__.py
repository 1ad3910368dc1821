"""What the assistant knows: YAML files, their schema, and how an answer is found.

`load()` reads and checks every file of this folder. What people read goes
through `typography.french`, so the files are written with ordinary spaces.
"""

from knowledge.base import Answer, Knowledge
from knowledge.document import KnowledgeError
from knowledge.loader import load
from knowledge.schema import OUT_OF_SCOPE, UNDOCUMENTED

__all__ = ["OUT_OF_SCOPE", "UNDOCUMENTED", "Answer", "Knowledge", "KnowledgeError", "load"]
