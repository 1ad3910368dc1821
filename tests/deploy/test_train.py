"""The model: made once for given files, and what is said of files it cannot be made from."""

import os
import shutil
from pathlib import Path

import pytest

from deploy import rasa, train
from settings import ROOT
from tests.deploy.project import Project

EXAMPLES = """
version: "3.1"
nlu:
- intent: greet
  examples: |
    - bonjour
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def models(project: Project) -> Path:
    return project.root / "var/models"


def test_a_model_is_made_once(project: Project, models: Path) -> None:
    first = project.command("deploy.train")
    assert first.returncode == 0, first.stderr
    assert "Apprentissage du modèle de langue : fait" in first.stdout
    (model,) = models.glob("*.tar.gz")
    made = model.stat().st_ino
    again = project.command("deploy.train")
    assert (again.returncode, again.stdout) == (0, "")
    assert [path.stat().st_ino for path in models.glob("*.tar.gz")] == [made]


@pytest.mark.parametrize(
    "file",
    [
        "config.yml",
        "domain/greetings.yml",
        "nlu/greetings.yml",
        "nlu/topics/more.yml",
        "nlu/components/ours.py",
        "stories/greetings.yml",
        "nlu/requirements.txt",
    ],
)
def test_another_file_is_another_model(
    project: Project, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "ROOT", project.root)
    monkeypatch.setattr(rasa, "ROOT", project.root)
    before = train.fingerprint()
    assert train.fingerprint() == before
    project.write(file, "a: changed\n")
    assert train.fingerprint() != before


def test_what_the_model_does_not_depend_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "ROOT", project.root)
    monkeypatch.setattr(rasa, "ROOT", project.root)
    before = train.fingerprint()
    project.write("nlu/.draft/greetings.yml", "")
    project.write("nlu/notes.md", "")
    assert train.fingerprint() == before


def test_the_last_models_used_are_kept(project: Project, models: Path) -> None:
    models.mkdir(parents=True)
    for age in range(5):
        model = models / f"{age}.tar.gz"
        model.touch()
        os.utime(model, (1_000_000 - age, 1_000_000 - age))
    project.command("deploy.train")
    assert {"0.tar.gz", "1.tar.gz"} < {model.name for model in models.glob("*.tar.gz")}
    assert len(list(models.glob("*.tar.gz"))) == train.KEPT_MODELS


def test_a_training_that_fails_leaves_no_model(project: Project, models: Path) -> None:
    project.write("nlu/__main__.py", "raise SystemExit('nlu/greetings.yml is too short')")
    done = project.command("deploy.train")
    assert done.returncode == 1
    assert "is too short" in done.stderr
    assert "var/log/train.log" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in models.iterdir()] == [".lock"]


def test_without_rasa_it_says_what_to_do(project: Project) -> None:
    (project.root / "nlu/.venv").unlink()
    done = project.command("deploy.train")
    assert (done.returncode, done.stderr) == (1, "Rasa n'est pas installé : lancez « make run ».\n")


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("domain/greetings.yml", "intents:\n\t- greet", "domain/greetings.yml, ligne 2 n'est pas"),
        ("config.yml", "a: ][", "config.yml, ligne 1 n'est pas du YAML correct"),
        ("nlu/greetings.yml", "a: \x00", "nlu/greetings.yml n'est pas du YAML correct"),
    ],
)
def test_what_is_not_yaml(project: Project, file: str, text: str, sentence: str) -> None:
    project.write(file, text)
    done = project.command("deploy.train")
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1


def test_what_is_not_text(project: Project) -> None:
    (project.root / "nlu/greetings.yml").write_bytes(b"a: \xe9t\xe9")
    done = project.command("deploy.train")
    assert done.returncode == 1
    assert done.stderr.startswith("nlu/greetings.yml n'est pas du YAML correct")


# As Rasa 3.6.21 says it.
SCHEMA = f"""
\x1b[91mYamlValidationException: Failed to validate '{ROOT}/nlu/base.yml'. Please make sure the \
file is correct and all mandatory parameters are specified. Here are the errors found:
  in {ROOT}/nlu/base.yml:18:
      Key 'exemples' was not defined. Path: '/nlu/3'
  in {ROOT}/nlu/base.yml:18:
      Key 'intent' was not defined. Path: '/nlu/3'\x1b[0m
"""
COMPONENT = "2026-11-23 23:52:55 INFO     rasa.engine  - Starting\n\x1b[91mInvalidConfigException: \
Can't load class for name 'CountVectorFeaturizer'. Please make sure to provide a valid name.\x1b[0m"
IMPORT = f"""Traceback (most recent call last):
  File "{ROOT}/nlu/.venv/lib/python3.10/site-packages/rasa/shared/utils/common.py", line 36, in f
    m = importlib.import_module(module_name)
  File "{ROOT}/nlu/components/echo.py", line 7, in <module>
    import nope_nope
ModuleNotFoundError: No module named 'nope_nope'
"""
UNKNOWN_ACTION = """
/x/rasa/shared/utils/validation.py:134: DeprecationWarning: pkg_resources is deprecated as an API.
  import pkg_resources
\x1b[93m/x/rasa/shared/utils/io.py:100: UserWarning: The action 'action_nope' is used in the \
'say goodbye' block, but it is not listed in the domain file. You should add it to your domain file!
  More info at the documentation
\x1b[0m\x1b[91mProject validation completed with errors.\x1b[0m
"""
CONTRADICTION = """2026-11-23 23:53:13 ERROR    rasa.engine.graph  - Error running graph component.
\x1b[91mInvalidRule:
Contradicting rules or stories found 🚨

- the prediction of the action 'utter_bye' in rule 'say goodbye' is contradicting with rule(s) 'hi'.
Please update your stories and rules so that they don't contradict each other.
You can find more information about the usage of rules at the documentation.\x1b[0m
"""


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (SCHEMA, "nlu/base.yml, ligne 18 : « Key 'exemples' was not defined. Path: '/nlu/3' »."),
        (COMPONENT, "config.yml, ligne 2 : « Can't load class for name 'CountVectorFeaturizer'."),
        (
            IMPORT,
            "nlu/components/echo.py, ligne 7 : "
            "« ModuleNotFoundError: No module named 'nope_nope' ».",
        ),
        (UNKNOWN_ACTION, "stories/greetings.yml, ligne 2 : « The action 'action_nope' is used in"),
        (CONTRADICTION, "stories/greetings.yml, ligne 2 : « Contradicting rules or stories found"),
        ("Killed", "un fichier : « Killed »."),
        ("", "un fichier : « rien »."),
    ],
)
def test_rasas_complaints(
    said: str, sentence: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rasa, "ROOT", project.root)
    project.write("stories/greetings.yml", "rules:\n- rule: say goodbye\n  steps: []\n")
    project.write("config.yml", "pipeline:\n- name: CountVectorFeaturizer\n")
    complaint = rasa.complaint(said.replace(str(ROOT), str(project.root)))
    assert complaint.startswith(f"Rasa refuse {sentence}")
    assert "\n" not in complaint


def test_the_real_rasa_complains(project: Project) -> None:
    """One real run: what Rasa says, and where, has not changed."""
    environment = ROOT / "nlu/.venv"
    if not (environment / "bin/python").exists():
        pytest.skip("Rasa is not installed")
    (project.root / "nlu/.venv").unlink()
    (project.root / "nlu/.venv").symlink_to(environment)
    shutil.copy(ROOT / "nlu/__main__.py", project.root / "nlu")
    project.write("nlu/greetings.yml", EXAMPLES.replace("examples", "exemples"))
    done = project.command("deploy.train")
    assert done.returncode == 1
    assert done.stderr.startswith("Rasa refuse nlu/greetings.yml, ligne 4 : « ")
    assert len(done.stderr.splitlines()) == 1
