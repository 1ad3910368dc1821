"""The mail of a candidature, read back as a mail program does."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.mail.candidature import LONGEST_TITLE, candidature_mail
from candidature.filed import Filed, Line, Part
from tests.bot.mail.filings import CANDIDATURE, FILED_AT, SENDER, body_of, changed, files_of, parsed

PDF = b"%PDF-1.7\r\n\x00\xff\n"
HEADERS = [
    *("From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("MIME-Version", "Content-Type", "Content-Language"),
]


def raw(filed: Filed = CANDIDATURE, files: tuple[tuple[str, str, bytes], ...] = ()) -> bytes:
    return bytes(candidature_mail(filed, PDF, files, sender=SENDER))


def test_its_headers() -> None:
    mail = parsed(raw())
    assert mail.keys() == HEADERS
    assert mail["From"] == f"Passerelle <{SENDER}>"
    assert mail["To"] == "numerique@prefecture.example"
    assert mail["Cc"] == mail["Reply-To"] == "secretariat@ligre.example"
    assert mail["Subject"] == (
        "Candidature IDL-2026-0001\u00a0: Des rendez-vous en ligne pour l’état civil"
    )
    assert mail["Date"].datetime == FILED_AT
    assert mail["Message-ID"] == "<IDL-2026-0001@passerelle.invalid>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "fr"
    assert not mail.defects


def test_every_server_can_carry_it() -> None:
    content = raw(files=(("Délibération du conseil.pdf", "application/pdf", b"\xff" * 5000),))
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 78


def test_the_same_candidature_is_the_same_mail() -> None:
    assert raw() == raw()


def test_its_body_tells_the_essential() -> None:
    assert body_of(parsed(raw(files=(("Devis.pdf", "application/pdf", b"x"),)))) == (
        "Bonjour,\n"
        "\n"
        "Une candidature au fonds numérique a été déposée, sous la référence IDL-2026-0001.\n"
        "\n"
        "Candidat : Commune de Ligré\n"
        "Projet : Des rendez-vous en ligne pour l’état civil\n"
        "Aide demandée : 10 000 €\n"
        "Coût total hors taxes : 12 500,50 €\n"
        "\n"
        "D’après les réponses du candidat, les critères sont remplis.\n"
        "Ce calcul automatique est indicatif, et ne lit pas les pièces jointes : la décision vous"
        " revient.\n"
        "\n"
        "Une personne décide.\n"
        "Ces règles datent de 2021.\n"
        "\n"
        "Pièces jointes :\n"
        "- IDL-2026-0001.pdf : la candidature complète, à lire\n"
        "- IDL-2026-0001.json : les mêmes informations, pour un logiciel\n"
        "- Devis.pdf\n"
        "\n"
        "Les autres fichiers viennent du candidat. Ouvrez-les avec la même prudence que ceux de"
        " tout courriel.\n"
        "\n"
        "Le bouton « Répondre » écrit directement au candidat : secretariat@ligre.example\n"
        "\n"
        "Bien cordialement,\n"
        "Passerelle, l’assistant numérique (courriel automatique)\n"
        "\n"
        "----\n"
        "\n"
        "Pour le candidat, en copie : votre candidature est partie à la préfecture.\n"
        "Gardez ce courriel : il contient votre dossier et sa référence. Vous n’avez rien d’autre"
        " à faire. C’est à cette adresse que la préfecture pourra vous répondre.\n"
        "Vous n’avez rien déposé ? Dites-le à numerique@prefecture.example, merci.\n"
    )


def test_what_is_not_there_is_not_told() -> None:
    body = body_of(parsed(raw(changed(parts=(), notices=()))))
    assert "Aide" not in body and "fichiers" not in body and "\n\n\n" not in body


def test_what_is_attached() -> None:
    files = (
        ("Délibération n° 12 (mars).pdf", "application/pdf", b"%PDF-\r\n\n\r\x00\xff"),
        ("plan.png", "image/png", bytes(range(256)) * 100),
        ("plan.png", "image/png", b"\n"),
        ("lettre.odt", "application/vnd.oasis.opendocument.text", b"PK"),
    )
    pdf, data, *others = files_of(parsed(raw(files=files)))
    assert pdf == ("IDL-2026-0001.pdf", "application/pdf", PDF)
    assert data[:2] == ("IDL-2026-0001.json", "application/json")
    assert Filed.model_validate_json(data[2]) == CANDIDATURE
    assert json.loads(data[2])["applicant"] == "Commune de Ligré"
    assert '\n  "applicant": "Commune de Ligré"'.encode() in data[2]
    assert others == list(files)


@pytest.mark.parametrize(
    "title",
    [
        "Un\r\nBcc: x@y.example",
        "Un\nBcc: x@y.example\n\nUn autre corps",
        "Un\rBcc: x@y.example",
        "Un\u2028Bcc: x@y.example\u0085\x0b\x0c\x1c\x00",
        "=?utf-8?q?Un=0ABcc=3A_x=40y=2Eexample?=",
        "Un\u202eelpmaxe.y@x :ccB",
        "--=_IDL-2026-0001\nContent-Type: text/html\n\n<b>Un</b>",
    ],
)
def test_a_title_adds_no_header_nor_part(title: str) -> None:
    filed = changed(title=title, applicant=title, verdict=title, notices=(title,))
    mail = parsed(raw(filed))
    assert mail.keys() == HEADERS
    assert mail["Cc"] == "secretariat@ligre.example"
    assert "Un" in mail["Subject"] and "\u202e" not in mail["Subject"]
    assert [name for name, _, _ in files_of(mail)] == ["IDL-2026-0001.pdf", "IDL-2026-0001.json"]
    assert not re.search("^(Bcc|Content-Type|<b>)", body_of(mail), re.MULTILINE)
    # As it was typed, for the préfecture's own software.
    assert Filed.model_validate_json(files_of(mail)[1][2]) == filed


@pytest.mark.parametrize("title", ["é" * 5000, "Une très longue idée, et " * 300])
def test_a_long_title_is_cut(title: str) -> None:
    mail = parsed(raw(changed(title=title)))
    told = mail["Subject"].removeprefix("Candidature IDL-2026-0001\u00a0: ")
    assert told.startswith(title[:100]) and told.endswith("…") and len(told) <= LONGEST_TITLE
    assert f"Projet : {told}\n" in body_of(mail)


@given(st.text(st.characters(exclude_categories=["C"]), max_size=LONGEST_TITLE))
def test_a_title_keeps_its_words(title: str) -> None:
    subject = parsed(raw(changed(title=title)))["Subject"]
    told = subject.removeprefix("Candidature IDL-2026-0001\u00a0:").replace("’", "'")
    assert told.split() == title.replace("’", "'").split()


@pytest.mark.parametrize(
    "email",
    [
        "",
        "x",
        "x@y.example\r\nBcc: z@y.example",
        "x@y.example, z@y.example",
        "Un <x@y.example>",
        "groupe: x@y.example;",
        "x" * 400 + "@y.example",
        "élu@ligré.fr",
    ],
)
def test_an_address_that_no_header_can_hold_stays_in_the_body(email: str) -> None:
    mail = parsed(raw(changed(email=email)))
    assert mail.keys() == [name for name in HEADERS if name not in ("Cc", "Reply-To")]
    body = body_of(mail)
    assert f"Pour répondre au candidat, écrivez à : {' '.join(email.split())[:150]}" in body
    assert "en copie" not in body
    assert not re.search("^Bcc", body, re.MULTILINE)


def test_a_domain_with_accents_is_written_in_ascii() -> None:
    mail = parsed(raw(changed(email="mairie@ligré.fr")))
    assert mail["Cc"] == mail["Reply-To"] == "mairie@xn--ligr-epa.fr"


@given(st.text(max_size=150), st.text(max_size=30))
def test_no_name_nor_type_of_a_file_breaks_it(name: str, media_type: str) -> None:
    mail = parsed(raw(files=((name, media_type, b"\x00\n"),)))
    assert mail.keys() == HEADERS
    *_, (found, kind, content) = files_of(mail)
    assert kind in ("application/octet-stream", media_type.lower())
    assert found and content == b"\x00\n"


@pytest.mark.parametrize("media_type", ["message/rfc822", "multipart/mixed", "a/b; c=d", "text/"])
def test_only_plain_media_types_are_told(media_type: str) -> None:
    *_, (_, kind, content) = files_of(parsed(raw(files=(("x.eml", media_type, b"a: b\n\nc"),))))
    assert (kind, content) == ("application/octet-stream", b"a: b\n\nc")


@given(st.text(), st.text(), st.text())
def test_no_text_breaks_it(typed: str, email: str, verdict: str) -> None:
    line = Line(id="montant", label=typed, value=verdict)
    filed = changed(
        title=typed,
        applicant=verdict,
        email=email,
        verdict=verdict,
        notices=(typed,),
        parts=(Part(title="", lines=(line,)),),
    )
    mail = parsed(raw(filed))
    assert set(mail.keys()) <= set(HEADERS)
    assert len(files_of(mail)) == 2
