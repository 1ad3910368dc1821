"""The short form of `make bench`: what the model understands of the sets and of the reserve."""

from collections import Counter
from pathlib import Path

import pytest

from bench import questions, understanding
from bench.measure import Judged
from bench.understanding import Understood
from knowledge import load

# Regression floors: what was measured when they were last raised (95.9 % right in scope, 88.3 %
# admitted, 84.3 % of follow-ups, 84 % of double questions, 4 points lost in SMS style; 79.8 % of
# the messages that were written to be hard), less a few questions. They are NOT the goals, which
# are not all reached: 95 % right and 1 % wrong in scope, 90 % admitted, 97 % without a fact, 95 %
# of follow-ups, 3 points lost. Raise them as the assistant improves.
IN_SCOPE_RIGHT = 0.95
IN_SCOPE_WRONG = 0.02
NEXT_TO_IT_ADMITTED = 0.86
OFF_SUBJECT_WITHOUT_FACT = 0.96
FOLLOW_UPS_RIGHT = 0.82
DOUBLES_RIGHT = 0.81
HARD_RIGHT = 0.77
HARD_WRONG = 0.07
NOISE_LOSS = 0.07
"""How much less is right once badly typed."""

NOISE = "style SMS"
HARD = "reserve/messages"
"""Long, clumsy or telegraphic, and many without the subject's name: scored apart."""


@pytest.fixture(scope="module")
def understood(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Understood:
    reserve = questions.load_reserve()
    sets = {**questions.load_folder(questions.SETS), **reserve}
    log = tmp_path_factory.mktemp("bench") / "parse.log"
    parses = understanding.parse(model, understanding.texts(sets, [NOISE]), log)
    return understanding.understand(sets, parses, load(), [NOISE])


@pytest.fixture(scope="module")
def ordinary(understood: Understood) -> Understood:
    return understood.among(understood.sets.keys() - {HARD})


def shares(judged: list[Judged]) -> tuple[float, float]:
    """Return the shares that are right and wrong."""
    counts = Counter(one.verdict for one in judged)
    return counts["right"] / counts.total(), counts["wrong"] / counts.total()


def test_in_scope(ordinary: Understood) -> None:
    right, wrong = shares(ordinary.of("scope"))
    assert right >= IN_SCOPE_RIGHT
    assert wrong <= IN_SCOPE_WRONG


def test_hard_messages(understood: Understood) -> None:
    right, wrong = shares(understood.among({HARD}).of("scope"))
    assert right >= HARD_RIGHT
    assert wrong <= HARD_WRONG


def test_next_to_it(understood: Understood) -> None:
    assert shares(understood.of("next_to_it"))[0] >= NEXT_TO_IT_ADMITTED


def test_off_subject(understood: Understood) -> None:
    assert 1 - shares(understood.of("off_subject"))[1] >= OFF_SUBJECT_WITHOUT_FACT


def test_follow_ups(understood: Understood) -> None:
    assert shares(understood.of("follow_up"))[0] >= FOLLOW_UPS_RIGHT


def test_double_questions(understood: Understood) -> None:
    assert shares(understood.of("double"))[0] >= DOUBLES_RIGHT


def test_noise(understood: Understood) -> None:
    twins = understood.noise[NOISE]
    clean = shares([one.clean for one in twins])[0]
    assert shares([one.noisy for one in twins])[0] >= clean - NOISE_LOSS
