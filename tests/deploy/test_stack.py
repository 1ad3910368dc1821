"""The three real processes: they answer, and what dies comes back."""

import time

import httpx
import pytest

from deploy.stack import Stack


def test_all_is_ready(stack: Stack, api: httpx.Client) -> None:
    assert stack.missing() == ""
    ready = api.get("/readyz")
    assert (ready.status_code, set(ready.json().values())) == (200, {True})
    assert {one["name"]: one["statename"] for one in stack.processes()}.keys() == {
        "actions",
        "bot",
        "rasa",
    }


@pytest.mark.parametrize(
    ("name", "label"), [("actions", "le serveur d'actions"), ("rasa", "Rasa"), ("bot", "public")]
)
def test_what_dies_comes_back(stack: Stack, name: str, label: str) -> None:
    before = stack.pid(name)
    stack.kill(name)
    limit = time.monotonic() + 10
    while label not in stack.missing():
        assert time.monotonic() < limit
    stack.wait_ready()
    assert stack.pid(name) not in {None, before}


def test_internal_addresses_are_loopback_only(stack: Stack) -> None:
    """Neither Rasa nor the action server is for anyone but us."""
    for url in (stack.settings.rasa_url, stack.settings.actions_url):
        assert url.startswith("http://127.0.0.1:")
