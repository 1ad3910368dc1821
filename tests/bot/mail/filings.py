"""Filed candidatures, made by hand, and mails read back."""

import datetime as dt
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

from candidature.evaluation import Status
from candidature.filed import CriterionTold, Filed, Line, Part
from storage.database import Database
from storage.models import Attachment, Draft, Mail, State
from storage.models import Status as DraftStatus

SENDER = "passerelle@passerelle.invalid"
FILED_AT = dt.datetime(2026, 3, 2, 14, 30, tzinfo=dt.UTC)
CANDIDATURE = Filed(
    reference="IDL-2026-0001",
    filed_at=FILED_AT,
    title="Des rendez-vous en ligne pour l'état civil",
    applicant="Commune de Ligré",
    email="secretariat@ligre.example",
    prefecture="numerique@prefecture.example",
    answers={"porteur": "commune", "cout": "12500.50", "montant": "10000.00"},
    parts=(
        Part(
            title="Le budget",
            lines=(
                Line(id="cout", label="Coût total hors taxes", value="12 500,50 €"),
                Line(id="montant", label="Aide demandée", value="10 000 €"),
            ),
        ),
    ),
    status=Status.MET,
    verdict="D'après les réponses du candidat, les critères sont remplis.",
    criteria=(
        CriterionTold(
            id="qui", title="Le porteur", status=Status.MET, told="Une commune.", page="Le candidat"
        ),
    ),
    conclusions=(),
    consent="J'accepte que ma candidature soit transmise à la préfecture.",
    notices=("Une personne décide.", "Ces règles datent de 2021."),
)
PERSONAL = ("rendez-vous", "Ligré", "ligre", "prefecture.example", "délibération")
"""What no log may contain."""


def changed(**changes: Any) -> Filed:
    return CANDIDATURE.model_copy(update=changes)


def parsed(content: bytes) -> EmailMessage:
    return BytesParser(policy=default).parsebytes(content)


def files_of(mail: EmailMessage) -> list[tuple[str | None, str, bytes]]:
    files = []
    for one in mail.iter_attachments():
        content = one.get_payload(decode=True)
        assert isinstance(content, bytes)
        files.append((one.get_filename(), one.get_content_type(), content))
    return files


def body_of(mail: EmailMessage) -> str:
    body = mail.get_body()
    assert body and body.get_content_type() == "text/plain"
    text: str = body.get_content()
    return text.replace("\u00a0", " ").replace("\r\n", "\n")


async def put_in_outbox(
    database: Database, number: int = 1, files: tuple[tuple[str, str, bytes], ...] = ()
) -> int:
    """Add a filed candidature with its mail, due; return the draft's number."""
    reference = f"IDL-2026-{number:04}"
    draft = Draft(
        questionnaire="fonds",
        status=DraftStatus.filed,
        open=False,
        state={},
        title=CANDIDATURE.title,
        applicant=CANDIDATURE.applicant,
        siret="21370129800013",
        email=CANDIDATURE.email,
        cost_cents=1_250_050,
        amount_cents=1_000_000,
        reference=reference,
        consented_at=FILED_AT,
        filed_at=FILED_AT,
        filed=changed(reference=reference).model_dump(mode="json"),
    )
    async with database.write() as session:
        session.add(draft)
        await session.flush()
        for at, (name, media_type, content) in enumerate(files):
            session.add(
                Attachment(
                    draft_id=draft.id,
                    name=name,
                    media_type=media_type,
                    size=len(content),
                    sha256=f"{at:064}",
                    content=content,
                )
            )
            await session.flush()
        session.add(Mail(draft_id=draft.id, state=State.due, next_attempt_at=FILED_AT))
    return draft.id
