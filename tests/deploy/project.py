"""A small project for the tests of `deploy`: ours, with stand-ins for its three processes.

The stand-ins start in a tenth of a second; they do what `deploy` has to see.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy import ports
from settings import ROOT

SERVER = """
import http.server, os, sys
from pathlib import Path

def serve(name, address, answer=lambda: 200):
    with Path(os.environ["PIDS"]).open("a") as file:
        print(name, os.getpid(), file=file)
    told = Path(os.environ["PIDS"]).with_name("readyz.json")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(answer())
            self.end_headers()
            if told.exists():
                self.wfile.write(told.read_bytes())

        def log_message(self, *words):
            pass

    http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""
BOT = """
import urllib.error, urllib.request
from server import serve
from settings import Settings

settings = Settings()

def answer():
    try:
        for url in (settings.rasa_url, settings.actions_url):
            urllib.request.urlopen(url, timeout=1)
    except OSError:
        return 503
    return 200

print("bot", settings.rasa_url, settings.actions_url, flush=True)
serve("bot", (settings.host, settings.port), answer)
"""
ACTIONS = """
from urllib.parse import urlsplit
from server import serve
from settings import Settings

address = urlsplit(Settings().actions_url)
serve("actions", (address.hostname, address.port))
"""
RASA = """
import sys
from pathlib import Path
from server import serve

words = dict(zip(sys.argv[2:], sys.argv[3:]))
if sys.argv[1] == "train":
    out = Path(words["--out"])
    out.mkdir(parents=True)
    (out / (words["--fixed-model-name"] + ".tar.gz")).write_text("model")
else:
    assert Path(words["--model"]).read_text() == "model"
    serve("rasa", (words["--interface"], int(words["--port"])))
"""
KNOWLEDGE = """
class KnowledgeError(ValueError):
    pass

def load():
    pass
"""
CRASH = """
import sys
sys.exit("ModuleNotFoundError: rien ne va")
"""


class Project:
    """The project in `root`, and what runs of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pids = root / "pids"
        self.pids.touch()
        self.port = ports.free()
        shutil.copytree(ROOT / "deploy", root / "deploy")
        shutil.copy(ROOT / "settings.py", root)
        for name, text in {
            "server.py": SERVER,
            "bot/__main__.py": BOT,
            "actions/__main__.py": ACTIONS,
            "knowledge/__init__.py": KNOWLEDGE,
            "nlu/__main__.py": RASA,
            "nlu/requirements.txt": "",
            "nlu/greetings.yml": "nlu: []\n",
            "config.yml": "language: fr\n",
            "domain/greetings.yml": "intents: [greet]\n",
            "stories/greetings.yml": "rules: []\n",
            "endpoints.yml": "",
            "credentials.yml": "",
        }.items():
            self.write(name, text)
        (root / "nlu/.venv").symlink_to(Path(sys.executable).parent.parent)

    def write(self, name: str, text: str) -> None:
        """Write one file."""
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, "utf-8")

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return an environment for the project's commands."""
        ours = {name: value for name, value in os.environ.items() if "PASSERELLE" not in name}
        internal = {
            "PASSERELLE_RASA_URL": f"http://{ports.LOOPBACK}:{ports.free()}",
            "PASSERELLE_ACTIONS_URL": f"http://{ports.LOOPBACK}:{ports.free()}",
        }
        return {
            **ours,
            **internal,
            "PASSERELLE_PORT": str(self.port),
            "PIDS": str(self.pids),
            "PYTHONUNBUFFERED": "1",
            **more,
        }

    def command(self, module: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m module` to its end."""
        return subprocess.run(
            [sys.executable, "-m", module],
            cwd=self.root,
            env=self.environment(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @contextmanager
    def running(self, **environment: str) -> Iterator["Running"]:
        """Run `python -m deploy.run`; end it, whatever happens."""
        output = self.root / "output"
        with output.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "deploy.run"],
                cwd=self.root,
                env=self.environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield Running(process, output)
        finally:
            process.kill()
            process.wait()

    def started(self) -> list[tuple[str, int]]:
        """Return each process that ever started: its name and its id."""
        lines = (line.split() for line in self.pids.read_text().splitlines())
        return [(name, int(pid)) for name, pid in lines]

    def alive(self) -> list[tuple[str, int]]:
        """Return the processes that still run."""
        return [(name, pid) for name, pid in self.started() if _runs(pid)]

    def last(self, name: str) -> int:
        """Return the id of the last process called `name`."""
        return [pid for one, pid in self.started() if one == name][-1]


class Running:
    """`python -m deploy.run` while it runs."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self._process = process
        self._output = output

    def wait_for(self, words: str, within: float = 30) -> None:
        """Wait until it has said `words` (a regular expression)."""
        limit = time.monotonic() + within
        while not re.search(words, self.said):
            assert time.monotonic() < limit, f"never said {words!r}:\n{self.said}"
            ended = self._process.poll() is not None
            assert not ended or re.search(words, self.said), f"ended:\n{self.said}"
            time.sleep(0.05)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, within: float = 30) -> int:
        """Wait for the end; return the exit code."""
        return self._process.wait(within)

    @property
    def said(self) -> str:
        """What people read so far."""
        return self._output.read_text("utf-8")


def wait_until(condition: Callable[[], bool], within: float = 15) -> None:
    """Wait until `condition` holds."""
    limit = time.monotonic() + within
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(status.stdout.strip()) and not status.stdout.startswith("Z")
