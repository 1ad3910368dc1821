"""The commands of those who run Passerelle: `./passerelle drafts list`, `show` and `export`.

They only read the database. A draft that is not filed is nobody's business but
its author's: nothing of what it says is shown, even with `--all`.
"""

import asyncio
import contextlib
import errno
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path, PurePath
from typing import Annotated, NoReturn, TypeVar

import typer
from pydantic import AwareDatetime, BaseModel, ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.printing import (
    NONE,
    Rows,
    euros,
    moment,
    one_line,
    plain,
    print_bytes,
    print_json,
    print_table,
)
from candidature import evaluation
from candidature.attachments import safe_name
from candidature.filed import CriterionTold, Filed
from candidature.wording import paragraphs, size_told
from knowledge.typography import french
from settings import Settings
from storage.database import Database
from storage.drafts import attachments_of, filed_drafts, mail_of, of_reference
from storage.models import Draft, Mail, State, Status

_STATUSES = {
    Status.draft: "en cours",
    Status.complete: "complète",
    Status.filed: "déposée",
    Status.withdrawn: "retirée",
}
_RESULTS = {
    evaluation.Status.MET: "rempli",
    evaluation.Status.NOT_MET: "non rempli",
    evaluation.Status.TO_CONFIRM: "à confirmer",
}
_LONGEST_NAME = 180
"""Of an attachment's file, in bytes, without its extension: file systems take 255 in all."""
_LONGEST_EXTENSION = 8
_NO_SUCH = {"42P01", "42703"}
"""PostgreSQL's codes of a table, of a column, that is not there."""
_REASONS: dict[int | None, str] = {
    errno.EACCES: "vous n'en avez pas le droit",
    errno.EPERM: "vous n'en avez pas le droit",
    errno.EROFS: "rien ne peut être écrit sur ce disque",
    errno.ENOSPC: "le disque est plein",
    errno.EDQUOT: "vous n'avez plus de place",
    errno.EEXIST: "un fichier de ce nom existe déjà",
    errno.ENOTDIR: "ce n'est pas un dossier",
    errno.EISDIR: "c'est un dossier",
}

_T = TypeVar("_T")


class _Row(BaseModel):
    """One draft of `list`; the last four are known only of a filed one."""

    reference: str | None
    status: Status
    questionnaire: str
    created_at: AwareDatetime
    updated_at: AwareDatetime
    filed_at: AwareDatetime | None
    applicant: str | None
    title: str | None
    amount_cents: int | None


class _Sent(BaseModel):
    """The mail that carries a candidature to the préfecture."""

    to: str
    state: State
    attempts: int
    created_at: AwareDatetime
    next_attempt_at: AwareDatetime | None


class _Shown(BaseModel):
    """One candidature of `show`; `filed` is what `export` writes."""

    reference: str
    status: Status
    questionnaire: str
    siret: str | None
    cost_cents: int | None
    amount_cents: int | None
    consented_at: AwareDatetime | None
    filed: Filed
    mail: _Sent | None


# What the person typed comes in no traceback either.
app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Les commandes de ceux qui font fonctionner Passerelle.",
)
drafts = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Les candidatures déposées.")
app.add_typer(drafts, name="drafts")


_Reference = Annotated[
    str,
    typer.Argument(
        metavar="REF",
        help=french("La référence de la candidature ; majuscules ou minuscules, peu importe."),
        show_default=False,
    ),
]
_AsJson = Annotated[bool, typer.Option("--json", help="Écrit du JSON (UTF-8), pour un programme.")]


@drafts.command(name="list")
def list_(
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help=french(
                "Avec celles qui ne sont pas déposées : seulement leur état, leur questionnaire "
                "et leurs dates."
            ),
        ),
    ] = False,
    as_json: _AsJson = False,
) -> None:
    """Liste les candidatures déposées, de la plus ancienne à la plus récente.

    Hors d'un terminal (dans un tube, un fichier), chaque candidature est une ligne, dont les
    colonnes sont séparées par des tabulations, en UTF-8 ; la première ligne les nomme.
    """

    async def work(session: AsyncSession) -> list[_Row]:
        return [_row(one) for one in await filed_drafts(session, every=every)]

    found = _read(work)
    if as_json:
        return print_json([one.model_dump(mode="json") for one in found])
    header = ["Référence", "État", "Déposée le", "Candidat", "Titre", "Somme demandée"]
    if every:
        header[2:2] = ["Questionnaire", "Commencée le", "Modifiée le"]
    rows = [_cells(one, every) for one in found]
    if sys.stdout.isatty():
        if rows:
            print_table(rows, header)
    else:
        print_bytes("".join("\t".join(map(one_line, row)) + "\n" for row in (header, *rows)))
    if not rows:
        typer.echo(f"Aucune candidature{'' if every else ' déposée'}.", err=True)
    return None


@drafts.command()
def show(reference: _Reference, as_json: _AsJson = False) -> None:
    """Montre tout d'une candidature déposée."""

    async def work(session: AsyncSession) -> _Shown:
        draft, filed = await _filed(session, reference)
        mail = await mail_of(session, draft.id)
        return _Shown(
            reference=filed.reference,
            status=draft.status,
            questionnaire=draft.questionnaire,
            siret=draft.siret,
            cost_cents=draft.cost_cents,
            amount_cents=draft.amount_cents,
            consented_at=draft.consented_at,
            filed=filed,
            mail=_sent(mail, filed) if mail else None,
        )

    shown = _read(work)
    if as_json:
        return print_json(shown.model_dump(mode="json"))
    for title, rows in _sections(shown):
        if sys.stdout.isatty():
            print_table(rows, title=title)
        else:
            print_bytes(plain(title, rows))
    return None


@drafts.command()
def export(
    reference: _Reference,
    folder: Annotated[
        Path,
        typer.Option("--to", metavar="DOSSIER", help="Où écrire ; créé s'il n'existe pas."),
    ] = Path(),
    force: Annotated[
        bool, typer.Option("--force", help="Remplace les fichiers qui existent déjà.")
    ] = False,
) -> None:
    """Écrit une candidature déposée dans un dossier : REF.pdf, REF.json et ses pièces jointes.

    Les noms des pièces jointes commencent par leur numéro. Les fichiers écrits sont affichés, un
    par ligne.
    """

    async def work(session: AsyncSession) -> dict[str, bytes]:
        draft, filed = await _filed(session, reference)
        await session.refresh(draft, ["document"])
        document = draft.document
        name = safe_name(filed.reference, "")
        files = {
            f"{name}.pdf": _document(filed) if document is None else document,
            f"{name}.json": (filed.model_dump_json(indent=2) + "\n").encode(),
        }
        for number, one in enumerate(await attachments_of(session, draft.id), 1):
            await session.refresh(one, ["content"])
            files[_file_name(number, one.name)] = one.content
        return files

    files = {folder / name: content for name, content in _read(work).items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Before anything is written: all or nothing, as far as that is known.
        there = [path for path in files if path.is_symlink() or path.exists()]
        if there and not force:
            names = ", ".join(path.name for path in there)
            _stop(f"Rien n'est écrit, ceci existe déjà : {names} (--force pour remplacer).")
        for path, content in files.items():
            if force:
                path.unlink(missing_ok=True)
            # Never through a link that somebody put there.
            with path.open("xb") as file:
                file.write(content)
            typer.echo(typer.format_filename(path))
    except OSError as error:
        where = typer.format_filename(error.filename or folder)
        _stop(f"L'écriture de « {where} » a échoué : {_reason(error)}.")


def _read(work: Callable[[AsyncSession], Awaitable[_T]]) -> _T:
    """Return what `work` reads in the database of the settings, or stop with a sentence."""
    try:
        url = Settings().sqlalchemy_url
        address = make_url(url)
    except ValidationError as error:
        names = ", ".join(f"PASSERELLE_{one['loc'][0]}".upper() for one in error.errors())
        _stop(f"Un réglage ne convient pas : {names}.")
    except (SQLAlchemyError, ValueError):
        _stop("PASSERELLE_DATABASE_URL n'est pas l'adresse d'une base de données.")
    try:
        if address.get_backend_name() == "sqlite":
            # Opening it would make an empty one.
            file = Path(address.database or "")
            if not file.is_file():
                where = typer.format_filename(file)
                _stop(f"Aucune base de données encore ({where}) : lancez « make run ».")
        return asyncio.run(_in_session(url, work))
    except (SQLAlchemyError, OSError, ImportError) as error:
        # Not the error's own words: they may hold the address of the base, or what it contains.
        cause = getattr(error, "orig", None)
        if "no such" in str(cause) or getattr(cause, "sqlstate", None) in _NO_SUCH:
            _stop("La base de données n'est pas à jour : lancez « make run ».")
        _stop(
            "La base de données ne répond pas ou ne se lit pas : vérifiez qu'elle est démarrée, "
            "que vous avez le droit de la lire, et PASSERELLE_DATABASE_URL."
        )


async def _in_session(url: str, work: Callable[[AsyncSession], Awaitable[_T]]) -> _T:
    database = Database(url)
    try:
        async with database.read() as session:
            return await work(session)
    finally:
        await database.close()


async def _filed(session: AsyncSession, reference: str) -> tuple[Draft, Filed]:
    """Return a filed candidature, or stop with a sentence."""
    # Cleaned first: a database refuses some of what a terminal lets through.
    reference = one_line(reference)
    draft = await of_reference(session, reference)
    if draft is None:
        _stop(f"Aucune candidature déposée n'a la référence « {reference} ».")
    try:
        return draft, Filed.model_validate(draft.filed)
    except ValidationError:
        _stop(f"La candidature « {reference} » ne se lit pas : elle vient d'une autre version.")


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno, f"erreur {error.errno} du système")


def _stop(sentence: str) -> NoReturn:
    typer.echo(french(sentence), err=True)
    raise typer.Exit(1)


def _row(draft: Draft) -> _Row:
    filed = draft.reference is not None
    return _Row(
        reference=draft.reference,
        status=draft.status,
        questionnaire=draft.questionnaire,
        created_at=draft.created_at,
        updated_at=draft.updated_at,
        filed_at=draft.filed_at,
        applicant=draft.applicant if filed else None,
        title=draft.title if filed else None,
        amount_cents=draft.amount_cents if filed else None,
    )


def _cells(row: _Row, every: bool) -> list[str]:
    dates = [row.questionnaire, moment(row.created_at), moment(row.updated_at)]
    return [
        row.reference or NONE,
        _STATUSES[row.status],
        *(dates if every else ()),
        moment(row.filed_at),
        NONE if row.applicant is None else french(row.applicant),
        NONE if row.title is None else french(row.title),
        euros(row.amount_cents),
    ]


def _sent(mail: Mail, filed: Filed) -> _Sent:
    return _Sent(
        to=filed.prefecture,
        state=mail.state,
        attempts=mail.attempts,
        created_at=mail.created_at,
        next_attempt_at=mail.next_attempt_at,
    )


def _sections(shown: _Shown) -> Iterator[tuple[str, Rows]]:
    """Return what `show` prints: titles, each with its rows."""
    filed = shown.filed
    yield (
        f"Candidature {filed.reference}",
        [
            ("Titre", filed.title),
            ("Candidat", filed.applicant),
            ("SIRET", shown.siret or NONE),
            ("Adresse électronique", filed.email),
            ("Coût", euros(shown.cost_cents)),
            ("Somme demandée", euros(shown.amount_cents)),
            ("État", _STATUSES[shown.status]),
            ("Déposée le", moment(filed.filed_at)),
            ("Envoi", _sending(shown.mail, filed)),
        ],
    )
    for part in filed.parts:
        yield part.title, [(line.label, line.value or "Non renseigné") for line in part.lines]
    # With the verdict, as everywhere: it is indicative.
    verdict = paragraphs(filed.verdict, *filed.notices)
    yield "Pré-diagnostic", [("Ensemble", verdict), *map(_criterion, filed.criteria)]
    if filed.conclusions:
        yield "Ce qui correspond au projet", [(one,) for one in filed.conclusions]
    attached = [(one.name, one.media_type, size_told(one.size)) for one in filed.attachments]
    yield "Pièces jointes", attached or [("Aucune pièce jointe.",)]
    agreed = f"{filed.consent} (le {moment(shown.consented_at)})"
    yield "Accord du candidat", [(agreed,)]


def _criterion(one: CriterionTold) -> tuple[str, str]:
    result = _RESULTS[one.status]
    told = one.told if one.told.casefold() != result else None
    return one.title, paragraphs(result, told, one.page and f"« {one.page} »")


def _sending(mail: _Sent | None, filed: Filed) -> str:
    if mail is None:
        return f"aucun n'est prévu à {filed.prefecture}"
    states = {State.done: "fait", State.due: "à faire", State.failed: "abandonné"}
    details = [f"demandé le {moment(mail.created_at)}"]
    if mail.next_attempt_at:
        details.append(f"prochain essai le {moment(mail.next_attempt_at)}")
    if mail.attempts and mail.state is not State.done:
        details.append(f"{mail.attempts} échec{'s' if mail.attempts > 1 else ''}")
    return f"{states[mail.state]}, à {mail.to} ({', '.join(details)})"


def _document(filed: Filed) -> bytes:
    # Made of what was filed: the same bytes, if nobody needed it before.
    from typst import TypstError

    from candidature.pdf import pdf

    try:
        return pdf(filed)
    except TypstError:
        _stop(f"Le document de « {one_line(filed.reference)} » n'a pas pu être fait.")


def _file_name(number: int, name: str) -> str:
    """Return a name that is no path, that no other number has, and that is not too long."""
    safe = safe_name(name, "")
    extension = PurePath(safe).suffix
    if len(extension.encode()) > _LONGEST_EXTENSION:
        extension = ""
    stem = safe.removesuffix(extension).encode()[:_LONGEST_NAME].decode(errors="ignore")
    return f"{number}-{stem}{extension}"


def main() -> None:
    """Run the command that is asked."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            # A terminal without accents is no reason to fail.
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    app(prog_name="passerelle")


if __name__ == "__main__":
    main()
