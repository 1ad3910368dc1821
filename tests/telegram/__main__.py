"""Talk to the bot without Telegram: `python -m tests.telegram --port 8081 --token 123:ABC`."""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import threading
from pathlib import Path

from tests.telegram.api import Telegram
from tests.telegram.people import Person
from tests.telegram.state import Event, Message

_HELP = """\
Écrivez au robot. « #2 » appuie sur le deuxième bouton, « /fichier chemin » envoie un document,
« /bloquer » et « /débloquer » font ce qu'ils disent, « /quitter » (ou Ctrl-D) termine."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.telegram", description="Un faux Telegram, pour parler au robot."
    )
    parser.add_argument("--port", type=int, default=8081, help="port d'écoute (8081)")
    parser.add_argument("--token", default="123:ABC", help="jeton du robot (123:ABC)")
    parser.add_argument("--nom", default="Camille", help="prénom de la personne (Camille)")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        try:
            asyncio.run(_serve(options.port, options.token, options.nom))
        except OSError as error:
            print(f"Le port {options.port} ne peut pas être ouvert : {error}", file=sys.stderr)
            return 1
    return 0


async def _serve(port: int, token: str, name: str) -> None:
    telegram = Telegram(token)
    await telegram.start(port)
    try:
        print("Le faux Telegram écoute. Pour y relier le robot, dans un autre terminal :\n")
        print(f"  export PASSERELLE_TELEGRAM_API={telegram.url}")
        print(f"  export PASSERELLE_TELEGRAM_TOKEN={token}\n")
        print(_HELP, flush=True)
        person = Person(telegram, name)
        person.start()
        print("\n› /start")
        showing = asyncio.create_task(_show(person))
        await _converse(person)
        showing.cancel()
    finally:
        await telegram.stop()


async def _converse(person: Person) -> None:
    piped = not sys.stdin.isatty()
    lines = _typed()
    while line := await lines.get():
        said = line.strip()
        if said == "/quitter":
            return
        if piped:
            print(f"\n› {said}", flush=True)
        if said:
            before = len(person.events)
            if trouble := _do(person, said):
                print(trouble, flush=True)
            elif piped:  # the next line answers what the bot says to this one
                await _answered(person, before)


def _typed() -> asyncio.Queue[str]:
    """Lines as they are typed, an empty text at the end.

    Read in a thread of our own: Ctrl-C would wait for one of asyncio's until Enter.
    """
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str]()

    def read() -> None:
        line = "\n"
        while line:
            line = sys.stdin.readline()
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens
                loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _choices(person: Person) -> tuple[Message | None, list[str]]:
    """The buttons shown last, and the message they are on if they are inline."""
    for message in reversed(person.said):
        if message.buttons:
            return message, message.labels
        if message.markup is not None and message.markup is person.keyboard:
            break
    rows = (person.keyboard or {}).get("keyboard", [])
    return None, [key["text"] for row in rows for key in row]


def _do(person: Person, said: str) -> str | None:
    """Do what a line says; give what to print if it cannot be done."""
    command, _, rest = said.partition(" ")
    try:
        if command.startswith("#") and command[1:].isdigit():
            number, (message, labels) = int(command[1:]), _choices(person)
            if not 1 <= number <= len(labels):
                return f"Il n'y a pas de bouton {number}."
            if message is None:
                person.tap(labels[number - 1])
            else:
                person.press(message, message.buttons[number - 1])
        elif command == "/fichier":
            path = Path(rest.strip()).expanduser()
            person.document(path.name, path.read_bytes())
        elif command == "/bloquer":
            person.block()
        elif command in {"/débloquer", "/debloquer"}:
            person.unblock()
        else:
            person.say(said)
    except OSError:
        return "Ce fichier ne peut pas être lu. Vérifiez son chemin."
    except LookupError:
        return "Ce bouton ouvre un lien : le robot n'en sait rien."
    except AssertionError:
        return "Le robot est bloqué : « /débloquer » d'abord."
    return None


async def _answered(person: Person, before: int, patience: float = 30, quiet: float = 1.5) -> None:
    """Wait for the bot to speak, then to be silent."""
    since, seen = 0.0, before
    while since < (quiet if seen > before else patience):
        await asyncio.sleep(0.1)
        since += 0.1
        if len(person.events) > seen:
            since, seen = 0.0, len(person.events)


async def _show(person: Person) -> None:
    """Print what the bot does, as it does it."""
    shown = 0
    folder = Path(tempfile.mkdtemp(prefix="telegram-"))
    while True:
        for event in person.events[shown:]:
            shown += 1
            if lines := _lines(event, person, folder):
                print(*lines, sep="\n", flush=True)
        await asyncio.sleep(0.05)


def _lines(event: Event, person: Person, folder: Path) -> list[str]:
    if event.kind == "answered":
        return [f"  ({event.json['text']})"] if event.json["text"] else []
    if event.kind == "deleted":
        return ["  (message effacé par le robot)"]
    if event.kind == "typing" or event.message is None:
        return []
    lines = ["", "Robot, modifié :" if event.kind == "edited" else "Robot :"]
    said = str(event.json.get("text", event.json.get("caption", "")))
    lines += [f"  {line}" for line in said.split("\n")]
    if event.message.file is not None and event.kind == "sent":
        path = folder / event.message.file.name
        path.write_bytes(event.message.file.content or b"")
        lines.append(f"  Fichier : {path}")
    rows = event.json.get("reply_markup", {}).get("inline_keyboard", [])
    buttons = [button for row in rows for button in row]
    if not buttons and event.message.markup is not None and person.keyboard is not None:
        buttons = [key for row in person.keyboard["keyboard"] for key in row]
    lines += [
        f"  #{number} {button['text']}" + (f" ({button['url']})" if "url" in button else "")
        for number, button in enumerate(buttons, 1)
    ]
    return lines


if __name__ == "__main__":
    sys.exit(main())
