"""How an answer's age is told: nothing before the day is over, and then on every answer."""

from datetime import date, timedelta

import pytest

from knowledge import load

KNOWLEDGE = load()
DOCUMENTED = {key: one for key, one in KNOWLEDGE.answers.items() if one.documented}
ONE_DAY = timedelta(days=1)
NOTICES = {notice.id: notice for notice in KNOWLEDGE.notices}
FIRST = min(notice.after for notice in KNOWLEDGE.notices)


@pytest.mark.parametrize("key", sorted(DOCUMENTED))
def test_before_every_notice_an_answer_gives_its_source_alone(key: str) -> None:
    answer = KNOWLEDGE.answers[key]
    assert KNOWLEDGE.source_line(answer, FIRST) == (
        "Source\u00a0: préfecture d’Indre-et-Loire, 16/02/2021"
    )
    assert KNOWLEDGE.notice(answer, FIRST) is None


@pytest.mark.parametrize("name", sorted(NOTICES))
def test_a_notice_is_said_from_the_next_day_on(name: str) -> None:
    notice = NOTICES[name]
    answers = [a for a in DOCUMENTED.values() if a.subject in notice.subjects]
    assert answers
    for answer in answers:
        assert notice.short not in KNOWLEDGE.source_line(answer, notice.after)
        assert notice.short in KNOWLEDGE.source_line(answer, notice.after + ONE_DAY)
        told = KNOWLEDGE.notice(answer, notice.after + ONE_DAY)
        assert (told == notice.text) is (answer.aspect in notice.aspects), answer.key


def test_no_answer_is_without_a_notice_today() -> None:
    """The page is of 2021: every answer says somehow that it may have aged."""
    for answer in DOCUMENTED.values():
        assert "à faire confirmer" in KNOWLEDGE.source_line(answer, date.today())
