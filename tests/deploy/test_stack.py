"""The three real processes: they answer, and what dies comes back."""

import socket
import sys
import time
from urllib.parse import urlsplit

import httpx
import pytest

from deploy import ports
from deploy.stack import Stack


def test_all_is_ready(stack: Stack, api: httpx.Client) -> None:
    assert stack.missing() == ""
    ready = api.get("/readyz")
    told = ready.json()
    telegram = told.pop("telegram")
    assert (ready.status_code, set(told.values())) == (200, {True})
    assert telegram == {"status": "on", "username": "passerelle_test_bot"}
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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
def test_rasa_and_the_action_server_are_for_loopback_only(stack: Stack) -> None:
    """Both take anyone at their word. What listens on every address answers on 127.0.0.2 too."""
    for url in (stack.settings.rasa_url, stack.settings.actions_url):
        port = urlsplit(url).port
        with socket.create_connection((ports.LOOPBACK, port)):
            pass
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port))
