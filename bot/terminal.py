"""The same conversation in a terminal, through the public API: `make chat`.

It also reads questions from a pipe, one a line: `make chat < questions.txt`.
"""

import contextlib
import signal
import sys
import textwrap
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from deploy.progress import Progress
from deploy.rasa import RasaError
from deploy.stack import Stack, StackError
from deploy.train import trained_model
from knowledge.typography import french
from settings import Settings

with contextlib.suppress(ImportError):
    import readline  # noqa: F401 (arrow keys and history at the prompt)

PATIENCE = 30.0
"""Longest wait for an answer, in seconds."""
GLANCE = 0.1
"""Pause between two looks for the answer, in seconds."""
GOODBYES = {"quitter", "quit", "exit"}
_PROMPT = "› "

_GREETING = french(
    "Bonjour ! Je suis Passerelle, un assistant automatique. Posez votre question sans y mettre "
    "de données sensibles, ou tapez le numéro d'une proposition. Pour finir : « quitter »."
)
_UNREACHABLE = "Passerelle ne répond pas."
_LATE = french("La réponse tarde. Votre message est gardé : Entrée pour voir si elle est arrivée.")
_AGAIN = french("Votre message n'est pas parti : Entrée pour réessayer.")
_NO_SUCH_NUMBER = french("Tapez un numéro de 1 à {last}, ou écrivez votre question.")
_NOTHING_NEW = "Rien de nouveau pour le moment."
_RATINGS = {"+": "up", "-": "down"}
_RATE = french("Utile ? Tapez + ou -")
_RATED = "Merci, votre avis est noté."


class Unreachable(Exception):
    """The assistant does not answer, or not yet; `str()` is a French sentence."""


class Refused(Exception):
    """There is nothing to answer to what was typed; `str()` says why, in French.

    `status` is the HTTP status, if the assistant was asked.
    """

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


class Conversation:
    """One conversation with the assistant at `url`."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False)
        self.buttons: list[dict[str, str]] = []
        """What may be pressed now."""
        self.ratable: int | None = None
        """Number of the last answer, if it may be rated."""
        self._unsent: tuple[str, dict[str, str], str] | None = None
        self._read = 0
        self._open()

    @property
    def unsent(self) -> bool:
        """Whether a message did not reach the assistant."""
        return self._unsent is not None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def write(self, text: str) -> list[dict[str, Any]]:
        """Send a text and return what is answered."""
        return self._send({"text": text}, text)

    def press(self, number: int) -> list[dict[str, Any]]:
        """Press a button, counted from 1, and return what is answered."""
        button = self.buttons[number - 1]
        return self._send({"button": button["id"]}, button["title"])

    def retry(self) -> list[dict[str, Any]]:
        """Send again, under the same id, what did not arrive."""
        assert self._unsent, "everything arrived"
        message_id, content, shown = self._unsent
        try:
            sent = self._call("POST", "/api/messages", json={"id": message_id, **content})
        except Refused as refused:
            self._unsent = None
            if refused.status != httpx.codes.UNAUTHORIZED:
                raise
            # Buttons of a conversation that is gone mean nothing in a new one: their words do.
            self._open()
            sent = self._call("POST", "/api/messages", json={"id": message_id, "text": shown})
        self._unsent = None
        return self._answers_to(sent["seq"])

    def rate(self, rating: str) -> None:
        """Say of the last answer whether it is useful: `up` or `down`."""
        assert self.ratable, "nothing to rate"
        self._call("PUT", f"/api/messages/{self.ratable}/rating", json={"rating": rating})

    def news(self) -> list[dict[str, Any]]:
        """Return what the assistant said since the last look."""
        messages = self._call("GET", "/api/messages", params={"after": self._read})["messages"]
        if messages:
            self._read = messages[-1]["seq"]
        said = [one for one in messages if one["author"] != "person"]
        if said:
            self.buttons = said[-1]["buttons"]
            self.ratable = said[-1]["seq"] if said[-1]["ratable"] else None
        return said

    def _send(self, content: dict[str, str], shown: str) -> list[dict[str, Any]]:
        if self._unsent is None or self._unsent[1] != content:
            self._unsent = (str(uuid.uuid4()), content, shown)
        return self.retry()

    def _answers_to(self, seq: int) -> list[dict[str, Any]]:
        limit = time.monotonic() + PATIENCE
        said: list[dict[str, Any]] = []
        while not said or said[-1]["seq"] < seq:
            if time.monotonic() > limit:
                raise Unreachable(_LATE)
            time.sleep(GLANCE)
            said += self.news()
        return said

    def _open(self) -> None:
        token = self._call("POST", "/api/conversations")["token"]
        self._client.headers["Authorization"] = f"Bearer {token}"
        self._read = 0

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, **more)
            body: dict[str, Any] = response.json() if response.content else {}
        except (httpx.TransportError, ValueError):
            raise Unreachable(_UNREACHABLE) from None
        if response.is_server_error:
            raise Unreachable(_UNREACHABLE)
        if response.is_error:
            raise Refused(body.get("detail", _UNREACHABLE), response.status_code)
        return body


def main() -> int:
    """Converse until the person ends it; return the exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C: what was started is stopped
        signal.signal(number, signal.default_int_handler)
    console = Console(highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())
    try:
        with _assistant(Settings()) as url, contextlib.closing(Conversation(url)) as conversation:
            _converse(conversation, console)
            console.print("\nÀ bientôt\u00a0!")
    except (Unreachable, StackError, RasaError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        console.print("\nÀ bientôt\u00a0!")
    return 0


@contextlib.contextmanager
def _assistant(settings: Settings) -> Iterator[str]:
    """Give the address of the assistant that runs, or of one started for this conversation."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    url = f"http://{host}:{settings.port}"
    if _is_up(url):
        yield url
        return
    model = trained_model(settings.var)
    with contextlib.ExitStack() as leaving:
        with Progress("Démarrage de Passerelle", sys.stderr):
            stack = leaving.enter_context(Stack(settings, model))
        yield stack.url


def _is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _converse(conversation: Conversation, console: Console) -> None:
    interactive = sys.stdin.isatty()
    console.print(_GREETING, style="dim")
    while True:
        try:
            if interactive:
                console.print()
            typed = input(_PROMPT if interactive else "").strip()
        except EOFError:
            return
        if typed.casefold() in GOODBYES:
            return
        if not interactive:
            if not typed:
                continue
            console.print(f"\n{_PROMPT}{typed}")
        try:
            if typed in _RATINGS and conversation.ratable:
                conversation.rate(_RATINGS[typed])
                console.print(_RATED, style="dim")
                continue
            with console.status("…"):
                replies = _exchange(conversation, typed)
        except Refused as refused:
            console.print(str(refused), style="red")
        except Unreachable as error:
            if not interactive:
                raise
            again = f" {_AGAIN}" if conversation.unsent else ""
            console.print(f"{error}{again}", style="red")
        else:
            for reply in replies:
                _show(reply["text"], console)
            for number, button in enumerate(conversation.buttons, start=1):
                before = "\n" if number == 1 else ""
                console.print(f"{before}  {number}. {button['title']}", style="cyan")
            if interactive and conversation.ratable:
                console.print(f"\n  {_RATE}", style="dim")


def _show(text: str, console: Console) -> None:
    if console.is_terminal:
        console.print(Padding(Text(text), (1, 0, 0, 2)))
    else:  # lines as they are: whoever reads them cuts them
        console.print("\n" + textwrap.indent(text, "  "))


def _exchange(conversation: Conversation, typed: str) -> list[dict[str, Any]]:
    """Send what was typed, or press the button of that number; return what is answered."""
    if not typed:
        replies = conversation.retry() if conversation.unsent else conversation.news()
        if not replies:
            raise Refused(_NOTHING_NEW)
        return replies
    if conversation.buttons and typed.isdecimal():
        last = len(conversation.buttons)
        if not 1 <= int(typed) <= last:
            raise Refused(_NO_SUCH_NUMBER.format(last=last))
        return conversation.press(int(typed))
    return conversation.write(typed)


if __name__ == "__main__":
    sys.exit(main())
