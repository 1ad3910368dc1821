"""The commands of those who run Passerelle, on a real database."""

import asyncio
import datetime as dt
import json
import os
import pty
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.commands import app
from candidature import evaluation
from candidature.filed import Attached, CriterionTold, Filed, Line, Part
from settings import ROOT
from storage.database import Database
from storage.models import Attachment, Base, Draft, Mail, State, Status

NOON = dt.datetime(2026, 7, 14, 10, 5, tzinfo=dt.UTC)
HOSTILE = "[bold]gras[/bold] [link=http://x.example]là[/link] :smile:"
CONTROLS = "\x1b]0;titre\x07\x1b[2J\x9b31m\x7f\u202eenvers\ttab\rretour"
SECRET = "Personne ne doit lire ceci"
REFERENCE = "FITN-2026-0001"


def filed(reference: str = REFERENCE, **changes: Any) -> Filed:
    candidature = Filed(
        reference=reference,
        filed_at=NOON,
        title="Des rendez-vous en ligne",
        applicant="Commune de Ligré",
        email="mairie@ligre.example",
        prefecture="numerique@prefecture.example",
        answers={"porteur": "commune", "cout": "12500.50"},
        parts=(
            Part(
                title="Le projet",
                lines=(
                    Line(id="projet", label="Description", value="Une œuvre.\n\nLa suite."),
                    Line(id="long", label="Mot", value="x" * 300 + "FIN"),
                ),
            ),
        ),
        status=evaluation.Status.TO_CONFIRM,
        verdict="Un point reste à confirmer.",
        criteria=(
            CriterionTold(
                id="qui",
                title="Le porteur",
                status=evaluation.Status.MET,
                told="Rempli",
                page="Le candidat",
            ),
            CriterionTold(
                id="quoi",
                title="La nature",
                status=evaluation.Status.NOT_MET,
                told="Trop tard.",
                page="",
            ),
        ),
        conclusions=("Axe 3 : la transformation",),
        attachments=(
            Attached(name="devis.pdf", media_type="application/pdf", size=4200, sha256="0" * 64),
        ),
        consent="J'accepte.",
        notices=("C'est la préfecture qui décide.",),
    )
    return candidature.model_copy(update=changes)


def row(candidature: Filed, **columns: Any) -> Draft:
    kept = {
        "questionnaire": "fonds",
        "status": Status.filed,
        "open": False,
        "state": {},
        "title": candidature.title,
        "applicant": candidature.applicant,
        "siret": "21370129300012",
        "email": candidature.email,
        "cost_cents": 1_250_050,
        "amount_cents": 700_000,
        "reference": candidature.reference,
        "consented_at": NOON,
        "filed_at": NOON,
        "filed": candidature.model_dump(mode="json"),
        "document": b"%PDF-1.7 kept",
    }
    return Draft(**(kept | columns))


def under_way(**columns: Any) -> Draft:
    nothing = dict.fromkeys(("reference", "consented_at", "filed_at", "filed", "document"))
    told = {"title": SECRET, "applicant": SECRET, "state": {"answers": {"titre": SECRET}}}
    return row(filed(), **(nothing | {"status": Status.draft, "open": True} | told | columns))


def attached(name: str, content: bytes, sha: str) -> Attachment:
    return Attachment(
        draft_id=1, name=name, media_type="application/pdf", size=len(content), sha256=sha * 64,
        content=content,
    )  # fmt: skip


Store = Callable[..., None]


@pytest.fixture
def store(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """What puts rows in the database of the settings, one transaction each."""
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", sqlite_url)

    async def put(rows: Sequence[Base]) -> None:
        database = Database(sqlite_url)
        for one in rows:
            async with database.write() as session:
                session.add(one)
        await database.close()

    return lambda *rows: asyncio.run(put(rows))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["drafts", *map(str, arguments)])


def good(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def refused(*arguments: str | Path) -> str:
    """Return the one sentence that a command stops with."""
    result = run(*arguments)
    assert result.exit_code == 1 and result.stdout == ""
    assert isinstance(result.exception, SystemExit)
    (sentence,) = result.stderr.splitlines()
    return sentence


def in_terminal(*arguments: str, width: int = 80) -> str:
    """Run the script in a terminal, and return what it wrote there."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": str(width), "TERM": "xterm", "NO_COLOR": "1"}
    command = [str(ROOT / "passerelle"), "drafts", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        read = b""
        try:
            while more := os.read(ours, 65536):
                read += more
        except OSError:  # how Linux tells that the terminal is closed
            pass
    os.close(ours)
    return read.decode().replace("\r\n", "\n")


def test_the_list_has_one_line_for_each_filed_candidature(store: Store) -> None:
    second = filed("FITN-2026-0002", title="Un " + "très " * 60 + "long titre")
    store(row(filed()), under_way(), row(second, status=Status.withdrawn))
    header, first, last = (line.split("\t") for line in good("list").splitlines())
    assert header == ["Référence", "État", "Déposée le", "Candidat", "Titre", "Somme demandée"]
    # Paris is two hours ahead in summer.
    assert first == [
        *(REFERENCE, "déposée", "14/07/2026 12:05", "Commune de Ligré"),
        *("Des rendez-vous en ligne", "7\u00a0000\u00a0€"),
    ]
    assert last[:2] == ["FITN-2026-0002", "retirée"] and last[4] == second.title


def test_what_is_not_filed_shows_only_its_state_and_its_dates(store: Store) -> None:
    taken_back = under_way(status=Status.withdrawn, open=False)
    store(under_way(created_at=NOON, updated_at=NOON), taken_back, row(filed()))
    assert SECRET not in good("list", "--all") + good("list", "--all", "--json")
    _, first, second, third = (line.split("\t") for line in good("list", "--all").splitlines())
    day = "14/07/2026 12:05"
    assert first == ["—", "en cours", "fonds", day, day, "—", "—", "—", "—"]
    assert second[:2] == ["—", "retirée"] and third[0] == REFERENCE
    shown = json.loads(good("list", "--all", "--json"))
    assert [one["reference"] for one in shown] == [None, None, REFERENCE]
    assert {tuple(one) for one in shown} == {
        (
            *("reference", "status", "questionnaire", "created_at", "updated_at", "filed_at"),
            *("applicant", "title", "amount_cents"),
        )
    }
    assert shown[0]["amount_cents"] is None and shown[2]["amount_cents"] == 700_000
    assert shown[2]["filed_at"] == "2026-07-14T10:05:00Z"


def test_no_candidature_is_no_error(store: Store) -> None:
    store(under_way())
    result = run("list")
    assert result.exit_code == 0 and len(result.stdout.splitlines()) == 1
    assert result.stderr == "Aucune candidature déposée.\n"
    assert json.loads(good("list", "--json")) == []


def test_a_candidature_is_shown_whole(store: Store) -> None:
    store(row(filed()), Mail(draft_id=1, state=State.due, next_attempt_at=NOON, created_at=NOON))
    shown = good("show", REFERENCE.lower()).replace("\u00a0", " ")
    for told in (
        "Candidature FITN-2026-0001",
        "Somme demandée : 7 000 €",
        "Description : Une œuvre.\n\n    La suite.",
        "x" * 300 + "FIN",
        "Le porteur : rempli\n",
        "« Le candidat »",
        "La nature : non rempli\n",
        "Trop tard.",
        "devis.pdf : application/pdf | 4 ko",
        "Envoi : à faire, à numerique@prefecture.example (demandé le 14/07/2026 12:05, prochain",
        "C’est la préfecture qui décide.",
    ):
        assert told in shown


@pytest.mark.parametrize(
    ("state", "attempts", "told"),
    [
        (State.done, 1, "Envoi : fait, à numerique@prefecture.example (demandé le 14/07"),
        (State.failed, 3, "Envoi : abandonné, à numerique@prefecture.example ("),
        (None, 0, "Envoi : aucun n’est prévu à numerique@prefecture.example"),
    ],
)
def test_where_the_mail_stands_is_told(
    store: Store, state: State | None, attempts: int, told: str
) -> None:
    store(row(filed()))
    if state:
        store(Mail(draft_id=1, state=state, attempts=attempts, created_at=NOON))
    shown = good("show", REFERENCE).replace("\u00a0", " ")
    assert told in shown and ("3 échecs" in shown) == (attempts == 3)
    mail = json.loads(good("show", REFERENCE, "--json"))["mail"]
    assert (mail and mail["state"]) == state


def test_json_comes_back_as_the_candidature_that_was_filed(store: Store, tmp_path: Path) -> None:
    candidature = filed(title=HOSTILE + CONTROLS + "é \u2028 \U000e0041 🏛️", answers={"n": 3})
    store(row(candidature))
    shown = good("show", REFERENCE, "--json")
    assert Filed.model_validate(json.loads(shown)["filed"]) == candidature
    assert "é" in shown and "🏛" in shown
    assert not set(shown) & set("\x1b\x07\x9b\x7f\u202e\r\t\u2028")
    good("export", REFERENCE, "--to", tmp_path / "out")
    exported = (tmp_path / "out" / f"{REFERENCE}.json").read_text("utf-8")
    assert Filed.model_validate_json(exported) == candidature


def hostile() -> Filed:
    text = HOSTILE + CONTROLS
    part = Part(title=text, lines=(Line(id="x", label=text, value=text),))
    mean = CriterionTold(id="x", title=text, status=evaluation.Status.MET, told=text, page=text)
    file = Attached(name=text, media_type=text, size=1, sha256="0" * 64)
    return filed(
        title=text, applicant=text, email=text, prefecture=text, parts=(part,), verdict=text,
        criteria=(mean,), conclusions=(text,), attachments=(file,), consent=text, notices=(text,),
    )  # fmt: skip


@pytest.mark.parametrize("command", [["list"], ["list", "--all"], ["show", REFERENCE]])
def test_what_people_typed_commands_nothing(store: Store, command: list[str]) -> None:
    store(row(hostile()))
    piped, shown = good(*command), in_terminal(*command, width=300)
    for told in (piped, shown):
        assert "[bold]gras[/bold]" in told and "[link=http://x.example]" in told
        assert ":smile:" in told.replace("\u00a0", " ")
        assert not set(told) & set("\x07\x9b\x7f\u202e\r")
        assert "\x1b]" not in told and "\x1b[2J" not in told
    assert "\x1b" not in piped
    if command[0] == "list":
        header, line = piped.splitlines()
        assert line.count("\t") == header.count("\t")


def test_a_narrow_terminal_cuts_nothing(store: Store) -> None:
    store(row(filed(title="x" * 200 + "FIN")))
    for command in (["list"], ["list", "--all"], ["show", REFERENCE]):
        # Without the bold of headers.
        told = re.sub(r"\x1b\[\d*m", "", in_terminal(*command, width=80))
        assert max(map(len, told.splitlines())) <= 80
        assert told.count("x") >= 200 and "…" not in told
        assert REFERENCE in told


def test_an_export_is_the_document_the_data_and_the_attachments(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [
        "../../devis.pdf",
        "/etc/passwd",
        "C:\\x\\devis.pdf",
        "a\x1b[2J\nb.pdf",
        "..",
        "漢" * 99,
    ]
    files = [attached(one, b"n%d" % number, f"{number}") for number, one in enumerate(names)]
    store(row(filed()), *files)
    folder = tmp_path / "ici"
    folder.mkdir()
    monkeypatch.chdir(folder)
    written = good("export", "fitn-2026-0001").splitlines()
    assert written == [
        f"{REFERENCE}.pdf",
        f"{REFERENCE}.json",
        "1-devis.pdf",
        "2-passwd",
        "3-devis.pdf",
        "4-a[2Jb.pdf",
        "5-document",
        f"6-{'漢' * 60}",
    ]
    assert {one.name for one in folder.iterdir()} == set(written)
    assert (folder / f"{REFERENCE}.pdf").read_bytes() == b"%PDF-1.7 kept"
    assert [(folder / one).read_bytes() for one in written[2:]] == [one.content for one in files]


def test_a_document_that_nobody_needed_yet_is_made(store: Store, tmp_path: Path) -> None:
    store(row(filed(), document=None))
    folder = tmp_path / "nouveau" / "dossier"
    (document, _) = good("export", REFERENCE, "--to", folder).splitlines()
    assert document == str(folder / f"{REFERENCE}.pdf")
    assert Path(document).read_bytes().startswith(b"%PDF-")


def test_nothing_is_overwritten_unless_forced(store: Store, tmp_path: Path) -> None:
    store(row(filed()), attached("devis.pdf", b"devis", "0"))
    folder, precious = tmp_path / "ici", tmp_path / "precieux"
    folder.mkdir()
    precious.write_text("à garder")
    (folder / "1-devis.pdf").symlink_to(precious)
    assert "1-devis.pdf (--force" in refused("export", REFERENCE, "--to", folder)
    assert [one.name for one in folder.iterdir()] == ["1-devis.pdf"]
    good("export", REFERENCE, "--to", folder, "--force")
    assert (folder / "1-devis.pdf").read_bytes() == b"devis"
    # Not through the link.
    assert precious.read_text() == "à garder"
    assert "n’est pas" in refused("export", REFERENCE, "--to", precious / "x")
    assert "existe déjà" in refused("export", REFERENCE, "--to", precious)


@pytest.mark.parametrize("command", ["show", "export"])
@pytest.mark.parametrize("reference", ["FITN-2026-9999", "", "%", "[bold]\x1b[2J\udcff\0"])
def test_an_unknown_reference_is_told(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, reference: str
) -> None:
    store(row(filed()), under_way())
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    sentence = refused(command, reference)
    assert sentence.startswith("Aucune candidature déposée n’a la référence «")
    assert "\x1b" not in sentence and {one.suffix for one in set(tmp_path.iterdir()) - before} <= {
        ".db-wal",
        ".db-shm",
    }


def test_a_candidature_of_another_version_is_told(store: Store) -> None:
    store(row(filed(), filed={"version": 2}))
    assert "autre version" in refused("show", REFERENCE)
    assert good("list").count(REFERENCE) == 1


def test_without_a_database_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSERELLE_VAR", str(tmp_path))
    monkeypatch.delenv("PASSERELLE_DATABASE_URL", raising=False)
    assert refused("list").startswith("Aucune base de données encore")
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", f"sqlite:///{tmp_path / 'autre.db'}")
    assert refused("show", REFERENCE).startswith("Aucune base de données encore")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://moi:secret@127.0.0.1:1/passerelle", "ne répond pas"),
        ("n'importe quoi", "n’est pas l’adresse"),
        ("postgresql://moi:secret@hôte:port/x", "n’est pas l’adresse"),
        ("mysql+nothing://moi:secret@x/y", "ne répond pas"),
        ("sqlite:///{folder}/empty.db", "n’est pas à jour"),
        ("sqlite:///{folder}/text.db", "ne se lit pas"),
    ],
)
def test_a_database_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, told: str
) -> None:
    (tmp_path / "empty.db").touch()
    (tmp_path / "text.db").write_text("Ceci n'est pas une base de données. " * 100)
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", url.format(folder=tmp_path))
    sentence = refused("list")
    assert told in sentence and "secret" not in sentence


def test_a_setting_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSERELLE_PORT", "mille")
    assert "PASSERELLE_PORT" in refused("list")


def test_the_help_is_in_french() -> None:
    for command in ("list", "show", "export"):
        assert "candidature" in good(command, "--help")
    assert "tabulations" in good("list", "--help")


def test_the_script_runs_from_another_folder_and_through_a_link(
    store: Store, tmp_path: Path
) -> None:
    store(row(filed()))
    folder = tmp_path / "ailleurs"
    # What is there has the name of ours, and must not be run.
    (folder / "bot").mkdir(parents=True)
    (folder / "bot" / "__init__.py").write_text("raise SystemExit('imported')")
    (folder / "direct").symlink_to(ROOT / "passerelle")
    (folder / "lien").symlink_to("direct")
    command = [str(folder / "lien"), "drafts", "export", REFERENCE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{REFERENCE}.pdf", f"{REFERENCE}.json"]
    assert (folder / f"{REFERENCE}.pdf").exists()


def test_the_script_says_that_nothing_is_installed(tmp_path: Path) -> None:
    script = shutil.copy(ROOT / "passerelle", tmp_path)
    done = subprocess.run([script], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "lancez d’abord « make install »" in done.stderr
