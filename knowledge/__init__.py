"""What the assistant knows: YAML files, their schema, and how an answer is found.

`load()` reads and checks every file of this folder. What people read goes
through `typography.french`, so the files are written with ordinary spaces.
"""

from knowledge.base import Answer, Knowledge
from knowledge.loader import KnowledgeError, load
from knowledge.schema import UNDOCUMENTED

__all__ = ["UNDOCUMENTED", "Answer", "Knowledge", "KnowledgeError", "load"]
