"""The action server, really served, as Rasa calls it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from deploy import ports
from settings import ROOT
from storage.migrate import migrating, upgrade
from storage.models import Channel, Conversation

CONVERSATION = "x"
"""The one that calls are made for: Rasa's `sender`."""


@pytest.fixture(scope="module")
def own_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated database of the server's own, with one conversation in it."""
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('var') / 'passerelle.db'}"
    upgrade(url)
    with migrating(url) as connection:
        connection.execute(insert(Conversation).values(id=CONVERSATION, channel=Channel.web))
    return url


@pytest.fixture(scope="module")
def server(own_url: str) -> Iterator[httpx.Client]:
    url = f"http://{ports.LOOPBACK}:{ports.free()}"
    process = subprocess.Popen(
        [sys.executable, "-m", "actions"],
        cwd=ROOT,
        env={
            **os.environ,
            "PASSERELLE_ACTIONS_URL": url,
            "PASSERELLE_VAR": str(Path(own_url.removeprefix("sqlite+aiosqlite:///")).parent),
            "PASSERELLE_DATABASE_URL": own_url,
        },
    )
    try:
        with httpx.Client(base_url=url, trust_env=False) as client:
            limit = time.monotonic() + 30
            while time.monotonic() < limit:
                try:
                    client.get("/health").raise_for_status()
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield client
    finally:
        process.terminate()
        process.wait(10)


def call(server: httpx.Client, parse: dict[str, Any], **slots: Any) -> dict[str, Any]:
    tracker = {
        "sender_id": CONVERSATION,
        "slots": slots,
        "latest_message": parse,
        "events": [],
        "paused": False,
        "latest_input_channel": "rest",
        "active_loop": {},
        "latest_action_name": "action_listen",
    }
    call = {"next_action": "action_answer", "sender_id": CONVERSATION, "version": "3.6.21"}
    body = {**call, "domain": {}, "tracker": tracker}
    result: dict[str, Any] = server.post("/webhook", json=body).raise_for_status().json()
    return result


def button(aspect: str, subject: str) -> dict[str, Any]:
    entities = [{"entity": "subject", "value": subject}]
    return {"text": "x", "intent": {"name": aspect, "confidence": 1.0}, "entities": entities}


def test_an_answer_its_outcome_and_the_thread(server: httpx.Client) -> None:
    result = call(server, button("local", "fonds"))
    text, outcome = result["responses"][0], result["responses"][1]["custom"]["outcome"]
    assert "297\u00a0000\u00a0€" in text["text"]
    assert outcome == {
        "kind": "answer",
        "confidence": 1.0,
        "references": ["local/fonds"],
        "asked": [],
    }
    slots = {event["name"]: event["value"] for event in result["events"]}
    assert slots == {"misses": 0, "aspect": "local", "subject": "fonds"}


def test_a_miss_is_counted_and_leaves_the_thread(server: httpx.Client) -> None:
    result = call(server, {"text": "x", "intent": {}, "entities": []}, misses=1, subject="fonds")
    assert {event["name"]: event["value"] for event in result["events"]} == {"misses": 2}
    assert result["responses"][0]["text"]


def test_a_button_begins_a_questionnaire(server: httpx.Client) -> None:
    parse = {
        "text": '/affirm{"step": "0:begin:fonds"}',
        "intent": {"name": "affirm", "confidence": 1.0},
        "entities": [{"entity": "step", "value": "0:begin:fonds"}],
        "metadata": {"seq": 1},
    }
    result = call(server, parse)
    (asked,) = result["responses"]
    assert len(asked["buttons"]) > 1
    assert all(one["payload"].startswith('/affirm{"step"') for one in asked["buttons"])
    assert result["events"] == []  # no slot: the thread of questions is another matter
    # Delivered again, it is the same draft; the next message goes on with it.
    assert call(server, parse) == result
    pressed = json.loads(asked["buttons"][0]["payload"].removeprefix("/affirm"))["step"]
    parse["entities"] = [{"entity": "step", "value": pressed}]
    (following,) = call(server, {**parse, "metadata": {"seq": 2}})["responses"]
    assert following["text"] != asked["text"]
    assert all(one["payload"].startswith('/affirm{"step"') for one in following["buttons"])
