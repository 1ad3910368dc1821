"""The short form of `make bench`: our pipeline alone, with floors that may only rise."""

import statistics
from collections import Counter
from collections.abc import Iterable

import pytest

from bench import questions
from bench.measure import Judged, judge_all
from bench.player import Player
from deploy.stack import Stack
from knowledge import load


def shares(judged: Iterable[Judged]) -> tuple[float, float]:
    """Return the shares that are right and wrong, in percent."""
    counts = Counter(one.verdict for one in judged)
    return 100 * counts["right"] / counts.total(), 100 * counts["wrong"] / counts.total()


def test_right_and_wrong(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    player = Player(stack.url, stack.var)
    judged = list(judge_all(player, questions.load().conversations(), load()))
    player.close()
    scope = shares(one for one in judged if one.question.facts and not one.follows)
    follow = shares(one for one in judged if one.follows)
    others = shares(one for one in judged if one.question.reply and not one.follows)
    with capsys.disabled():
        for name, (right, wrong) in {"scope": scope, "follow": follow, "others": others}.items():
            print(f"\n{name}: {right:.1f} % right, {wrong:.1f} % wrong", end="")
    assert scope[0] >= 85
    assert scope[1] <= 5
    assert follow[0] >= 80
    assert others[0] >= 70


def test_a_turn_costs_the_same_at_any_length(stack: Stack) -> None:
    player = Player(stack.url, stack.var)
    seconds = [turn.seconds for turn in player.converse(["combien pour l'axe 3 ?"] * 60)]
    player.close()
    early, late = statistics.median(seconds[2:7]), statistics.median(seconds[-5:])
    # Rasa's own stores would have grown by some 30 % of each turn's cost; noise is allowed for.
    assert late < 2 * early + 0.05
