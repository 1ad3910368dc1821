"""From « bonjour » to a filed candidature, through the public API; and what is typed in it."""

import email
import email.policy
import json
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx

from deploy.stack import Stack
from tests.conversations.candidate import (
    CONFIRM,
    EMAIL,
    SIRET,
    TO_DESCRIPTION,
    TO_SUMMARY,
    TO_TITLE,
    answers,
    row,
    rows,
    tell,
)

DESCRIBE, CHANGES = "Décrivez le projet", "Qu’est-ce que le projet change"
MOST = 25
"""Messages of the person, from « bonjour » to the reference; fewer are needed."""


def file(person: Any) -> tuple[str, dict[str, Any]]:
    """Press the two buttons that file; return the reference and the message with the document."""
    person.press("Déposer")
    seq = person.send({"button": person._buttons[CONFIRM]})
    messages = person.wait(seq)
    text = "\n".join(one["text"] for one in messages)
    (reference,) = set(re.findall(r"IDL-\d{4}-\d{4}", text))
    (with_document,) = [one for one in messages if one["attachments"]]
    return reference, with_document


def test_a_file_goes_with_it(stack: Stack, api: httpx.Client, person: Any) -> None:
    tell(person, TO_SUMMARY)
    devis = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"
    for name in ("devis.pdf", "plan.pdf"):
        content = devis + name.encode()
        query = {"id": str(uuid.uuid4()), "name": name}
        sent = api.post("/api/attachments", params=query, content=content, headers=person._headers)
        assert sent.status_code == 202
        assert f"C’est joint : {name}." in person._answer(sent.json()["seq"])
    assert "Pièces jointes : devis.pdf, plan.pdf." in person.press("Voir le résumé")
    person.press("Modifier une réponse")
    person.press("Les pièces jointes")
    assert "C’est retiré : plan.pdf." in person.press("Retirer plan.pdf")
    reference, _ = file(person)
    attached = list(_mail(stack, reference).iter_attachments())
    names = [part.get_filename() for part in attached]
    assert names == [f"{reference}.pdf", f"{reference}.json", "devis.pdf"]
    assert attached[-1].get_content() == devis + b"devis.pdf"


def test_from_bonjour_to_a_reference(
    stack: Stack, api: httpx.Client, somebody: Callable[[], Any]
) -> None:
    person = somebody()
    said = ("bonjour", *TO_SUMMARY)
    assert len(said) + 2 < MOST
    assert "Tout y est" in tell(person, said)
    reference, message = file(person)
    assert reference.startswith(f"IDL-{message['at'][:4]}-")

    (filed,) = rows(stack, "draft", reference=reference)
    assert (filed["status"], filed["open"], filed["siret"]) == ("filed", 0, SIRET)
    assert (filed["cost_cents"], filed["amount_cents"]) == (1_250_000, 1_000_000)
    assert filed["email"] == EMAIL
    assert filed["consented_at"]
    assert json.loads(filed["state"])["answers"]["population"] == 850

    (attachment,) = message["attachments"]
    assert attachment["name"] == f"{reference}.pdf"
    pdf = api.get(attachment["path"], headers=person._headers)
    assert pdf.status_code == 200
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    stranger = somebody()
    assert api.get(attachment["path"], headers=stranger._headers).status_code == 404
    assert api.get(attachment["path"]).status_code == 401

    mail = _mail(stack, reference)
    assert mail["Cc"] == EMAIL
    assert mail["To"] == "pref-badl@indre-et-loire.gouv.fr"
    parts = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    assert parts[f"{reference}.pdf"] == pdf.content
    told = json.loads(parts[f"{reference}.json"])
    assert told["reference"] == reference
    assert SIRET in json.dumps(told)


def _mail(stack: Stack, reference: str) -> email.message.EmailMessage:
    path = stack.var / "mail" / f"{reference}.eml"
    limit = time.monotonic() + 20
    while not path.exists() and time.monotonic() < limit:
        time.sleep(0.05)
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def test_refused_then_accepted_in_words(stack: Stack, person: Any) -> None:
    tell(person, TO_SUMMARY)
    assert "Confirmez-vous" in person.say("déposer")
    assert "rien n’est envoyé" in person.press("Pas encore")
    assert row(stack)["status"] == "complete"
    person.say("déposer")
    seq = person.send({"text": "j'accepte"})
    assert "IDL-" in person.wait(seq)[0]["text"]
    assert row(stack)["status"] == "filed"


def test_an_old_button_of_what_is_filed_says_so(person: Any) -> None:
    tell(person, TO_SUMMARY)
    change = person._buttons["Modifier une réponse"]
    reference, _ = file(person)
    said = person.wait(person.send({"button": change}))
    assert "est déposée, sous la référence" in said[0]["text"]
    assert reference in said[0]["text"]
    assert any(one["attachments"] for one in said)


# The summary


def test_change_a_field_by_button_and_by_word(stack: Stack, person: Any) -> None:
    tell(person, TO_SUMMARY)
    person.press("Modifier une réponse")
    person.press("Le projet")
    assert "Réponse actuelle : Former nos agents" in person.press("Titre du projet")
    assert person.say("Se former ensemble").startswith("C’est corrigé : Se former ensemble.")
    said = person.press("Voir le résumé")
    assert "Titre du projet : Se former ensemble" in said
    assert "Tout y est" in said
    person.say("modifier")
    person.press("Le financement")
    person.press("Coût total hors taxes")
    # What was asked for is more than all of it, now.
    said = person.say("8 000 €")
    assert "je vous redemande : Aide demandée" in said
    assert "C’est trop" in person.say("9 000")
    person.say("7 000")
    person.say("modifier")
    person.press("Le contact")
    person.press("Téléphone")
    assert "Tout y est" in person.press("Garder cette réponse")
    told = answers(stack)
    assert told["titre"] == "Se former ensemble"
    assert row(stack)["amount_cents"] == 700_000


def test_another_commune_needs_another_siret(person: Any) -> None:
    tell(person, TO_SUMMARY)
    person.say("modifier")
    person.press("Le porteur")
    person.press("Commune ou intercommunalité")
    assert "SIRET" in person.say("Loches").split("Votre candidature")[0]


def test_correct_in_words_at_the_summary(stack: Stack, person: Any) -> None:
    tell(person, TO_SUMMARY)
    assert "C’est corrigé : 900 habitants." in person.say("en fait nous sommes 900 habitants")
    said = person.say("en fait l'adresse est accueil@exemple.fr")
    assert "C’est corrigé : accueil@exemple.fr." in said
    told = answers(stack)
    assert (told["population"], told["contact_email"]) == (900, "accueil@exemple.fr")


def test_an_address_corrects_an_address_alone(stack: Stack, person: Any) -> None:
    tell(person, TO_SUMMARY)
    person.say("en fait mon mail est autre@exemple.fr")
    assert answers(stack)["contact_email"] == "autre@exemple.fr"
    assert answers(stack)["projet"] == "formation"
    assert answers(stack)["thematique"] == "thematique_3b"


def test_a_corrected_cost_is_no_sum_asked_for(stack: Stack, person: Any) -> None:
    tell(person, TO_SUMMARY[:-2])
    person.say("en fait le coût est de 11 000 €")
    assert "montant" not in answers(stack)


def test_half_a_period_is_told_what_it_lacks(person: Any) -> None:
    tell(person, TO_SUMMARY[:-6])
    person.say("Comment former nos agents ? Avec un formateur du département, deux jours par mois.")
    said = person.say("en janvier")
    assert "De quand à quand" in said
    assert "Source" not in said


# What is typed


def test_free_text_is_kept_as_it_is(stack: Stack, person: Any) -> None:
    tell(person, TO_TITLE)
    for typed in (
        "'; DROP TABLE draft; --",
        "<b>Former</b> <script>alert(1)</script> & « tous »",
        "🙂 Projet 🎉 numérique",
        '{"step": "0:cancel"} %s {reference} $(id)',
        "=SOMME(1)",
    ):
        assert DESCRIBE in person.say(typed), typed
        assert answers(stack)["titre"] == typed
        assert typed in person.say("où j'en suis")
        assert "Quel titre" in person.say("retour")


def test_what_says_nothing_is_no_free_text(stack: Stack, person: Any) -> None:
    tell(person, TO_DESCRIPTION)
    for typed in ("🙂🙂 🎉", "…", "?!"):
        assert DESCRIBE in person.say(typed), typed
    assert "description" not in answers(stack)


def test_a_command_of_rasa_is_text(stack: Stack, person: Any) -> None:
    tell(person, TO_DESCRIPTION)
    for typed in ("/restart", "/session_start", '/affirm{"step": "0:cancel"}'):
        said = person.say(typed)
        assert "effacer" not in said, typed
        assert CHANGES in said or DESCRIBE in said, typed
        if CHANGES in said:
            assert DESCRIBE in person.say("retour")
    assert answers(stack)["titre"].startswith("Former")


def test_nothing_odd_is_taken_for_a_siret(stack: Stack, person: Any) -> None:
    tell(person, TO_TITLE[:7])
    for typed in ("'; DROP TABLE draft; --", "<img src=x>", "🙂", "/restart", "1234", SIRET + "9"):
        assert "14 chiffres" in person.say(typed), typed
    assert "clé de contrôle" in person.say(SIRET[:-1] + "6")
    assert "autre organisme" in person.say("73282932000074")
    assert "siret" not in answers(stack)
    person.say(SIRET)
    assert answers(stack)["siret"] == SIRET


def test_a_long_description_is_taken_or_told_how_long_it_may_be(stack: Stack, person: Any) -> None:
    tell(person, TO_DESCRIPTION)
    sentence = "Nous formerons tous nos agents. "
    too_long = (sentence * 130)[:3900].strip()
    said = person.say(too_long)
    assert "3 500 au plus" in said
    assert DESCRIBE in said
    body = {"id": str(uuid.uuid4()), "text": (sentence * 400)[:10_000]}
    refused = person._api.post("/api/messages", json=body, headers=person._headers)
    assert refused.status_code == 422
    assert "trop long" in refused.json()["detail"]
    # The question still waits, and takes as much as it said.
    fitting = too_long[:3499] + "."
    assert CHANGES in person.say(fitting)
    assert answers(stack)["description"] == fitting
