"""`nlu/.venv/bin/python -m nlu.parse MODEL OUTPUT`: what a model understands of many texts.

Reads a JSON list of texts on the standard input and writes to the file OUTPUT a
JSON list of `{"parse": …, "seconds": …}`, in the same order: what the action
server gets as its latest message, and the time that one text took. To a file,
because Rasa and its libraries say what they like on the standard output.
"""

import asyncio
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any, Dict, List, Text


async def parse(model: Text, texts: List[Text]) -> List[Dict[Text, Any]]:
    """Return what `model`, a file, understands of each text, one at a time as in a conversation."""
    from rasa.core.agent import Agent

    agent = Agent.load(model)
    await agent.parse_message("bonjour")  # the first message of a process warms it
    parsed = []
    for text in texts:
        started = time.perf_counter()
        result = await agent.parse_message(text)
        seconds = time.perf_counter() - started
        parsed.append({"parse": result, "seconds": seconds})
    return parsed


if __name__ == "__main__":
    for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
        warnings.simplefilter("ignore", category)
    import skops.io  # noqa: F401  # first, as in nlu/__main__.py: it saves nine seconds

    output = Path(sys.argv[2])
    understood = asyncio.run(parse(sys.argv[1], json.load(sys.stdin)))
    output.write_text(json.dumps(understood, ensure_ascii=False), encoding="utf-8")
