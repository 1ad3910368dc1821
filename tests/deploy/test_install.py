"""What `deploy/install.py` does and says, with an uv that only pretends."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from settings import ROOT

UV = """#!/bin/sh
echo "$@" >> {calls}
case "$1" in
--version) echo "uv 0.9.0" ;;
venv)
  {venv}
  for folder; do :; done
  mkdir -p "$folder/bin" "$folder/lib/python3.12/site-packages"
  ln -sf {python} "$folder/bin/python" ;;
pip)
  {pip}
  folder=$(dirname "$(dirname "$(echo "$@" | sed 's/.* -p \\([^ ]*\\).*/\\1/')")")
  mkdir -p "$folder"/lib/python3.12/site-packages/httpx-1.dist-info ;;
esac
"""


class Project:
    """A folder with `deploy/install.py`, its locks, and an uv that only makes folders."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.calls = root / "uv.calls"
        shutil.copytree(ROOT / "deploy", root / "deploy")
        (root / "nlu").mkdir()
        for lock in ("requirements.txt", "requirements-dev.txt", "nlu/requirements.txt"):
            (root / lock).write_text("rasa==1\n")
        self.uv()

    def uv(self, venv: str = "", pip: str = "") -> None:
        """Have uv do something more, or fail, at `venv` or `pip`."""
        script = self.root / "bin" / "uv"
        script.parent.mkdir(exist_ok=True)
        words = {"calls": self.calls, "python": sys.executable, "venv": venv, "pip": pip}
        script.write_text(UV.format(**words))
        script.chmod(0o755)

    def install(self, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the installation; `self.made` then tells what uv was asked for."""
        self.calls.write_text("")
        return subprocess.run(
            [sys.executable, "deploy/install.py", *options],
            cwd=self.root,
            env={"PATH": f"{self.root}/bin:/usr/bin:/bin", "HOME": str(self.root), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def made(self) -> list[str]:
        """The environments made anew and those brought up to their locks, in order."""
        calls = [line.split() for line in self.calls.read_text().splitlines()]
        made = []
        for call in calls:
            if call[0] == "venv":
                made.append("venv " + os.path.relpath(call[-1], self.root))
            elif call[0] == "pip":
                locks = [word for word in call if word.endswith(".txt")]
                made.append("sync " + " ".join(os.path.relpath(lock, self.root) for lock in locks))
        return made


ALL = ["venv .venv", "sync requirements.txt", "venv nlu/.venv", "sync nlu/requirements.txt"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_both_environments_are_made_once(project: Project) -> None:
    first = project.install()
    assert first.returncode == 0, first.stderr
    assert project.made == ALL
    assert "Installation de Rasa" in first.stdout

    again = project.install()
    assert (again.returncode, again.stdout, project.calls.read_text()) == (0, "", "")


def test_a_changed_lock_is_installed_in_place(project: Project) -> None:
    project.install()
    (project.root / "nlu/requirements.txt").write_text("rasa==2\n")
    project.install()
    assert project.made == ["sync nlu/requirements.txt"]


def test_development_tools_stay_for_the_next_run(project: Project) -> None:
    project.install()
    project.install("--dev")
    assert project.made == ["sync requirements.txt requirements-dev.txt"]
    project.install()
    assert project.made == []
    (project.root / "requirements.txt").write_text("rasa==2\n")
    project.install()
    assert project.made == ["sync requirements.txt requirements-dev.txt"]


def test_an_environment_half_made_is_made_anew(project: Project) -> None:
    project.uv(pip="kill -9 $PPID $$")
    project.install()
    assert project.made == ALL[:2]
    (project.root / ".venv" / "leftover").touch()

    project.uv()
    assert project.install().returncode == 0
    assert project.made == ALL
    assert not (project.root / ".venv" / "leftover").exists()


@pytest.mark.parametrize("lost", ["bin/python", "passerelle.json", "lib"])
def test_a_broken_environment_is_made_anew(project: Project, lost: str) -> None:
    project.install()
    broken = project.root / ".venv" / lost
    shutil.rmtree(broken) if broken.is_dir() else broken.unlink()
    assert project.install().returncode == 0
    assert project.made == ALL[:2]


def test_a_package_taken_away_is_put_back(project: Project) -> None:
    project.install()
    (project.root / ".venv/lib/python3.12/site-packages/httpx-1.dist-info").rmdir()
    assert project.install().returncode == 0
    assert project.made == ["sync requirements.txt"]


def test_a_folder_that_was_moved_is_installed_anew(project: Project, tmp_path: Path) -> None:
    project.install()
    stamp = project.root / ".venv" / "passerelle.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "at": "/elsewhere/.venv"}))
    project.install()
    assert project.made == ALL[:2]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("error: No interpreter found for Python 3.10", "Python 3.10 est introuvable"),
        ("error: Failed to fetch: x\\n  cause: dns error", "vérifiez la connexion à Internet"),
        ("error: No space left on device (os error 28)", "assez de place sur le disque"),
        ("error: something else", "L'installation a échoué"),
    ],
)
def test_a_failure_is_one_sentence(project: Project, said: str, sentence: str) -> None:
    refuse = f'case "$*" in *nlu*) printf "{said}\\n" >&2; exit 2;; esac'
    project.uv(venv=refuse.replace("*nlu*", "*-p\\ 3.10*"), pip=refuse)
    done = project.install(PYENV_ROOT=str(project.root))
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert "var/log/install.log" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert said.split("\\n")[0] in (project.root / "var/log/install.log").read_text()


def test_a_missing_lock_is_said(project: Project) -> None:
    (project.root / "nlu/requirements.txt").unlink()
    done = project.install()
    assert done.returncode == 1
    assert "nlu/requirements.txt manque" in done.stderr


def test_without_uv_nor_index_it_says_what_to_do(project: Project) -> None:
    (project.root / "bin" / "uv").unlink()
    done = project.install(
        PYENV_ROOT=str(project.root), PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="0"
    )
    assert done.returncode == 1
    assert "vérifiez la connexion à Internet" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (project.root / ".uv/bin/uv").exists()


def test_old_pythons_can_read_it() -> None:
    """The oldest Python of a system is the one that may run it."""
    for name in ("install", "progress", "__init__"):
        source = (ROOT / "deploy" / f"{name}.py").read_text("utf-8")
        ast.parse(source, feature_version=(3, 6))
