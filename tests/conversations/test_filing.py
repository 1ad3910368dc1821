"""A candidature that outlives what may befall it: sessions, processes, two hands at once."""

import json
import re
import sqlite3
import threading
import time
from typing import Any

import httpx

from deploy.stack import Stack
from tests.conversations.candidate import (
    CONFIRM,
    EMAIL,
    TO_DESCRIPTION,
    TO_SUMMARY,
    answers,
    database,
    row,
    rows,
    tell,
)
from tests.conversations.conftest import Person

DESCRIBE, CHANGES = "Décrivez le projet", "Qu’est-ce que le projet change"
LONG_AGO = 30 * 24 * 3600
"""Seconds: a session ends long before."""


def tracker(stack: Stack, conversation: str) -> dict[str, Any]:
    with sqlite3.connect(database(stack, "rasa"), timeout=30) as connection:
        query = "SELECT state FROM rasa_tracker WHERE sender_id = ?"
        (state,) = connection.execute(query, (conversation,)).fetchone()
    found: dict[str, Any] = json.loads(state)
    return found


def age(stack: Stack, conversation: str, seconds: float) -> None:
    """Make all that Rasa remembers of a conversation this much older."""
    told = tracker(stack, conversation)
    for event in told["events"]:
        event["timestamp"] -= seconds
    with sqlite3.connect(database(stack, "rasa"), timeout=30) as connection:
        change = "UPDATE rasa_tracker SET state = ?, saved_at = saved_at - ? WHERE sender_id = ?"
        connection.execute(change, (json.dumps(told), seconds, conversation))


def test_the_next_answer_goes_on_after_the_session(stack: Stack, person: Any) -> None:
    tell(person, TO_DESCRIPTION)
    conversation = row(stack)["conversation_id"]
    age(stack, conversation, LONG_AGO)
    assert CHANGES in person.say("Nous voulons former nos six agents à leurs outils.")
    # It did expire: a new session began, and is all that Rasa still has.
    assert tracker(stack, conversation)["events"][-1]["timestamp"] > time.time() - 600
    assert answers(stack)["description"].startswith("Nous voulons")


def test_the_next_answer_goes_on_if_rasa_forgets_all(stack: Stack, person: Any) -> None:
    tell(person, TO_DESCRIPTION)
    conversation = row(stack)["conversation_id"]
    with sqlite3.connect(database(stack, "rasa"), timeout=30) as connection:
        connection.execute("DELETE FROM rasa_tracker WHERE sender_id = ?", (conversation,))
    assert CHANGES in person.say("Nous voulons former nos six agents à leurs outils.")


def test_rasa_keeps_nothing_of_what_was_told(stack: Stack, person: Any) -> None:
    tell(person, TO_DESCRIPTION)
    person.say("où j'en suis")
    kept = json.dumps(tracker(stack, row(stack)["conversation_id"]), ensure_ascii=False)
    assert EMAIL not in kept
    assert "Dominique" not in kept


def test_each_process_restarts_in_the_middle(stack: Stack, person: Any) -> None:
    """The three, one after the other; an answer after each."""
    tell(person, TO_DESCRIPTION)
    steps = [
        ("actions", "Nous voulons former nos six agents à leurs outils.", CHANGES),
        ("rasa", "Les habitants attendront moins.", "Quel jour la décision"),
        ("bot", "12/03/2022", "De quand à quand"),
    ]
    for process, text, following in steps:
        before = stack.pid(process)
        stack.restart(process)
        stack.wait_ready()
        assert stack.pid(process) not in {None, before}
        assert following in person.say(text)
    told = answers(stack)
    assert told["usagers"] == "Les habitants attendront moins."
    assert "2022-03-12" in json.dumps(told["date_decision"])


def test_filed_twice_at_once_is_filed_once(stack: Stack, person: Any) -> None:
    tell(person, TO_SUMMARY)
    person.press("Déposer")
    button, number = person._buttons[CONFIRM], row(stack)["id"]
    last = person.after(0)[-1]["seq"]
    both = threading.Barrier(2)
    seqs: list[int] = []

    def confirm() -> None:
        with httpx.Client(base_url=stack.url, timeout=30, trust_env=False) as client:
            hand = _same(person, client)
            both.wait()
            seqs.append(hand.send({"button": button}))

    hands = [threading.Thread(target=confirm) for _ in range(2)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert len(set(seqs)) == 2
    # Two messages, and an answer to each.
    said = [one for one in person.wait(last, count=4) if one["author"] == "assistant"]
    references = [found for one in said for found in re.findall(r"IDL-\d{4}-\d{4}", one["text"])]
    assert len(references) == 2
    assert len(set(references)) == 1
    assert len([one for one in said if one["attachments"]]) == 2
    assert len(rows(stack, "draft", reference=references[0])) == 1
    assert rows(stack, "draft", id=number)[0]["reference"] == references[0]
    assert len(rows(stack, "mail", draft_id=number)) == 1


def _same(person: Person, client: httpx.Client) -> Person:
    """Return the same person on another connection."""
    hand = Person.__new__(Person)
    hand._api, hand._headers, hand._buttons = client, person._headers, {}
    return hand
