"""The floor: what a search among the answers' texts, without any example, would have said."""

import json
import os
import subprocess
from collections.abc import Sequence

from bench.questions import Question
from bench.scoring import Verdict, verdict
from deploy import rasa
from knowledge import Knowledge
from settings import ROOT


def search(questions: Sequence[Question], knowledge: Knowledge) -> list[Verdict]:
    """Return what the first hit of each question is worth.

    Raises:
        RasaError: the search, in Rasa's environment, failed.
    """
    answers = {key: f"{answer.title}\n{answer.text}" for key, answer in knowledge.answers.items()}
    asked = {"answers": answers, "questions": [question.text for question in questions]}
    done = subprocess.run(
        [str(rasa.PYTHON), "-m", "bench.search"],
        cwd=ROOT,
        env={**os.environ, **rasa.ENVIRONMENT},
        input=json.dumps(asked),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise rasa.RasaError(f"La recherche a échoué : {done.stderr.splitlines()[-1:]}")
    return [
        verdict(question, _outcome(key, likeness), knowledge)
        for question, (key, likeness) in zip(questions, json.loads(done.stdout), strict=True)
    ]


def _outcome(key: str, likeness: float) -> dict[str, object]:
    return {"kind": "answer", "confidence": likeness, "references": [key], "asked": []}
