"""The three processes of Passerelle on this machine, under supervisor.

`with Stack(settings, model) as stack:` has them started and ready, and leaves
nothing running behind. For `make run`, the tests and the bench.
"""

import configparser
import contextlib
import fcntl
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast
from urllib.parse import urlsplit
from xmlrpc.client import Fault, ServerProxy

from pydantic import SecretStr
from supervisor.xmlrpc import SupervisorTransport

from deploy import ports, rasa
from settings import ROOT, Settings

READY_WITHIN = 180.0
"""Longest wait for the whole to answer, in seconds: a slow machine's first start."""
STARTS_AT_MOST = 3
"""A process that has died this often before all is ready will not do better."""
STOP_WITHIN = 10
"""What a process gets to stop by itself, in seconds; then it is killed."""
LOG_SIZE, OLD_LOGS = "5MB", 3
OPEN_FILES = 8192
"""Each visitor who follows a conversation holds a connection; where the system allows."""

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class StackError(Exception):
    """The processes cannot be started; `str()` is a French sentence, then perhaps log lines."""


@dataclass(frozen=True)
class Program:
    """One process: what runs, and what its environment has more than the others'."""

    name: str
    label: str
    command: list[str]
    priority: int
    """Started in this order, stopped in the other: the public face stops first."""
    environment: Mapping[str, str] = field(default_factory=dict)


class Stack:
    """The bot, Rasa and the action server, on one data folder.

    Args:
        settings: what the processes shall run with. Rasa or the action server
            is only started if its address is this machine's own; if another
            program has its port, another port is taken.
        model: Rasa's trained model.
        environment: variables that the processes shall have besides.
    """

    def __init__(
        self, settings: Settings, model: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.settings = settings
        self.var = settings.var.resolve()
        self.url = f"http://{_reachable(settings.host)}:{settings.port}"
        self._model = model.resolve()
        self._more = dict(environment or {})
        self._programs: list[Program] = []
        self._folder: Path | None = None
        self._lock: IO[str] | None = None
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._pids: dict[str, int] = {}

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # Starting

    def start(self) -> None:
        """Start the processes, all at once; `wait_ready` tells when they answer.

        Raises:
            StackError: the public port or the data folder is another program's.
        """
        run = self.var / "run"
        run.mkdir(parents=True, exist_ok=True)
        (self.var / "log").mkdir(exist_ok=True)
        self._take(run / "lock")
        if problem := ports.problem(self.settings.host, self.settings.port):
            raise StackError(
                f"Passerelle ne peut pas démarrer : {problem}. Choisissez un autre port, par "
                f"exemple : PASSERELLE_PORT={self._other_port()} make run"
            )
        rasa_url = self._internal_url(self.settings.rasa_url)
        actions_url = self._internal_url(self.settings.actions_url)
        self._programs = self._wanted(rasa_url, actions_url)
        # A socket's path may not be longer than a hundred characters: not in `var`.
        self._folder = Path(tempfile.mkdtemp(prefix="passerelle-"))
        configuration = run / "supervisord.conf"
        with configuration.open("w") as file:
            self._configuration().write(file)
        self._pids = {}
        self._supervisor = subprocess.Popen(
            [sys.executable, "-m", "deploy.supervised", "-c", str(configuration)],
            cwd=ROOT,
            env=self._environment(rasa_url, actions_url),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=(self.var / "log" / "supervisord.err").open("wb"),
            # Ctrl-C is for our process, which then stops them in order.
            start_new_session=True,
        )

    def _take(self, path: Path) -> None:
        """Make the data folder ours: two relays on one SQLite file are not meant."""
        lock = path.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            address = lock.read().strip()
            lock.close()
            raise StackError(
                f"Passerelle est déjà en route avec ce dossier de données ({self.var})"
                f"{f' : {address}' if address else ''}."
            ) from None
        lock.truncate(0)
        lock.write(self.url)
        lock.flush()
        self._lock = lock

    def _other_port(self) -> int:
        after = range(self.settings.port + 1, self.settings.port + 20)
        usable = (port for port in after if 1024 <= port <= 65535)
        good = (port for port in usable if not ports.problem(self.settings.host, port))
        return next(good, 0) or ports.free()

    def _internal_url(self, url: str) -> str:
        """Return `url`, or the same with a free port if it is ours and its port is taken."""
        parts = urlsplit(url)
        if not _is_local(url) or not ports.problem(parts.hostname or "", parts.port or 80):
            return url
        return f"http://{ports.LOOPBACK}:{ports.free()}"

    def _wanted(self, rasa_url: str, actions_url: str) -> list[Program]:
        programs = [
            Program("bot", "le serveur public (bot)", [sys.executable, "-m", "bot"], priority=3)
        ]
        if _is_local(rasa_url):
            port = str(urlsplit(rasa_url).port or 80)
            where = ["--interface", ports.LOOPBACK, "--port", port, "--model", str(self._model)]
            files = ["--endpoints", "endpoints.yml", "--credentials", "credentials.yml"]
            command = rasa.command("run", *where, *files)
            programs.append(Program("rasa", "Rasa", command, 2, rasa.ENVIRONMENT))
        if _is_local(actions_url):
            command = [sys.executable, "-m", "actions"]
            listen = {"SANIC_HOST": ports.LOOPBACK}
            programs.append(Program("actions", "le serveur d'actions", command, 1, listen))
        return programs

    def _environment(self, rasa_url: str, actions_url: str) -> dict[str, str]:
        """Return the environment of every process: secrets stay out of the files of `var/run`."""
        chosen = {name: getattr(self.settings, name) for name in self.settings.model_fields_set}
        chosen |= {"host": self.settings.host, "port": self.settings.port, "var": self.var}
        chosen |= {"rasa_url": rasa_url, "actions_url": actions_url}
        chosen["tracker_url"] = self.settings.rasa_database_url
        ours = {
            f"PASSERELLE_{name.upper()}": _text(value)
            for name, value in chosen.items()
            if value is not None
        }
        return {**os.environ, "PYTHONUNBUFFERED": "1", **ours, **self._more}

    def _configuration(self) -> configparser.RawConfigParser:
        log = self.var / "log"
        socket = self._socket()
        _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
        configuration = configparser.RawConfigParser()
        configuration["supervisord"] = {
            "nodaemon": "true",
            "silent": "true",
            "pidfile": _escaped(self.var / "run" / "supervisord.pid"),
            "logfile": _escaped(log / "supervisord.log"),
            "logfile_maxbytes": LOG_SIZE,
            "logfile_backups": str(OLD_LOGS),
            "minfds": str(OPEN_FILES if most_files < 0 else min(OPEN_FILES, most_files)),
            **({"user": "root"} if os.getuid() == 0 else {}),
        }
        configuration["unix_http_server"] = {"file": _escaped(socket), "chmod": "0700"}
        configuration["rpcinterface:supervisor"] = {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        }
        for program in self._programs:
            configuration[f"program:{program.name}"] = {
                "command": " ".join(_quoted(word) for word in program.command),
                "environment": ",".join(
                    f"{name}={_quoted(value)}" for name, value in program.environment.items()
                ),
                "priority": str(program.priority),
                "autorestart": "true",
                "startsecs": "5",
                # Never given up: what it waits for may come back. The pause grows by 1 s a time.
                "startretries": "1000",
                "stopasgroup": "true",
                "killasgroup": "true",
                "stopwaitsecs": str(STOP_WITHIN),
                "redirect_stderr": "true",
                # Supervisor expands this one twice.
                "stdout_logfile": _escaped(_escaped(self.log(program.name))),
                "stdout_logfile_maxbytes": LOG_SIZE,
                "stdout_logfile_backups": str(OLD_LOGS),
            }
        return configuration

    # Waiting

    def wait_ready(
        self, within: float = READY_WITHIN, tell: Callable[[str], None] | None = None
    ) -> None:
        """Wait until the whole answers; `tell` is given, now and then, what is missing.

        Raises:
            StackError: a process dies again and again, or `within` seconds are over.
        """
        limit = time.monotonic() + within
        starts: dict[str, set[int]] = {}
        while True:
            missing = self.missing()
            if not missing:
                return
            if tell:
                tell(missing)
            self._check_starts(starts)
            if time.monotonic() > limit:
                raise StackError(
                    f"Passerelle ne répond toujours pas après {within:.0f} s (il manque : "
                    f"{missing}). Voir les journaux dans {self.var / 'log'}."
                )
            time.sleep(0.2)

    def missing(self) -> str:
        """Return what is not ready, in French; nothing if all is."""
        try:
            with _DIRECT.open(f"{self.url}/readyz", timeout=5):
                return ""
        except urllib.error.HTTPError as error:
            with contextlib.suppress(ValueError, AttributeError, OSError):
                checks = json.loads(error.read())
                labels = {program.name: program.label for program in self._programs}
                waited = [labels[name] for name, up in checks.items() if name in labels and not up]
                if waited:
                    return ", ".join(waited)
            return "ses processus internes"
        except OSError:
            return "le serveur public"

    def telegram(self) -> tuple[str, str | None] | None:
        """Return how the Telegram channel is and what its bot is called; nothing if there is none.

        See `bot.telegram.channel.Status`.
        """
        try:
            with _DIRECT.open(f"{self.url}/readyz", timeout=5) as response:
                told = json.loads(response.read()).get("telegram")
        except (OSError, ValueError):
            return None
        return (told["status"], told["username"]) if told else None

    def _check_starts(self, starts: dict[str, set[int]]) -> None:
        """Raise if a process has died too often; `starts` remembers when each was started."""
        if not self.supervised:
            raise StackError(
                "Le superviseur des processus s'est arrêté : "
                f"voir {self.var / 'log' / 'supervisord.log'}."
            )
        for process in self.processes():
            name = process["name"]
            seen = starts.setdefault(name, set())
            if process["start"]:
                seen.add(process["start"])
            down = process["statename"] in {"BACKOFF", "EXITED", "FATAL"}
            if process["statename"] == "FATAL" or (down and len(seen) >= STARTS_AT_MOST):
                raise StackError(
                    f"Passerelle ne peut pas démarrer : {self.label(name)} s'arrête aussitôt. "
                    f"Fin de {self.log(name)} :\n{self.log_end(name)}"
                )

    # While it runs

    @property
    def supervised(self) -> bool:
        """Whether supervisor is there to look after the processes."""
        return self._supervisor is not None and self._supervisor.poll() is None

    def label(self, name: str) -> str:
        """Return what `bot`, `rasa` or `actions` is called for people."""
        return next(program.label for program in self._programs if program.name == name)

    def processes(self) -> list[dict[str, Any]]:
        """Return what supervisor knows of each process; nothing while it is not up itself."""
        try:
            known = cast("list[dict[str, Any]]", self._rpc().getAllProcessInfo())
        except (OSError, Fault):
            return []
        self._pids |= {one["name"]: one["pid"] for one in known if one["pid"]}
        return known

    def pid(self, name: str) -> int | None:
        """Return the process id of `bot`, `rasa` or `actions`, if it runs."""
        return next((one["pid"] or None for one in self.processes() if one["name"] == name), None)

    def kill(self, name: str) -> None:
        """Kill one process as a crash would; supervisor starts it again."""
        if pid := self.pid(name):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def restart(self, name: str) -> None:
        """Stop one process in good order and start it again."""
        self.halt(name)
        self._rpc().startProcess(name, False)

    def halt(self, name: str) -> None:
        """Stop one process in good order, and leave it stopped until `restart`."""
        with contextlib.suppress(Fault):  # it is not running
            self._rpc().stopProcess(name)

    def log(self, name: str) -> Path:
        """Return the log file of `bot`, `rasa` or `actions`."""
        return self.var / "log" / f"{name}.log"

    def log_end(self, name: str, lines: int = 15) -> str:
        """Return the last lines that a process said."""
        try:
            return "\n".join(self.log(name).read_text("utf-8", "replace").splitlines()[-lines:])
        except OSError:
            return ""

    def _rpc(self) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket()}")
        return ServerProxy("http://localhost", transport=transport).supervisor

    def _socket(self) -> Path:
        return (self._folder or Path()) / "supervisor.sock"

    # Stopping

    def stop(self) -> None:
        """Stop every process in good order; none is left."""
        if self._supervisor is not None:
            self.processes()
            self._supervisor.terminate()
            try:
                self._supervisor.wait(STOP_WITHIN * len(self._programs) + 5)
            except BaseException:  # it hangs, or whoever waits will not wait any longer
                self.kill_all()
                raise
        self._end()

    def kill_all(self) -> None:
        """Kill every process at once."""
        if self._supervisor is not None:
            # Before its children, or it would start them again.
            self._supervisor.kill()
            for pid in self._pids.values():
                with contextlib.suppress(OSError):
                    os.killpg(pid, signal.SIGKILL)
            self._supervisor.wait()
        self._end()

    def _end(self) -> None:
        if self._supervisor is not None and self._supervisor.stdin:
            self._supervisor.stdin.close()
        self._supervisor = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in {ports.LOOPBACK, "localhost"}


def _reachable(host: str) -> str:
    """Return the address to ask for what listens on `host`, perhaps on every address."""
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 (compared, not listened on)
        return ports.LOOPBACK
    return f"[{host}]" if ":" in host else host


def _text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _escaped(value: object) -> str:
    """Return a value of supervisor's configuration, which expands `%`."""
    return str(value).replace("%", "%%")


def _quoted(value: str) -> str:
    return '"' + _escaped(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
