"""A complete draft, as it is filed: nothing lost, nothing that may change."""

import datetime as dt
import json
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from candidature.dialogue import Dialogue, Meaning
from candidature.draft import Draft, decoded, encoded
from candidature.evaluation import Status
from candidature.filed import Attached, Filed
from candidature.filing import applicant, as_filed
from candidature.pdf import pdf
from candidature.places import Finder
from knowledge import load
from knowledge.dialogue import load_wording
from knowledge.form import load_form
from knowledge.places import load_places
from knowledge.questionnaire import load_questionnaires

DIALOGUE = Dialogue(
    load_questionnaires(),
    load_form(),
    load_wording(),
    load(),
    Finder(load_places()),
    "prefecture@example.fr",
)
INTERVIEW = DIALOGUE.interview("fonds", form=True)
NOW = dt.datetime(2026, 11, 28, 7, 30, tzinfo=ZoneInfo("Europe/Paris"))
FUND = (
    *("une commune", "st flovier", "former nos agents", "oui on a délibéré le 12 mars"),
    *("fin 2022", "oui un peu", "non", "/form"),
)
FORM = (
    "21370218600015",
    "Maire, Mme Camille DURAND",
    "Secrétaire de mairie, Dominique Petit, mairie@exemple.fr",
    "Former les agents",
    'Deux journées.\n\nPuis <b>une</b> troisième : #import "x" & 12 € $x$.',
    "Des réponses plus rapides.",
    "12 mars 2022",
    "de mars à juin 2022",
    "/skip:mutualisation",
    "/skip:exigences",
    "12 500,50 €",
    "500 €",
    "10 000 €",
    "/skip:cofinanceurs",
)
ATTACHED = (Attached(name="devis.pdf", media_type="application/pdf", size=12, sha256="0" * 64),)


def played(*messages: str) -> Draft:
    draft = DIALOGUE.begin("fonds", NOW.date()).draft
    for message in messages:
        turn = (
            DIALOGUE.press(draft, message[1:], NOW.date())
            if message.startswith("/")
            else DIALOGUE.hear(draft, message, Meaning(), NOW.date())
        )
        assert turn is not None, message
        draft = turn.draft
    return draft


DRAFT = played(*FUND, *FORM)
FILED = as_filed(DIALOGUE, DRAFT, "IDL-2026-0001", NOW, ATTACHED)
LINES = {line.id: line for part in FILED.parts for line in part.lines}
SYNDICAT = played(
    *("un syndicat", "12 000 habitants", "une étude", "pas encore", "je ne sais pas", "non"),
    *("je ne sais pas", "/form", "Syndicat du Lochois", "21370218600015", *FORM[1:3]),
    *("Étude", "/answer:thematique=innovation", *FORM[4:6], FORM[7], "non", "non"),
    *("12 500 €", "10 000 €", "non"),
)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")


def test_the_drafts_are_complete() -> None:
    assert DIALOGUE.complete(DRAFT) and DIALOGUE.complete(SYNDICAT)


def test_it_comes_back_from_json() -> None:
    kept = FILED.model_dump_json()
    assert Filed.model_validate_json(kept) == FILED
    assert Filed.model_validate(json.loads(kept)).filed_at == NOW


def test_what_it_is_filed_as() -> None:
    assert FILED.reference == "IDL-2026-0001" and FILED.filed_at == NOW
    assert FILED.title == "Former les agents"
    assert FILED.applicant == "Saint-Flovier (INSEE\u00a037218)"
    assert FILED.email == "mairie@exemple.fr"
    assert FILED.prefecture == "prefecture@example.fr"
    assert FILED.attachments == ATTACHED
    assert FILED.consent == load_form().consent


@pytest.mark.parametrize("draft", [DRAFT, SYNDICAT], ids=["commune", "syndicat"])
def test_nothing_is_lost(draft: Draft) -> None:
    filed = as_filed(DIALOGUE, draft, "IDL-2026-0001", NOW)
    answers = {name: decoded(INTERVIEW.named(name), value) for name, value in filed.answers.items()}
    assert answers == draft.state.answers
    lines = [line for part in filed.parts for line in part.lines]
    assert len({line.id for line in lines}) == len(lines)
    assert {line.id for line in lines} >= set(draft.state.given)
    for line in lines:
        question = INTERVIEW.named(line.id)
        assert line.label == question.label
        if line.id in draft.state.answers:
            assert line.value == DIALOGUE.words.told(question, draft.state.answers[line.id])


def test_every_question_is_read_in_one_part() -> None:
    form = load_form()
    names = [
        name
        for section in form.sections
        for name in (*section.also, *(one.id for one in section.questions))
    ]
    assert sorted(names) == sorted(one.id for one in INTERVIEW.questions)


def test_the_parts_are_those_of_the_form_in_order() -> None:
    assert [part.title for part in FILED.parts] == [one.title for one in load_form().sections]


def test_values_for_people_and_for_machines() -> None:
    assert plain(LINES["cout"].value) == "12 500,50 €"
    assert FILED.answers["cout"] == "12500.50"
    assert plain(LINES["debut"].value) == "1er mars 2022"
    assert FILED.answers["debut"] == "2022-03-01"
    assert plain(LINES["siret"].value) == "213 702 186 00015"
    assert FILED.answers["siret"] == "21370218600015"
    assert LINES["thematique"].value.startswith("3B")
    assert FILED.answers["population"] == 576
    assert LINES["description"].value == FORM[4]
    assert all(isinstance(encoded(one), str | int) for one in DRAFT.state.answers.values())


@pytest.mark.parametrize(
    "name", ["mutualisation", "exigences", "cofinanceurs", "contact_telephone"]
)
def test_what_was_not_told_is_told_as_not_given(name: str) -> None:
    assert LINES[name].value == "non renseigné"
    assert name not in FILED.answers


def test_what_was_not_known_is_to_be_confirmed() -> None:
    filed = as_filed(DIALOGUE, SYNDICAT, "IDL-2026-0002", NOW)
    lines = {line.id: line.value for part in filed.parts for line in part.lines}
    assert lines["resultats"] == lines["licences"] == "à confirmer"
    assert "lieu" not in lines and "date_decision" not in lines
    assert filed.applicant == "Syndicat du Lochois"
    assert filed.status is Status.TO_CONFIRM


def test_the_verdict_is_kept_with_it() -> None:
    verdict = DIALOGUE.verdict(DRAFT)
    assert FILED.status is verdict.status is Status.TO_CONFIRM
    assert [one.status for one in FILED.criteria] == [status for _, status in verdict.criteria]
    assert all(one.told == "" for one in FILED.criteria)
    assert "points à confirmer" in plain(FILED.verdict)
    refused = as_filed(
        DIALOGUE,
        replace(
            DRAFT,
            state=replace(DRAFT.state, answers={**DRAFT.state.answers, "licences": "importante"}),
        ),
        "IDL-2026-0003",
        NOW,
    )
    assert refused.status is Status.NOT_MET
    (told,) = (one.told for one in refused.criteria if one.status is Status.NOT_MET)
    assert told
    assert any("axe 3" in plain(one) for one in FILED.conclusions)


def test_notices_are_of_the_day_it_is_filed() -> None:
    during = as_filed(DIALOGUE, DRAFT, "IDL-2022-0001", NOW.replace(year=2022, month=6, day=27))
    assert len(during.notices) == 1 and len(FILED.notices) == 2
    assert "indicatif" in FILED.notices[0] and "27/06/2022" in plain(FILED.notices[1])


def test_it_does_not_change() -> None:
    with pytest.raises(ValidationError):
        FILED.title = "Autre"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        as_filed(DIALOGUE, DRAFT, "IDL-2026-0001", NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({}, None),
        ({"lieu": "37218"}, "Saint-Flovier (INSEE\u00a037218)"),
        ({"lieu": "Troyes"}, "Troyes"),
        ({"nom": "Syndicat", "lieu": "37218"}, "Syndicat"),
    ],
)
def test_who_applies(answers: dict[str, str], told: str | None) -> None:
    draft = replace(DRAFT, state=replace(DRAFT.state, answers=answers, given=tuple(answers)))
    assert applicant(DIALOGUE, draft) == told


def test_its_document_can_be_made() -> None:
    assert pdf(FILED).startswith(b"%PDF")
