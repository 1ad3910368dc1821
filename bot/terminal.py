"""The same conversation in a terminal, through the public API: `make chat`.

It also reads questions from a pipe, one a line: `make chat < questions.txt`.
"""

import contextlib
import signal
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bot.client import Conversation, Refused, Unreachable
from deploy.progress import Progress
from deploy.rasa import RasaError
from deploy.stack import Stack, StackError
from deploy.train import trained_model
from knowledge.typography import french
from settings import Settings

with contextlib.suppress(ImportError):
    import readline  # noqa: F401 (arrow keys and history at the prompt)

GOODBYES = {"quitter", "quit", "exit"}
_PROMPT = "› "

_GREETING = french(
    "Bonjour ! Je suis Passerelle, un assistant automatique. Posez votre question sans y mettre "
    "de données sensibles, ou tapez le numéro d'une proposition. Pour finir : « quitter »."
)
_AGAIN = french("Votre message n'est pas parti : Entrée pour réessayer.")
_NO_SUCH_NUMBER = french("Tapez un numéro de 1 à {last}, ou écrivez votre question.")
_NOTHING_NEW = "Rien de nouveau pour le moment."
_RATINGS = {"+": "up", "-": "down"}
_RATE = french("Utile ? Tapez + ou -")
_RATED = "Merci, votre avis est noté."
_WHICH_FILE = french("Chemin du fichier (Entrée pour y renoncer) : ")
_NO_FILE = "Ce fichier ne peut pas être lu. Vérifiez son chemin."
_SAVED = french("Fichier enregistré : {path}")


def main() -> int:
    """Converse until the person ends it; return the exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C: what was started is stopped
        signal.signal(number, signal.default_int_handler)
    console = Console(highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())
    try:
        settings = Settings()
        with _assistant(settings) as url, contextlib.closing(Conversation(url)) as conversation:
            _converse(conversation, console, settings.var / "chat")
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


def _converse(conversation: Conversation, console: Console, folder: Path) -> None:
    """Talk until the end of what is typed; the files received go to `folder`."""
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
            file = _file_to_join(conversation, typed, interactive=interactive)
            if file == "":
                continue
            with console.status("…"):
                replies = (
                    conversation.attach(Path(file)) if file else _exchange(conversation, typed)
                )
        except Refused as refused:
            console.print(str(refused), style="red")
        except OSError:
            console.print(_NO_FILE, style="red")
        except Unreachable as error:
            if not interactive:
                raise
            again = f" {_AGAIN}" if conversation.unsent else ""
            console.print(f"{error}{again}", style="red")
        else:
            for reply in replies:
                _show(reply["text"], console)
                for attachment in reply["attachments"]:
                    saved = _saved(conversation, attachment, folder)
                    console.print(f"\n  {_SAVED.format(path=saved)}", style="cyan")
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


def _file_to_join(conversation: Conversation, typed: str, *, interactive: bool) -> str | None:
    """Ask for the path of a file if that is what the pressed button is for; empty: none after all.

    `None` if the button, or the message, is another.
    """
    if not typed.isdecimal() or not 1 <= int(typed) <= len(conversation.buttons):
        return None
    if not conversation.buttons[int(typed) - 1]["file"]:
        return None
    return input(_WHICH_FILE if interactive else "").strip()


def _saved(conversation: Conversation, attachment: dict[str, str], folder: Path) -> Path:
    """Keep a file that goes with a message, under the last part of its name; return where."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / Path(attachment["name"]).name
    file.write_bytes(conversation.read(attachment["path"]))
    return file


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
