"""`make run`: what it starts, what it says, and that it leaves nothing running."""

import json
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from deploy import ports
from tests.deploy.project import CRASH, Project, wait_until

READY = r"Passerelle est prête : http://127\.0\.0\.1:\d+ \(Ctrl-C pour arrêter\)"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def assert_refused(project: Project, sentence: str, **environment: str) -> str:
    """Check that `make run` fails with one sentence, and leaves nothing running."""
    done = project.command("deploy.run", **environment)
    assert done.returncode == 1, done.stdout
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert project.alive() == []
    return done.stderr


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_starts_all_then_stops_all(project: Project, stop: signal.Signals) -> None:
    with project.running() as run:
        run.wait_for(READY)
        assert httpx.get(f"http://127.0.0.1:{project.port}/readyz").status_code == 200
        assert sorted(name for name, _ in project.alive()) == ["actions", "bot", "rasa"]
        run.signal(stop)
        assert run.wait() == 0
        assert project.alive() == []
        assert "Arrêt de Passerelle" in run.said
        assert "Traceback" not in run.said


def test_says_how_telegram_is_each_time_it_changes(project: Project) -> None:
    def telegram(status: str, username: str | None = None) -> None:
        told = {"telegram": {"status": status, "username": username}}
        project.write("readyz.json", json.dumps(told))

    telegram("starting")
    with project.running(PASSERELLE_TELEGRAM_TOKEN="123:ABC") as run:
        run.wait_for(READY)
        telegram("unreachable")
        run.wait_for("Telegram ne répond pas : nouvel essai dans un moment")
        telegram("on", "passerelle_bot")
        run.wait_for("Sur Telegram : https://t.me/passerelle_bot")
        telegram("conflict")
        run.wait_for("Un autre programme reçoit les messages du même robot Telegram")
        telegram("webhook_refused")
        run.wait_for("Telegram refuse l'adresse PASSERELLE_TELEGRAM_WEBHOOK_URL")
        telegram("webhook_failing")
        run.wait_for("Telegram ne parvient pas à livrer les messages")
        telegram("refused")
        run.wait_for(r"Telegram refuse le jeton du robot : vérifiez PASSERELLE_TELEGRAM_TOKEN")
        run.signal(signal.SIGINT)
        assert run.wait() == 0
    assert run.said.count("t.me") == 1
    assert "starting" not in run.said and "123:ABC" not in run.said


def test_says_nothing_of_telegram_without_a_token(project: Project) -> None:
    with project.running() as run:
        run.wait_for(READY)
        run.signal(signal.SIGINT)
        assert run.wait() == 0
    assert "Telegram" not in run.said


def test_starts_again_without_training(project: Project) -> None:
    for expected in (True, False):
        with project.running() as run:
            run.wait_for(READY)
            run.signal(signal.SIGINT)
            run.wait()
            assert ("Apprentissage" in run.said) is expected


def test_killed_it_takes_all_with_it(project: Project) -> None:
    with project.running() as run:
        run.wait_for(READY)
        run.signal(signal.SIGKILL)
        run.wait()
        wait_until(lambda: not project.alive())


def test_a_second_ctrl_c_kills_at_once(project: Project) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    actions = project.root / "actions/__main__.py"
    project.write("actions/__main__.py", deaf + actions.read_text())
    with project.running() as run:
        run.wait_for(READY)
        run.signal(signal.SIGINT)
        run.wait_for("Arrêt de Passerelle")
        run.signal(signal.SIGINT)
        assert run.wait(within=5) == 0
        wait_until(lambda: not project.alive(), within=1)


def test_ctrl_c_while_it_starts(project: Project) -> None:
    project.write("actions/__main__.py", "import time; time.sleep(60)")
    with project.running() as run:
        run.wait_for("Démarrage de Passerelle")
        run.signal(signal.SIGINT)
        assert run.wait() == 0
        assert project.alive() == []


def test_ctrl_c_while_it_trains(project: Project) -> None:
    project.write("nlu/__main__.py", "from server import serve; serve('rasa', ('127.0.0.1', 0))")
    with project.running() as run:
        run.wait_for("Apprentissage")
        wait_until(lambda: bool(project.started()))
        run.signal(signal.SIGINT)
        assert run.wait() == 0
        wait_until(lambda: not project.alive(), within=2)
        assert list((project.root / "var/models").glob("*.tar.gz")) == []


@pytest.mark.parametrize("name", ["bot", "rasa", "actions"])
def test_a_process_that_dies_is_started_again(project: Project, name: str) -> None:
    with project.running() as run:
        run.wait_for(READY)
        before = project.last(name)
        os.kill(before, signal.SIGKILL)
        run.wait_for("s'était arrêté, et redémarre")
        wait_until(lambda: project.last(name) != before)
        run.signal(signal.SIGINT)
        assert run.wait() == 0
        assert project.alive() == []


@pytest.mark.parametrize("name", ["bot", "actions"])
def test_a_process_that_cannot_start_is_shown(project: Project, name: str) -> None:
    project.write(f"{name}/__main__.py", CRASH)
    said = assert_refused(project, "s'arrête aussitôt")
    assert "ModuleNotFoundError: rien ne va" in said
    assert f"{name}.log" in said


def test_a_port_that_is_taken(project: Project) -> None:
    with socket.socket() as other:
        other.bind((ports.LOOPBACK, project.port))
        other.listen()
        said = assert_refused(project, f"le port {project.port} est déjà pris")
    assert "PASSERELLE_PORT=" in said
    assert "make run" in said


def test_an_internal_port_that_is_taken_is_changed(project: Project) -> None:
    with socket.socket() as other:
        other.bind((ports.LOOPBACK, 0))
        other.listen()
        taken = f"http://{ports.LOOPBACK}:{other.getsockname()[1]}"
        with project.running(PASSERELLE_RASA_URL=taken) as run:
            run.wait_for(READY)
            assert taken not in (project.root / "var/log/bot.log").read_text()


def test_two_on_one_data_folder(project: Project) -> None:
    with project.running() as run:
        run.wait_for(READY)
        done = project.command("deploy.run", PASSERELLE_PORT=str(ports.free()))
        assert done.returncode == 1
        assert f"déjà en route avec ce dossier de données ({project.root}/var)" in done.stderr
        assert f"http://127.0.0.1:{project.port}" in done.stderr
        assert len(project.alive()) == 3


def test_a_data_folder_with_an_odd_name(project: Project) -> None:
    odd = project.root / "données de 100 % d'essai"
    with project.running(PASSERELLE_VAR=str(odd)) as run:
        run.wait_for(READY)
        assert (odd / "log/bot.log").exists()
        # What people wrote is for nobody else on the machine.
        assert (odd / "log/bot.log").stat().st_mode & 0o077 == 0


def test_a_fault_in_the_knowledge(project: Project) -> None:
    project.write(
        "knowledge/__init__.py",
        "class KnowledgeError(ValueError): pass\n"
        "def load(): raise KnowledgeError('knowledge/fonds.yml, ligne 3 : ce champ manque.')",
    )
    assert_refused(project, "knowledge/fonds.yml, ligne 3 : ce champ manque.")


def test_a_fault_in_rasas_files(project: Project) -> None:
    project.write("domain/greetings.yml", "intents: [greet\n")
    assert_refused(project, "domain/greetings.yml, ligne 2 n'est pas du YAML correct")


def test_a_fault_in_the_settings(project: Project) -> None:
    said = assert_refused(project, "PASSERELLE_PORT", PASSERELLE_PORT="80 80")
    assert "« 80 80 »" in said


def test_a_data_folder_that_cannot_be(project: Project) -> None:
    project.write("file", "")
    assert_refused(project, "Passerelle ne peut pas démarrer", PASSERELLE_VAR="file/var")


def test_an_address_of_another_machine(project: Project) -> None:
    assert_refused(
        project, "l'adresse 192.0.2.1 n'est pas celle de cette machine", PASSERELLE_HOST="192.0.2.1"
    )
