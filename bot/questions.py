"""`make questions`: what Passerelle should learn, ready to be added to the examples.

    make questions SINCE=7      # of the last seven days

What was not understood, asked back, admitted to be undocumented or disliked,
grouped by what it led to, in the form of the files of `nlu/`: whoever runs
Passerelle puts each sentence under the intent and the subject that it means.
Personal data are masked; what was off the subject is counted, never shown.
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from bot.personal_data import masked
from knowledge import OUT_OF_SCOPE, UNDOCUMENTED
from settings import Settings
from storage.database import Database
from storage.models import Rating
from storage.questions import Question, typed_questions
from storage.times import utc_now

SINCE = 30
"""Days looked back on, by default."""
_HEADINGS = {
    "disliked": "Réponses jugées inutiles (👎)",
    "did_you_mean": "Hésitations : plusieurs réponses ont été proposées",
    "not_understood": "Non comprises",
    UNDOCUMENTED: "Hors de la documentation : la question est-elle bien là, et revient-elle ?",
}
"""What is worth a look, the most urgent first, and how it is told."""


def group_of(question: Question) -> str | None:
    """Return under which heading a question comes, or `None`: there is nothing to learn from it."""
    references = question.outcome["references"]
    if question.rating is Rating.down:
        return "disliked"
    if question.rating is Rating.up or references == [OUT_OF_SCOPE]:
        return None
    if any(reference.partition("/")[0] == UNDOCUMENTED for reference in references):
        return UNDOCUMENTED
    kind: str = question.outcome["kind"]
    return kind if kind in _HEADINGS else None


def listing(questions: Iterable[Question]) -> Iterator[str]:
    """Return the lines to print."""
    groups: dict[str, dict[tuple[str, ...], Counter[str]]] = {name: {} for name in _HEADINGS}
    off_subject = 0
    for question in questions:
        group = group_of(question)
        references = tuple(question.outcome["references"])
        if references == (OUT_OF_SCOPE,):
            off_subject += 1  # counted: what it says is nobody's business
        elif group:
            groups[group].setdefault(references, Counter())[masked(question.text)] += 1
    for name, heading in _HEADINGS.items():
        if groups[name]:
            total = sum(texts.total() for texts in groups[name].values())
            yield from ("", f"# {heading} ({total})")
            by_size = sorted(groups[name].items(), key=lambda item: -item[1].total())
            for references, texts in by_size:
                yield from _block(references, texts)
    yield from ("", f"# Hors sujet, non montrées : {off_subject}")


def _block(references: Sequence[str], texts: Counter[str]) -> Iterator[str]:
    """Return a block of examples: the first reference's labels are where to start from."""
    # Between quotes: alone, a question mark is a sign of YAML's.
    aspect, _, subject = (references[0] if references else '"?"/"?"').partition("/")
    if len(references) > 1:
        yield f"# Proposées : {', '.join(references)}"
    yield from (f"# {count} fois : {text}" for text, count in texts.most_common() if count > 1)
    yield f"- intent: {aspect}"
    if subject:
        yield from ("  metadata:", f"    subject: {subject}")
    yield "  examples: |"
    yield from (f"    - {text}" for text, _ in texts.most_common())


async def _read(settings: Settings, days: int) -> Sequence[Question]:
    database = Database(settings.sqlalchemy_url)
    try:
        async with database.read() as session:
            return await typed_questions(session, utc_now() - timedelta(days=days))
    finally:
        await database.close()


def main() -> int:
    """Print the questions of the last days; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bot.questions")
    parser.add_argument("--since", type=int, default=SINCE, metavar="JOURS", help="jours passés")
    options = parser.parse_args()
    settings = Settings()
    if settings.database_url is None and not (settings.var / "passerelle.db").exists():
        print("Aucune conversation encore : lancez « make run ».", file=sys.stderr)
        return 1
    for line in listing(asyncio.run(_read(settings, options.since))):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
