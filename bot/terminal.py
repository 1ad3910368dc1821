"""The same conversation in a terminal, through the public API: `make chat`."""

import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from deploy.rasa import RasaError
from deploy.stack import Stack, StackError
from deploy.train import trained_model
from settings import Settings

PATIENCE = 30.0
"""Longest wait for an answer, in seconds."""
_GLANCE = 0.1
"""Pause between two looks for the answer, in seconds."""
GOODBYES = {"quitter", "exit", "quit"}
GREETING = (
    "Bonjour ! Je suis Passerelle, un assistant automatique. Posez votre question, "
    "ou tapez le numéro d'un bouton. « quitter » pour finir."
)


class Unreachable(Exception):
    """The assistant does not answer; `str()` is a French sentence."""


class Conversation:
    """One conversation with the assistant at `url`."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False)
        token = self._call("POST", "/api/conversations")["token"]
        self._client.headers["Authorization"] = f"Bearer {token}"
        self._buttons: list[dict[str, str]] = []

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def say(self, typed: str) -> Iterator[dict[str, Any]]:
        """Send what was typed, or press the button of that number; return the replies."""
        if typed.isdecimal() and 1 <= int(typed) <= len(self._buttons):
            content = {"button": self._buttons[int(typed) - 1]["id"]}
        else:
            content = {"text": typed}
        sent = self._call("POST", "/api/messages", json={"id": str(uuid.uuid4()), **content})
        replies = self._replies(sent["seq"])
        self._buttons = replies[-1]["buttons"]
        yield from replies

    def _replies(self, seq: int) -> list[dict[str, Any]]:
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            page = self._call("GET", "/api/messages", params={"after": seq})
            replies = [one for one in page["messages"] if one["author"] != "person"]
            if replies:
                return replies
            time.sleep(_GLANCE)
        raise Unreachable("La réponse tarde : votre message est gardé, réessayez plus tard.")

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, **more)
            body: dict[str, Any] = response.json()
        except (httpx.TransportError, ValueError) as error:
            raise Unreachable("Passerelle ne répond pas.") from error
        if response.is_error:
            raise Unreachable(str(body.get("detail", "Passerelle ne répond pas.")))
        return body


def main() -> int:
    """Converse until the person ends it; return the exit code."""
    console = Console(highlight=False)
    settings = Settings()
    try:
        with _server(settings, console) as url:
            _converse(Conversation(url), console)
    except (Unreachable, StackError, RasaError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    console.print("\nÀ bientôt !")
    return 0


@contextmanager
def _server(settings: Settings, console: Console) -> Iterator[str]:
    """Give the address of the running assistant, or of one started for this conversation."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    url = f"http://{host}:{settings.port}"
    if _answers(url):
        yield url
        return
    model = trained_model(settings.var)
    console.print("Démarrage de Passerelle…", style="dim")
    with Stack(settings, model) as stack:
        yield stack.url


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _converse(conversation: Conversation, console: Console) -> None:
    console.print(GREETING, style="dim")
    for typed in _lines(console):
        try:
            with console.status("…"):
                replies = list(conversation.say(typed))
        except Unreachable as error:
            console.print(str(error), style="red")
            continue
        for reply in replies:
            _show(reply, console)
    conversation.close()


def _lines(console: Console) -> Iterator[str]:
    """Return what the person types, line by line, until they end it."""
    interactive = sys.stdin.isatty()
    while True:
        try:
            typed = (console.input("\n[bold]› [/bold]") if interactive else input()).strip()
        except EOFError:
            return
        if typed.casefold() in GOODBYES:
            return
        if typed:
            if not interactive:
                console.print(Text(f"\n› {typed}"))
            yield typed


def _show(reply: dict[str, Any], console: Console) -> None:
    console.print(Padding(Text(reply["text"]), (1, 0, 0, 2)))
    _show_buttons(reply["buttons"], console)


def _show_buttons(buttons: Iterable[dict[str, str]], console: Console) -> None:
    for number, button in enumerate(buttons, start=1):
        space = "\n" if number == 1 else ""
        console.print(Text(f"{space}  {number}. {button['title']}", style="cyan"))


if __name__ == "__main__":
    sys.exit(main())
