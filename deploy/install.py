"""Makes the two Python environments of Passerelle: `python3 deploy/install.py [--dev]`.

`.venv` (the application) and `nlu/.venv` (Rasa, which needs Python 3.10), both
from locks with hashes. Called by `make` before anything else, it returns at once
when there is nothing to do. Runs on any Python from 3.6, with its standard
library only: there is nothing else yet.
"""

import argparse
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from deploy.progress import Progress, say  # noqa: E402 (run as a script: the path comes first)

Version = Tuple[int, int]

LOG = ROOT / "var" / "log" / "install.log"
UV_FOLDER = ROOT / ".uv"
UV_LOCK = ROOT / "deploy" / "uv.txt"
UV_AT_LEAST = (0, 5)
STAMP = "passerelle.json"
"""Written into an environment once it is whole: what it was made from."""


class InstallError(Exception):
    """The installation cannot go on; `str()` is a French sentence for who runs it."""


class Environment(NamedTuple):
    """One environment to make."""

    label: str
    folder: Path
    lock: Path
    dev_lock: Optional[Path]
    pythons: List[Version]
    """Versions that do, the preferred first."""


APPLICATION = Environment(
    label="Installation de l'application (.venv)",
    folder=ROOT / ".venv",
    lock=ROOT / "requirements.txt",
    dev_lock=ROOT / "requirements-dev.txt",
    pythons=[(3, 12), (3, 13), (3, 11), (3, 14)],
)
RASA = Environment(
    label="Installation de Rasa (nlu/.venv, long la première fois)",
    folder=ROOT / "nlu" / ".venv",
    lock=ROOT / "nlu" / "requirements.txt",
    dev_lock=None,
    pythons=[(3, 10)],
)


def main(arguments: Optional[List[str]] = None) -> int:
    """Install what is missing; return the exit code."""
    parser = argparse.ArgumentParser(description="Installe les deux environnements de Passerelle.")
    parser.add_argument("--dev", action="store_true", help="avec les outils de développement")
    parser.add_argument("--lock", action="store_true", help="refait les verrous, n'installe rien")
    options = parser.parse_args(arguments)
    try:
        if options.lock:
            make_locks()
        else:
            install(options.dev)
    except InstallError as error:
        say(str(error), sys.stderr)
        return 1
    except OSError as error:
        say("L'installation s'est arrêtée : {}.".format(error), sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nInstallation interrompue ; la même commande la reprendra.", sys.stderr)
        return 130
    return 0


def install(dev: bool) -> None:
    """Bring both environments up to their locks; `dev` adds the development tools."""
    if all(is_ready(environment, dev) for environment in (APPLICATION, RASA)):
        return
    with _one_at_a_time():
        todo = [one for one in (APPLICATION, RASA) if not is_ready(one, dev)]
        if todo:
            LOG.write_bytes(b"")
            uv = find_uv()
            for environment in todo:
                with Progress(environment.label):
                    _make(environment, uv, dev)


def make_locks() -> None:
    """Write the locks again from the two `pyproject.toml`; newest versions for the application."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_bytes(b"")
    uv = find_uv()
    # Neither header nor comments, which would name this machine's paths; never the index.
    common = [uv, "pip", "compile", "-q", "--universal", "--generate-hashes"]
    common += ["--no-header", "--no-annotate"]
    python = find_python(APPLICATION, uv)
    application = [*common, "--upgrade", "--python-version", "3.11", "-p", python]
    # Rasa's moves only where its pyproject.toml asks for it: it will have no other release.
    rasa = [*common, "--python-version", "3.10", "-p", find_python(RASA, uv)]
    dev = ["--group", "dev", "-c", "requirements.txt"]
    for folder, command, lock in [
        (ROOT, [*application, "pyproject.toml"], "requirements.txt"),
        (ROOT, application + dev, "requirements-dev.txt"),
        (ROOT, [*application, "--group", "install"], "deploy/uv.txt"),
        (ROOT / "nlu", [*rasa, "pyproject.toml"], "requirements.txt"),
    ]:
        with Progress("Verrou " + _name(folder / lock)):
            _run([*command, "-o", lock], folder)


# Is it done already?


def is_ready(environment: Environment, dev: bool) -> bool:
    """Tell, in milliseconds, whether the environment is whole and up to its locks."""
    stamp = _read_stamp(environment)
    if (
        not stamp
        or stamp["at"] != str(environment.folder)
        or stamp["lock"] != _lock_sum(environment.lock)
    ):
        return False
    if dev and environment.dev_lock and stamp["dev"] != _lock_sum(environment.dev_lock):
        return False
    present = {name for name in os.listdir(stamp["packages"]) if name.endswith(".dist-info")}
    return present.issuperset(stamp["installed"])


def _read_stamp(environment: Environment) -> Optional[Dict[str, Any]]:
    """Return what the environment was made from, or `None` if it is not whole."""
    try:
        stamp = json.loads((environment.folder / STAMP).read_text())
        usable = os.access(str(_python_of(environment)), os.X_OK) and os.path.isdir(
            stamp["packages"]
        )
        return stamp if usable and {"at", "lock", "dev", "installed"} <= set(stamp) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_stamp(environment: Environment, dev: bool) -> None:
    (packages,) = glob.glob(str(environment.folder / "lib" / "python3*" / "site-packages"))
    stamp = {
        "at": str(environment.folder),
        "lock": _lock_sum(environment.lock),
        "dev": _lock_sum(environment.dev_lock) if dev and environment.dev_lock else None,
        "packages": packages,
        "installed": sorted(name for name in os.listdir(packages) if name.endswith(".dist-info")),
    }
    draft = environment.folder / (STAMP + ".part")
    draft.write_text(json.dumps(stamp, indent=1))
    draft.replace(environment.folder / STAMP)


def _lock_sum(lock: Path) -> str:
    try:
        return hashlib.sha256(lock.read_bytes()).hexdigest()
    except OSError:
        raise InstallError(
            "Le fichier {} manque : reprenez-le du dépôt, ou refaites-le par « make lock ».".format(
                _name(lock)
            )
        ) from None


# Making it


def _make(environment: Environment, uv: str, dev: bool) -> None:
    stamp = _read_stamp(environment)
    # What `make test` added stays when `make run` installs after it.
    dev = dev or bool(stamp and stamp["dev"])
    if stamp and stamp["at"] == str(environment.folder):
        (environment.folder / STAMP).unlink()
    else:
        # Half made, broken or moved: which of its files are good cannot be told.
        _remove(environment.folder)
        python = find_python(environment, uv)
        _run([uv, "venv", "--no-project", "-p", python, str(environment.folder)], ROOT)
    locks = [environment.lock] + ([environment.dev_lock] if dev and environment.dev_lock else [])
    # Compiled now, or Rasa's start would compile ten thousand files, and each
    # time anew where PYTHONDONTWRITEBYTECODE is set: 36 s instead of 17.
    options = ["--require-hashes", "--compile-bytecode", "-p", str(_python_of(environment))]
    _run([uv, "pip", "sync"] + options + [str(lock) for lock in locks], environment.lock.parent)
    _write_stamp(environment, dev)


def _python_of(environment: Environment) -> Path:
    return environment.folder / "bin" / "python"


def _remove(folder: Path) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(str(folder))


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait for another installation of the same folder to end."""
    import fcntl  # here: Windows has none, and a sentence is better than an ImportError

    LOG.parent.mkdir(parents=True, exist_ok=True)
    with (LOG.parent / "install.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Une autre installation est en cours : attente de sa fin…")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# Finding uv


def find_uv() -> str:
    """Return a working uv: the machine's, or one of our own put in `.uv/`."""
    own = [UV_FOLDER / "bin" / "uv", UV_FOLDER / "lib" / "bin" / "uv"]
    home = [Path.home() / ".local" / "bin" / "uv", Path.home() / ".cargo" / "bin" / "uv"]
    for uv in [shutil.which("uv")] + [str(path) for path in own + home]:
        if uv and _is_good_uv(uv):
            return uv
    with Progress("Installation de uv, l'installateur (.uv)"):
        _bootstrap_uv()
    for path in own:
        if _is_good_uv(str(path)):
            return str(path)
    raise InstallError(
        "uv, l'installateur, n'a pas pu être installé. Installez-le (voir docs.astral.sh/uv), ou "
        "le paquet python3-venv de votre système (par exemple « apt install python3-venv »), puis "
        "relancez la commande. Détails : {}.".format(_name(LOG))
    )


def _is_good_uv(uv: str) -> bool:
    # A shim of pyenv may be there and answer that it has no uv.
    version = re.match(r"uv (\d+)\.(\d+)", _answer([uv, "--version"]))
    return bool(version and (int(version.group(1)), int(version.group(2))) >= UV_AT_LEAST)


def _bootstrap_uv() -> None:
    """Put uv into `.uv/`, by a virtual environment or else by a bare pip."""
    wanted = ["install", "--disable-pip-version-check", "--require-hashes", "-r", str(UV_LOCK)]
    _remove(UV_FOLDER)
    for python in _usable_pythons([(3, minor) for minor in range(14, 7, -1)]):
        # Debian's Python has neither ensurepip nor pip until their packages are installed.
        if _answer([python, "-c", "import ensurepip, venv; print('yes')"]):
            _run([python, "-m", "venv", str(UV_FOLDER)], ROOT)
            _run([str(UV_FOLDER / "bin" / "python"), "-m", "pip", *wanted], ROOT)
            return
        if _answer([python, "-c", "import pip; print('yes')"]):
            _run([python, "-m", "pip", *wanted, "--target", str(UV_FOLDER / "lib")], ROOT)
            return


# Finding Python


def find_python(environment: Environment, uv: str) -> str:
    """Return an interpreter for `environment`: its path, or a version that uv will download."""
    for python in _usable_pythons(environment.pythons, uv):
        return python
    return "{}.{}".format(*environment.pythons[0])


def _usable_pythons(versions: List[Version], uv: Optional[str] = None) -> Iterator[str]:
    """Find real interpreters, the one that runs first, then in the order of `versions`.

    Never by the name on PATH alone: pyenv's shims answer to every name, and fail.
    """
    if sys.version_info[:2] in versions:
        yield os.path.realpath(sys.executable)
    for version in versions:
        for path in _places("python{}.{}".format(*version), version, uv):
            if os.path.isfile(path) and _version_of(path) == version:
                yield path


def _places(name: str, version: Version, uv: Optional[str]) -> Iterator[str]:
    for root in (os.environ.get("PYENV_ROOT"), str(Path.home() / ".pyenv")):
        if root:
            pattern = os.path.join(root, "versions", "{}.{}.*".format(*version), "bin", name)
            for path in sorted(glob.glob(pattern), reverse=True):
                yield path
    on_path = os.environ.get("PATH", "").split(os.pathsep)
    known = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
    for folder in on_path + known:
        if folder and os.path.basename(folder) != "shims":
            yield os.path.join(folder, name)
    managed = _answer([uv, "python", "dir"]) if uv else ""
    if managed:
        pattern = os.path.join(managed, "cpython-{}.{}.*".format(*version), "bin", name)
        for path in sorted(glob.glob(pattern), reverse=True):
            yield path


def _version_of(python: str) -> Optional[Version]:
    code = "import ssl, sys; print(sys.implementation.name, *sys.version_info[:2])"
    words = _answer([python, "-c", code]).split()
    return (int(words[1]), int(words[2])) if words[:1] == ["cpython"] else None


# Running the tools


def _answer(command: List[str]) -> str:
    """Return what a command prints, or nothing if it fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
            env=_tool_environment(),
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""


def _run(command: List[str], folder: Path) -> None:
    """Run a tool, its words in the log; raise `InstallError` with a sentence if it fails."""
    with LOG.open("ab") as log:
        log.write(("$ " + " ".join(command) + "\n").encode())
        log.flush()
        start = log.tell()
        done = subprocess.run(
            command,
            cwd=str(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_tool_environment(),
        )
    if done.returncode:
        with LOG.open("rb") as log:
            log.seek(start)
            said = log.read().decode("utf-8", "replace")
        raise InstallError(_explain(command, said))


def _tool_environment() -> Dict[str, str]:
    """Return the environment for uv and pip, without what would send them elsewhere."""
    elsewhere = {"VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME"}
    elsewhere |= {"UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_TARGET", "UV_PREFIX"}
    environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
    # An interpreter is given by its path, or it is for uv to download.
    environment["UV_PYTHON_PREFERENCE"] = "only-managed"
    environment["UV_NO_PROGRESS"] = "1"
    # Certificates of the system where it has any: there are mirrors and proxies of one's own.
    if sys.platform == "darwin" or any(os.path.exists(bundle) for bundle in _CERTIFICATES):
        environment.update(UV_SYSTEM_CERTS="1", UV_NATIVE_TLS="1")
    # uv does not read pip's settings: hand it the mirror and the certificates.
    for ours, theirs in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_CERT", "SSL_CERT_FILE")):
        if environment.get(ours):
            environment.setdefault(theirs, environment[ours])
    return environment


_CERTIFICATES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]

_CAUSES = [
    (
        r"No interpreter found|No download found|python-build-standalone|[Pp]ython downloads",
        "Python {python} est introuvable et n'a pas pu être téléchargé : installez-le (par "
        "« uv python install {python} », pyenv ou votre système), puis relancez la commande.",
    ),
    (
        r"No space left on device",
        "Il n'y a plus assez de place sur le disque (il faut environ 4 Go) : libérez-en, puis "
        "relancez la commande.",
    ),
    (
        r"[Hh]ash mismatch|DO NOT MATCH THE HASHES",
        "Un paquet reçu n'est pas celui du verrou (somme différente) : rien n'en a été installé. "
        "Vérifiez le miroir ou le mandataire utilisé, puis relancez la commande.",
    ),
    (
        r"dns error|Failed to fetch|[Cc]onnection refused|error sending request|timed out"
        r"|NewConnectionError|Temporary failure in name resolution|Could not find a version",
        "Les paquets n'ont pas pu être téléchargés : vérifiez la connexion à Internet (et "
        "HTTPS_PROXY s'il faut un mandataire), puis relancez la commande.",
    ),
    (
        r"no wheels with a matching|doesn't have a .*wheel|not compatible with",
        "Un paquet n'existe pas pour ce système : il faut Linux (glibc) ou macOS, sur un "
        "processeur x86 ou ARM de 64 bits.",
    ),
]


def _explain(command: List[str], said: str) -> str:
    """Turn a tool's failure into one French sentence."""
    wanted = command[command.index("-p") + 1] if "-p" in command else ""
    causes = (sentence for pattern, sentence in _CAUSES if re.search(pattern, said))
    sentence = next(causes, "L'installation a échoué ({tool}).")
    sentence = sentence.format(python=wanted, tool=" ".join(command[1:3]))
    return "{} Détails : {}.".format(sentence, _name(LOG))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
