"""The mail that carries a candidature: to the préfecture, with a copy for who filed it.

Pure, and the same bytes for the same candidature: who writes it again changes nothing.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from email_validator import EmailNotValidError, validate_email

from candidature.attachments import NAMELESS
from candidature.filed import Filed
from knowledge.typography import french

SENDER_NAME = "Passerelle"
LONGEST_TITLE = 120
"""Characters of a title, in the subject and in the body: the whole is in the document."""
LONGEST = 200
"""Characters of any other text that somebody typed."""

_SUMS = ("montant", "cout")
"""The answers that tell how much is asked for, out of how much."""
# Others have rules of their own (`message/rfc822` must not be encoded), or are none.
_MEDIA_TYPE = re.compile(r"(application|image|text|audio|video)/([A-Za-z0-9][A-Za-z0-9.+_-]*)")


def candidature_mail(
    filed: Filed, document: bytes, attachments: Sequence[tuple[str, str, bytes]], *, sender: str
) -> EmailMessage:
    """Return the mail of a candidature.

    Args:
        filed: The candidature; all that people typed in it is brought to one line.
        document: Its PDF.
        attachments: Name, media type and content of each file that goes with it.
        sender: The address that it comes from.

    Raises:
        ValueError: `sender` or the préfecture's is no address.
    """
    files = [
        (f"{filed.reference}.pdf", "application/pdf", document),
        (f"{filed.reference}.json", "application/json", filed.model_dump_json(indent=2).encode()),
        *((_line(name, LONGEST) or NAMELESS, kind, content) for name, kind, content in attachments),
    ]
    from_ = Address(SENDER_NAME, addr_spec=sender)
    applicant = _mailable(filed.email)
    message = EmailMessage(policy=SMTP)
    message["From"] = from_
    message["To"] = Address(addr_spec=filed.prefecture)
    if applicant:
        message["Cc"] = message["Reply-To"] = Address(addr_spec=applicant)
    subject = french(f"Candidature {filed.reference} : {_line(filed.title, LONGEST_TITLE)}")
    # Encoded here: Python's own folding of a header that is set loses spaces between words with
    # accents (until 3.13).
    message.set_raw("Subject", Header(subject, "utf-8", header_name="Subject").encode())
    message["Date"] = filed.filed_at
    message["Message-ID"] = f"<{filed.reference}@{from_.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    names = [name for name, _, _ in files]
    # No server on the way may have to convert it.
    message.set_content(_body(filed, names, applicant), cte="quoted-printable")
    for name, kind, content in files:
        known = _MEDIA_TYPE.fullmatch(kind)
        main, sub = known.groups() if known else ("application", "octet-stream")
        message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    # Last: what sets the content removes it.
    message["Content-Language"] = "fr"
    # Neither quoted-printable nor base64 ever writes « =_ »: no content can end its part.
    message.set_boundary(f"=_{filed.reference}")
    return message


def _body(filed: Filed, names: Sequence[str], applicant: str | None) -> str:
    paragraphs = ("\n".join(lines) for lines in _paragraphs(filed, names, applicant) if lines)
    return "\n\n".join(paragraphs) + "\n"


def _paragraphs(filed: Filed, names: Sequence[str], applicant: str | None) -> Iterator[list[str]]:
    """Give the lines of each paragraph: for somebody who has nothing else than this mail."""
    yield ["Bonjour,"]
    yield [
        f"Une candidature au fonds numérique a été déposée, sous la référence {filed.reference}."
    ]
    told = {line.id: line for part in filed.parts for line in part.lines}
    sums = [told[name] for name in _SUMS if name in told]
    yield [
        _told("Candidat", filed.applicant),
        _told("Projet", filed.title, LONGEST_TITLE),
        *(_told(one.label, one.value) for one in sums),
    ]
    yield [
        french(_line(filed.verdict)),
        french(
            "Ce calcul automatique est indicatif, et ne lit pas les pièces jointes : la décision"
            " vous revient."
        ),
    ]
    yield [french(_line(notice)) for notice in filed.notices]
    pdf, json, *others = names
    yield [
        french("Pièces jointes :"),
        french(f"- {pdf} : la candidature complète, à lire"),
        french(f"- {json} : les mêmes informations, pour un logiciel"),
        *(f"- {name}" for name in others),  # as they are written on the files
    ]
    if others:
        yield [
            "Les autres fichiers viennent du candidat. Ouvrez-les avec la même prudence que ceux"
            " de tout courriel."
        ]
    if applicant:
        yield [french(f"Le bouton « Répondre » écrit directement au candidat : {applicant}")]
    else:
        # An address that not every server can write to: the préfecture comes first.
        email = _line(filed.email, LONGEST)
        yield [
            french(f"Pour répondre au candidat, écrivez à : {email}"),
            french("Le bouton « Répondre » ne le ferait pas, et il n'a pas reçu de copie."),
        ]
    yield ["Bien cordialement,", french("Passerelle, l'assistant numérique (courriel automatique)")]
    if applicant:
        yield ["----"]
        yield [
            french("Pour le candidat, en copie : votre candidature est partie à la préfecture."),
            french(
                "Gardez ce courriel : il contient votre dossier et sa référence. Vous n'avez rien"
                " d'autre à faire. C'est à cette adresse que la préfecture pourra vous répondre."
            ),
            french(f"Vous n'avez rien déposé ? Dites-le à {filed.prefecture}, merci."),
        ]


def _told(label: str, value: str, most: int = LONGEST) -> str:
    return french(f"{label} : {_line(value, most)}")


def _line(text: str, most: int | None = None) -> str:
    """Return a text on one line, without what is not seen, and `most` characters long at most."""
    kinds = ((one, unicodedata.category(one)) for one in text)
    # Line ends and other controls part words; marks of direction could disguise those around.
    seen = (" " if kind == "Cc" else one for one, kind in kinds if kind not in ("Cf", "Cs"))
    text = " ".join("".join(seen).split())
    return text if most is None or len(text) <= most else text[: most - 1].rstrip() + "…"


def _mailable(email: str) -> str | None:
    """Return an address in ASCII; nothing if it has no such form, or is none."""
    try:
        return validate_email(email, check_deliverability=False).ascii_email
    except EmailNotValidError:
        return None
