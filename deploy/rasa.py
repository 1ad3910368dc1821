"""Rasa in its own environment: how it is called, and with which files."""

import os
import re
import signal
import subprocess
from pathlib import Path

import yaml

from deploy.progress import Progress
from settings import ROOT

PYTHON = Path("nlu/.venv/bin/python")

ENVIRONMENT = {
    # `nlu.components` is found from the root.
    "PYTHONPATH": str(ROOT),
    "RASA_TELEMETRY_ENABLED": "false",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # No GPU is looked for: there is no TensorFlow model.
    "CUDA_VISIBLE_DEVICES": "-1",
}


class RasaError(Exception):
    """Rasa cannot do what is asked of it; `str()` is one French sentence."""


def command(*arguments: str) -> list[str]:
    """Return Rasa's command line, to be run from the root with `ENVIRONMENT`."""
    return [str(PYTHON), "-m", "nlu", *arguments]


def examples() -> list[Path]:
    """Return the files of examples, from the root.

    Named one by one: given the folder, Rasa reads its own environment too
    (`nlu/.venv` holds YAML files by the hundred), half a minute of it.
    """
    files = (path.relative_to(ROOT) for path in (ROOT / "nlu").rglob("*.yml"))
    return sorted(path for path in files if not any(part[0] == "." for part in path.parts))


def sources() -> list[Path]:
    """Return the YAML files that Rasa learns from, from the root."""
    folders = (ROOT / name for name in ("domain", "stories"))
    others = [path.relative_to(ROOT) for folder in folders for path in folder.rglob("*.yml")]
    return [Path("config.yml"), *sorted(others), *examples()]


def data_arguments() -> list[str]:
    """Return the options of Rasa's command line that name `sources()`."""
    data = ["--data", *map(str, examples()), "stories"]
    return ["--config", "config.yml", "--domain", "domain", *data]


def run(arguments: list[str], label: str, log: Path, cache: Path) -> None:
    """Run a command of Rasa to its end, `label` telling people about it, its output in `log`.

    Raises:
        RasaError: it refused our files, or failed; or there is no Rasa.

    """
    if not (ROOT / PYTHON).exists():
        raise RasaError("Rasa n'est pas installé : lancez « make run ».")
    _check_syntax()
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **ENVIRONMENT, "RASA_CACHE_DIRECTORY": str(cache.resolve())}
    with log.open("wb") as output, Progress(label):
        # In a session of its own: Ctrl-C is for us, who then stop all of it.
        process = subprocess.Popen(
            command(*arguments),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        if code:
            said = log.read_text("utf-8", "replace")
            raise RasaError(f"{complaint(said)} Sortie complète : {log}.")


def _check_syntax() -> None:
    """Read every YAML file: Rasa only warns of some that it cannot read, and names no file."""
    for path in sources():
        try:
            with (ROOT / path).open("rb") as file:
                yaml.load(file, yaml.CSafeLoader)
        except OSError as error:
            raise RasaError(f"{path} ne peut pas être lu : {error.strerror}.") from None
        except yaml.MarkedYAMLError as error:
            line = f", ligne {error.problem_mark.line + 1}" if error.problem_mark else ""
            raise RasaError(f"{path}{line} n'est pas du YAML correct : {error.problem}.") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise RasaError(
                f"{path} n'est pas du YAML correct : {_one_line(str(error))}."
            ) from None


# What Rasa says when it refuses a file, and how it is told in one sentence.

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_SCHEMA = re.compile(r"^  in (?P<file>[^\n]+?):(?P<line>\d+):\n\s+(?P<problem>[^\n]+)", re.M)
_ERROR = re.compile(r"^(?P<kind>\w*(?:Exception|Error|InvalidRule|InvalidDomain|Exists|Config)): ?")
_FRAME = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<line>\d+)', re.M)
_WARNING = re.compile(r"^\S+\.py:\d+: UserWarning: (.+(?:\n(?!\S+\.py:|\d{4}-).+)*)", re.M)


def complaint(said: str) -> str:
    """Return, in one sentence, which file Rasa refused and why, from its output."""
    said = _COLOURS.sub("", said)
    schema = _SCHEMA.search(said)
    if schema:
        return _sentence(f"{schema['file']}, ligne {schema['line']}", schema["problem"])
    traceback = said.rpartition("Traceback (most recent call last):")[2]
    if traceback is not said and (frame := _own_frame(traceback)):
        last = [line for line in traceback.splitlines() if _ERROR.match(line)]
        return _sentence(frame, last[-1] if last else "erreur inattendue")
    lines = said.splitlines()
    for index in range(len(lines) - 1, -1, -1):
        if found := _ERROR.match(lines[index]):
            problem = "\n".join(lines[index:])[found.end() :]
            return _sentence(_place(problem) or "un fichier", problem)
    warnings = _WARNING.findall(said)
    if warnings:
        return _sentence(_place(warnings[0]) or "un fichier", warnings[0])
    return _sentence("un fichier", lines[-1] if lines else "rien")


def _sentence(place: str, problem: str) -> str:
    place = place.removeprefix(f"{ROOT}/")
    problem = problem.partition("More info at")[0].partition("You can find more")[0]
    problem = _one_line(problem).replace(f"{ROOT}/", "").rstrip(". ")
    return f"Rasa refuse {place} : « {problem} »."


def _one_line(text: str, longest: int = 400) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _own_frame(traceback: str) -> str | None:
    """Return the last place of a traceback that is in a file of ours."""
    own = [
        frame
        for frame in _FRAME.finditer(traceback)
        if frame["file"].startswith(f"{ROOT}/") and "/.venv/" not in frame["file"]
    ]
    return f"{own[-1]['file']}, ligne {own[-1]['line']}" if own else None


def _place(problem: str) -> str | None:
    """Return what a complaint is about: a file it names, or where a name it quotes is written."""
    files = sources()
    for path in files:
        if str(path) in problem:
            return str(path)
    quoted = [re.escape(name) for name in re.findall(r"(?<!\w)'([^'\n]{3,})'(?!\w)", problem)]
    if not quoted:
        return None
    any_of_them = f"['\"]?(?:{'|'.join(quoted)})['\"]?"
    # The title of a rule or story first: Rasa quotes it next to what is wrong in it.
    for pattern in (
        rf"^\s*-\s*(?:rule|story):\s*{any_of_them}\s*$",
        rf"(?<!\w){any_of_them}(?!\w)",
    ):
        for path in files:
            lines = (ROOT / path).read_text("utf-8").splitlines()
            for number, line in enumerate(lines, 1):
                if re.search(pattern, line):
                    return f"{path}, ligne {number}"
    return None
