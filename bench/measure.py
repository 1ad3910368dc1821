"""Everything that is measured of one pipeline, in one run of the whole stack."""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.pipelines import Trained
from bench.player import Player, Turn
from bench.questions import Question, QuestionSet
from bench.scoring import Verdict, verdict
from deploy import ports
from deploy.stack import Stack
from knowledge import Knowledge
from settings import Settings

LONG = 300
"""Turns of the long conversation."""
EARLY, LATE = slice(2, 7), slice(LONG - 5, LONG)
"""The turns around the 5th, and the last: their medians are compared."""


@dataclass(frozen=True)
class Judged:
    """A question, what came of it, and what that is worth."""

    question: Question
    turn: Turn
    verdict: Verdict
    follows: bool
    """Whether it came after another in its conversation."""


@dataclass(frozen=True)
class Measures:
    """What was measured of one pipeline. Sizes in MB, times in seconds."""

    trained: Trained
    judged: list[Judged]
    model_size: float
    memory: float | None
    start_up: float
    early_turn: float
    late_turn: float

    def percentile(self, percent: int) -> float:
        """Return the time under which `percent` % of the turns were answered."""
        seconds = [judged.turn.seconds for judged in self.judged]
        return statistics.quantiles(seconds, n=100)[percent - 1]


def measure(
    trained: Trained,
    development: QuestionSet,
    knowledge: Knowledge,
    var: Path,
    tell: Callable[[str], None],
) -> Measures:
    """Start the stack on a model, ask everything, and measure."""
    urls = [f"http://{ports.LOOPBACK}:{ports.free()}" for _ in range(2)]
    settings = Settings(
        host=ports.LOOPBACK,
        port=ports.free(),
        var=var,
        database_url=None,
        tracker_url=None,
        rasa_url=urls[0],
        actions_url=urls[1],
    )
    started = time.perf_counter()
    tell(f"{trained.name} : démarrage")
    with Stack(settings, trained.model) as stack:
        start_up = time.perf_counter() - started
        player = Player(stack.url, var)
        player.converse(["bonjour"])  # the first turn of a process warms it
        tell(f"{trained.name} : questions")
        judged = list(judge_all(player, development.conversations(), knowledge))
        tell(f"{trained.name} : une conversation de {LONG} tours")
        texts = [question.text for question in development.questions]
        turns = player.converse([texts[index % len(texts)] for index in range(LONG)])
        memory = _resident(stack.pid("rasa"))
        player.close()
    return Measures(
        trained=trained,
        judged=judged,
        model_size=trained.model.stat().st_size / 1e6,
        memory=memory,
        start_up=start_up,
        early_turn=statistics.median(turn.seconds for turn in turns[EARLY]),
        late_turn=statistics.median(turn.seconds for turn in turns[LATE]),
    )


def judge_all(
    player: Player, conversations: Iterable[tuple[Question, ...]], knowledge: Knowledge
) -> Iterable[Judged]:
    """Play conversations and judge every turn."""
    for questions in conversations:
        turns = player.converse([question.text for question in questions])
        for index, (question, turn) in enumerate(zip(questions, turns, strict=True)):
            worth = verdict(question, turn.outcome, knowledge)
            yield Judged(question, turn, worth, follows=index > 0)


def _resident(pid: int | None) -> float | None:
    """Return the resident memory of a process in MB, where the system tells it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
