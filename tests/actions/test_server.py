"""The action server, really served, as Rasa calls it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deploy import ports
from settings import ROOT


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    url = f"http://{ports.LOOPBACK}:{ports.free()}"
    process = subprocess.Popen(
        [sys.executable, "-m", "actions"],
        cwd=ROOT,
        env={**os.environ, "PASSERELLE_ACTIONS_URL": url},
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
        "sender_id": "x",
        "slots": slots,
        "latest_message": parse,
        "events": [],
        "paused": False,
        "latest_input_channel": "rest",
        "active_loop": {},
        "latest_action_name": "action_listen",
    }
    call = {"next_action": "action_answer", "sender_id": "x", "version": "3.6.21"}
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
