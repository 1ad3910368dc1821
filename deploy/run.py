"""Everything, on this machine: `python -m deploy.run` checks, trains if needed, starts, waits.

Ctrl-C (or SIGTERM) stops it all in good order; a second Ctrl-C, at once.
"""

import signal
import sys
import time
from types import FrameType

from pydantic import ValidationError

from deploy.progress import Progress, say
from deploy.rasa import RasaError
from deploy.stack import Stack, StackError
from deploy.train import trained_model
from knowledge import KnowledgeError, load
from settings import Settings

WATCH_EVERY = 2.0
"""Seconds between two looks at the processes, once all is ready."""


class Stopped(BaseException):
    """A signal asks to stop: not an error, and nothing to catch on the way."""


def main() -> int:
    """Run until told to stop; return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    stack = None
    try:
        settings = Settings()
        load()
        model = trained_model(settings.var)
        stack = Stack(settings, model)
        stack.start()
        with Progress("Démarrage de Passerelle") as progress:
            stack.wait_ready(tell=lambda missing: setattr(progress, "detail", missing))
        say(f"Passerelle est prête : {stack.url} (Ctrl-C pour arrêter)")
        _watch(stack)
    except Stopped:
        return _end(stack)
    except (KnowledgeError, RasaError, StackError) as error:
        return _fail(stack, str(error))
    except ValidationError as error:
        return _fail(stack, _refused(error))
    except OSError as error:
        return _fail(stack, f"Passerelle ne peut pas démarrer : {error}.")
    return 0


def _watch(stack: Stack) -> None:
    """Tell of every process that had to be started again; ends only by a signal or an error."""
    starts = {one["name"]: one["start"] for one in stack.processes()}
    telegram = ""
    while True:
        if stack.settings.telegram_token and (told := _telegram(stack)) not in ("", telegram):
            telegram = told
            say(told)
        time.sleep(WATCH_EVERY)
        if not stack.supervised:
            raise StackError("Le superviseur des processus s'est arrêté : Passerelle s'arrête.")
        for one in stack.processes():
            name, start = one["name"], one["start"]
            if start and start != starts.get(name):
                starts[name] = start
                say(f"{stack.label(name)} s'était arrêté, et redémarre (voir {stack.log(name)}).")


def _telegram(stack: Stack) -> str:
    """Return how Telegram is; nothing while it is not known."""
    match stack.telegram():
        case "on", str(username):
            return f"Sur Telegram : https://t.me/{username}"
        case "refused", _:
            return (
                "Telegram refuse le jeton du robot : vérifiez PASSERELLE_TELEGRAM_TOKEN, que donne "
                "@BotFather. Le reste de Passerelle fonctionne."
            )
        case "webhook_refused", _:
            return (
                "Telegram refuse l'adresse PASSERELLE_TELEGRAM_WEBHOOK_URL : il en faut une, "
                "publique, en https (port 443, 80, 88 ou 8443). Le reste fonctionne."
            )
        case "webhook_failing", _:
            return (
                "Telegram ne parvient pas à livrer les messages : vérifiez que l'adresse "
                "PASSERELLE_TELEGRAM_WEBHOOK_URL mène à Passerelle. Ils attendent, un jour au plus."
            )
        case "conflict", _:
            return (
                "Un autre programme reçoit les messages du même robot Telegram : arrêtez-le, ou "
                "donnez un autre jeton. Le reste fonctionne."
            )
        case "unreachable", _:
            return "Telegram ne répond pas : nouvel essai dans un moment. Le reste fonctionne."
    return ""


def _end(stack: Stack | None) -> int:
    if stack is not None:
        try:
            with Progress("Arrêt de Passerelle"):
                stack.stop()
        except Stopped:
            stack.kill_all()
            say("Passerelle est arrêtée net.")
    return 0


def _fail(stack: Stack | None, sentence: str) -> int:
    say(sentence, sys.stderr)
    if stack is not None:
        try:
            stack.stop()
        except Stopped:
            stack.kill_all()
    return 1


def _refused(error: ValidationError) -> str:
    """Return which setting is wrong."""
    first = error.errors()[0]
    name = "_".join(str(part) for part in first["loc"]).upper()
    return f"Le réglage PASSERELLE_{name} ne convient pas : « {first['input']} »."


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
