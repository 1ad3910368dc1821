"""A questionnaire and a candidature, message by message: the straight path, and every detour."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candidature.dialogue import STUCK, Dialogue, Effect, Meaning, Turn
from candidature.draft import Draft, as_json, from_json
from candidature.evaluation import Status
from candidature.interview import State
from candidature.places import Finder
from candidature.wording import Said
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
SENTENCES = load_wording().sentences
TODAY = dt.date(2022, 3, 1)
FUND = (
    "une commune",
    "st flovier",
    "former nos agents",
    "oui on a délibéré le 12 mars",
    "fin 2022",
    "non",
    "non",
)
FORM = (
    "21370218600015",
    "Maire, Mme Camille DURAND",
    "Secrétaire de mairie, Dominique Petit, mairie@exemple.fr, 02 47 00 00 00",
    "Former les agents aux outils numériques",
    "Deux journées pour chacun de nos quatre agents.",
    "Des réponses plus rapides au guichet.",
    "12 mars 2022",
    "de mars à juin 2022",
    "non",
    "un hébergement en France",
    "12 500 €",
    "10 000 €",
    "le département, 2 500 €",
)


def turn(draft: Draft, message: str, meaning: Meaning = Meaning()) -> Turn | None:  # noqa: B008
    """Take a message as it is typed or, with « / » before it, the step of a button."""
    if message.startswith("/"):
        return DIALOGUE.press(draft, message[1:], TODAY)
    confirms = draft.pending and DIALOGUE.commands.find(message, ("yes", "no"))
    step = None if confirms else DIALOGUE.command(message, open_draft=True)
    if step:
        return DIALOGUE.press(draft, step, TODAY)
    return DIALOGUE.hear(draft, message, meaning, TODAY)


def taken(draft: Draft, *messages: str) -> Turn:
    """Return the last turn of a conversation in which each message means something."""
    last = None
    for message in messages:
        last = turn(draft, message)
        assert last is not None, message
        draft = last.draft
    assert last is not None
    return last


def current(draft: Draft) -> str | None:
    interview = DIALOGUE.interview(draft.questionnaire, form=draft.form)
    question = interview.question(draft.state)
    return question.id if question else None


def plain(text: str) -> str:
    """Return a text as one types it, without French typography."""
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")


def told(turn: Turn) -> str:
    return plain(turn.said.text)


def sentence(name: str) -> str:
    return plain(SENTENCES[name])


def steps(said: Said) -> list[str]:
    return [one.step for one in said.buttons]


BEGUN = DIALOGUE.begin("fonds", TODAY).draft
ASKED = taken(BEGUN, *FUND).draft
"""The questionnaire is answered, the form not begun."""
OPENED = taken(ASKED, "/form").draft
WHOLE = taken(OPENED, *FORM).draft
"""Nothing is missing."""


# The straight path


def test_what_is_said_first() -> None:
    first = DIALOGUE.begin("fonds", TODAY)
    assert "7 questions environ" in told(first)
    assert "Question 1/7. Qui porte le projet" in told(first)
    assert steps(first.said)[-1] == "skip:porteur"
    assert first.effect is None and first.draft == Draft("fonds")


def test_that_a_campaign_is_over_is_told_before_any_question() -> None:
    over, question = "campagne 2021-2022, close le 27/06/2022", "Question 1/7"
    late = told(DIALOGUE.begin("fonds", dt.date(2022, 6, 28)))
    assert over in late and late.index(over) < late.index(question)
    assert over not in told(DIALOGUE.begin("fonds", dt.date(2022, 6, 27)))


@pytest.mark.parametrize("name", load_questionnaires())
def test_any_questionnaire_begins(name: str) -> None:
    first = DIALOGUE.begin(name, TODAY)
    assert plain(DIALOGUE.questionnaires[name].title) in told(first)
    assert current(first.draft) == DIALOGUE.questionnaires[name].questions[0].id


def test_the_straight_path_from_the_first_question_to_the_filing() -> None:
    draft, numbers = BEGUN, []
    for message in FUND:
        said = taken(draft, message)
        draft = said.draft
        numbers.append(told(said).partition("Question ")[2].partition(".")[0])
    assert numbers == [f"{number}/7" for number in range(2, 8)] + [""]
    assert DIALOGUE.verdict(draft).status is Status.MET
    assert sentence("verdict_met") in told(said)
    assert steps(said.said) == ["form", "change", "stop"]

    said = taken(draft, "préparer ma candidature")
    assert said.draft.form and current(said.draft) == "siret"
    draft, numbers = said.draft, []
    for message in FORM:
        said = taken(draft, message)
        draft = said.draft
        numbers.append(told(said).partition("Question ")[2].partition(".")[0])
    assert numbers == [f"{number}/13" for number in range(2, 14)] + [""]
    assert DIALOGUE.complete(draft) and DIALOGUE.missing(draft) == ()
    assert sentence("summary_ready") in told(said)
    assert steps(said.said)[0] == "file"

    said = taken(draft, "déposer")
    assert said.draft.pending == "file" and said.effect is None
    assert "mairie@exemple.fr" in told(said) and "prefecture@example.fr" in told(said)
    assert plain(load_form().consent) in told(said)
    said = taken(said.draft, "oui")
    assert said.effect is Effect.FILE
    assert said.draft == replace(draft, pending=None)


def test_yes_goes_where_the_verdict_and_the_summary_lead() -> None:
    verdict = taken(BEGUN, *FUND).draft
    for yes in ("oui", "ok", "D'accord"):
        opened = taken(verdict, yes)
        assert opened.draft.form and current(opened.draft) == "siret", yes
    # Not any more once something else was said.
    assert turn(replace(verdict, pending=None), "oui") is None
    whole = taken(OPENED, *FORM).draft
    consent = taken(whole, "oui")
    assert consent.draft.pending == "file" and consent.effect is None
    assert taken(consent.draft, "oui").effect is Effect.FILE
    # What lacks is asked for first.
    lacking = taken(OPENED, "/skip:siret", *FORM[1:]).draft
    assert current(taken(lacking, "oui").draft) == "siret"
    # Elsewhere nothing follows.
    other = DIALOGUE.begin("aidants_connect", TODAY).draft
    while current(other):
        other = taken(other, "/skip").draft
    assert turn(other, "oui") is None


def test_the_buttons_lead_as_far_as_words_do() -> None:
    draft = BEGUN
    for step in (
        "/answer:porteur=commune",
        "/answer:lieu=37218",
        "/answer:projet=formation",
        "/answer:decision=deliberation",
    ):
        draft = taken(draft, step).draft
    typed = taken(BEGUN, *FUND[:4]).draft
    assert draft == typed


def test_what_is_pressed_needs_no_echo_and_what_is_read_from_words_does() -> None:
    assert told(taken(BEGUN, "/answer:porteur=commune")).startswith("Question 2/7.")
    assert told(taken(BEGUN, "une commune")).startswith("Question 2/7.")
    assert told(taken(BEGUN, "la mairie")).startswith("C'est noté : Une commune.")
    said = taken(BEGUN, "la mairie", "st flovier")
    assert told(said).startswith("C'est noté : Saint-Flovier (INSEE 37218), 576 habitants")


def test_what_follows_from_the_questionnaire_is_not_asked_again() -> None:
    assert OPENED.state.answers["thematique"] == "thematique_3b"
    assert OPENED.state.answers["cout_materiel"] == 0
    asked = {one.id for one in DIALOGUE.interview("fonds", form=True).asked(OPENED.state)}
    assert "nom" not in asked


def test_a_verdict_names_what_else_fits() -> None:
    said = taken(BEGUN, "une commune", "Chinon", "aider les habitants", "non", "fin 2022").said
    assert "ask:definition/conseiller_numerique" in steps(said)


# « Pourquoi ? », « retour », « où j'en suis »


def test_why_is_answered_and_the_question_asked_again() -> None:
    said = taken(BEGUN, "pourquoi ?")
    question = DIALOGUE.questionnaires["fonds"].question("porteur")
    assert told(said).startswith(plain(question.why))
    assert plain(question.text) in told(said)
    assert said.draft == BEGUN


def test_why_of_a_group_is_its_own() -> None:
    draft = taken(OPENED, FORM[0]).draft
    assert told(taken(draft, "à quoi ça sert")).startswith(plain(load_form().groups[0].why))


def test_why_means_nothing_where_nothing_is_asked() -> None:
    assert turn(ASKED, "pourquoi ?") is None
    assert turn(WHOLE, "/why") is None


def test_back_asks_again_what_was_answered_last() -> None:
    draft = taken(BEGUN, *FUND[:3]).draft
    said = taken(draft, "retour")
    assert current(said.draft) == "projet"
    said = taken(said.draft, "retour")
    assert current(said.draft) == "lieu"
    assert dict(said.draft.state.answers) == {"porteur": "commune"}
    assert said.draft.state == State({"porteur": "commune"}, ("porteur",))
    assert said.draft.kept.keys() == {"lieu", "population", "projet"}


def test_what_one_goes_back_to_is_shown_and_may_be_kept() -> None:
    draft = taken(OPENED, *FORM[:4]).draft
    said = taken(draft, "retour")
    assert "Réponse actuelle : Former les agents" in told(said) and "keep" in steps(said.said)
    said = taken(said.draft, "retour")
    assert "Réponse actuelle : Secrétaire de mairie, Dominique, Petit, mairie@" in told(said)
    for kept in ("/keep", "où j'en suis", "arrêter"):
        assert taken(said.draft, kept).draft.state.answers == draft.state.answers
    # Another answer, and what came after it is asked again, with what it was.
    said = taken(said.draft, "Agent, Ana Diaz, ana@avoine.fr")
    assert current(said.draft) == "titre" and "Réponse actuelle : Former les agents" in told(said)
    answers = taken(said.draft, "/keep").draft.state.answers
    assert answers["contact_nom"] == "Diaz" and answers["titre"] == draft.state.answers["titre"]
    assert "contact_telephone" not in taken(said.draft, "/keep").draft.kept


def test_an_answer_that_no_longer_matters_does_not_come_back() -> None:
    draft = taken(BEGUN, "une association", "oui, seulement", "850h").draft
    said = taken(draft, "retour", "retour", "retour", "une commune", "Saint-Flovier", "/keep")
    assert "financement" not in said.draft.state.answers
    assert said.draft.state.answers["population"] == 576


def test_back_takes_a_group_as_one_answer() -> None:
    draft = taken(OPENED, *FORM[:3]).draft
    said = taken(draft, "retour")
    assert current(said.draft) == "contact_fonction"
    assert not [name for name in said.draft.state.given if name.startswith("contact")]
    assert "Qui la préfecture peut-elle contacter" in told(said)
    assert taken(said.draft, FORM[2]).draft == draft


def test_back_at_the_first_question_says_so() -> None:
    said = taken(BEGUN, "retour")
    assert told(said).startswith(sentence("nothing_before"))
    assert said.draft == BEGUN


def test_back_goes_from_the_form_into_the_questionnaire() -> None:
    said = taken(OPENED, "retour")
    assert said.draft.form and current(said.draft) == "licences"
    said = taken(said.draft, "retour")
    assert current(said.draft) == "materiel"
    said = taken(said.draft, "non", "non")
    assert current(said.draft) == "siret"


def test_back_leaves_what_follows_from_other_answers() -> None:
    draft = taken(OPENED, "retour", "non").draft
    assert draft.state.answers == OPENED.state.answers
    assert current(taken(draft, *FORM[:4]).draft) == "description"


def test_back_from_the_verdict_and_from_the_summary() -> None:
    assert current(taken(ASKED, "retour").draft) == "licences"
    assert current(taken(WHOLE, "retour").draft) == "cofinanceurs"


def test_where_one_stands() -> None:
    said = taken(BEGUN, "où j'en suis")
    assert sentence("where_none") in told(said)
    draft = taken(BEGUN, *FUND[:2], "/skip").draft
    said = taken(draft, "où j'en suis")
    assert "• Porteur : Une commune" in told(said)
    assert "• Commune ou intercommunalité : Saint-Flovier (INSEE 37218)" in told(said)
    assert "• Nature du projet : à confirmer" in told(said)
    assert told(said).count("Question ") == 1
    assert said.draft == draft


def test_where_one_stands_at_the_end_is_the_verdict_or_the_whole_summary() -> None:
    assert sentence("verdict_met") in told(taken(ASKED, "récapitulatif"))
    said = taken(WHOLE, "récapitulatif").said
    assert said == DIALOGUE.summary(WHOLE)
    for section in load_form().sections:
        assert section.title in said.text


def test_a_candidature_that_has_a_title_is_called_by_it() -> None:
    assert DIALOGUE.title(BEGUN) == DIALOGUE.questionnaires["fonds"].title
    assert DIALOGUE.title(WHOLE) == FORM[3]
    assert FORM[3] in told(DIALOGUE.resumed(WHOLE, TODAY))


# Corrections


def test_an_answer_of_the_questionnaire_is_corrected_in_passing() -> None:
    draft = taken(BEGUN, *FUND[:4]).draft
    said = taken(draft, "en fait nous sommes 1 200 habitants")
    assert told(said).startswith("C'est corrigé : 1 200 habitants.")
    assert said.draft.state.answers == {**draft.state.answers, "population": 1200}
    assert current(said.draft) == "resultats"


def test_an_answer_of_the_form_is_corrected_in_passing() -> None:
    said = taken(WHOLE, "en fait le coût total est de 15 000 €")
    assert told(said).startswith("C'est corrigé : 15 000 €.")
    assert said.draft.state.answers["cout"] == 15_000
    assert DIALOGUE.complete(said.draft)
    said = taken(WHOLE, "en fait on demande 9 000 €")
    assert said.draft.state.answers["montant"] == 9_000


def test_a_correction_may_ask_for_more() -> None:
    said = taken(ASKED, "finalement c'est une association")
    assert "lieu" not in said.draft.state.answers
    assert current(said.draft) == "financement"


@pytest.mark.parametrize("said", ["oui", "Ok !", "d'accord", "non", "Non merci"])
@pytest.mark.parametrize("asked", ["titre", "description", "usagers"])
def test_yes_and_no_are_no_words_of_a_project(asked: str, said: str) -> None:
    draft = taken(OPENED, *FORM[: {"titre": 3, "description": 4, "usagers": 5}[asked]]).draft
    after = taken(draft, said)
    assert "J'attends quelques mots." in told(after)
    assert current(after.draft) == asked and asked not in after.draft.state.answers


def test_no_answers_what_need_not_be_told_and_yes_does_not() -> None:
    draft = taken(OPENED, *FORM[:8]).draft
    assert current(draft) == "mutualisation"
    assert current(taken(draft, "oui").draft) == "mutualisation"
    assert taken(draft, "non").draft.state.answers["mutualisation"] == "non"


# A question, an act, or nothing at all, in the middle


@pytest.mark.parametrize(
    "meaning",
    [
        Meaning(asks=True, confidence=0.95),
        Meaning(asks=True, act="help", confidence=0.95),
        Meaning(act="thank", confidence=0.95),
        Meaning(confidence=0.95),
    ],
)
@pytest.mark.parametrize("draft", [BEGUN, taken(BEGUN, *FUND[:2]).draft])
def test_what_is_no_answer_is_left_to_others(draft: Draft, meaning: Meaning) -> None:
    before = as_json(draft)
    text = "Qui peut candidater au fonds ?"
    assert DIALOGUE.hear(draft, text, meaning, TODAY) is None
    assert as_json(draft) == before


def test_a_question_is_no_free_text_and_free_text_no_question() -> None:
    draft = taken(OPENED, *FORM[:3]).draft
    assert current(draft) == "titre"
    asks = Meaning(asks=True, confidence=0.95)
    assert DIALOGUE.hear(draft, "Quelle est la date limite ?", asks, TODAY) is None
    stated = Meaning(confidence=0.95)
    said = DIALOGUE.hear(draft, "Former les agents au numérique", stated, TODAY)
    assert said is not None and said.draft.state.answers["titre"]


def test_a_greeting_is_no_title() -> None:
    draft = taken(OPENED, *FORM[:3]).draft
    assert DIALOGUE.hear(draft, "merci", Meaning(act="thank", confidence=0.95), TODAY) is None
    unsure = Meaning(act="thank", confidence=0.5)
    assert DIALOGUE.hear(draft, "Merci le numérique", unsure, TODAY) is not None


def test_nothing_is_taken_where_nothing_is_asked() -> None:
    assert DIALOGUE.hear(ASKED, "bof", Meaning(), TODAY) is None
    assert DIALOGUE.hear(WHOLE, "bof", Meaning(), TODAY) is None


# Misses


def test_three_misses_are_explained_and_a_person_is_offered() -> None:
    draft = BEGUN
    for number, message in enumerate(("bof", "euh", "hum"), 1):
        said = taken(draft, message)
        draft = said.draft
        stuck = number >= STUCK
        assert draft.state.misses == number
        assert ("ce n'est pas grave" in told(said)) is stuck
        assert ("ask:human_handoff" in steps(said.said)) is stuck
        assert "answer:porteur=commune" in steps(said.said)
        assert "skip:porteur" in steps(said.said)
    question = DIALOGUE.questionnaires["fonds"].question("porteur")
    assert plain(question.why) in told(said)


@pytest.mark.parametrize("message", ["la mairie", "/answer:porteur=epci", "/skip:porteur"])
def test_misses_are_forgotten_after_an_answer(message: str) -> None:
    assert taken(BEGUN, "bof", "euh", message).draft.state.misses == 0


def test_misses_in_a_group() -> None:
    draft = taken(OPENED, FORM[0]).draft
    said = taken(draft, "12", "34", "56")
    assert "ce n'est pas grave" in told(said)
    assert steps(said.said) == ["skip:representant_fonction", "ask:human_handoff"]
    assert taken(said.draft, FORM[1]).draft.state.misses == 0


# Not to know, to leave for later


@pytest.mark.parametrize("message", ["je ne sais pas", "/skip", "passer", "aucune idée"])
def test_what_is_not_known_is_to_be_confirmed(message: str) -> None:
    draft = BEGUN
    for _ in range(len(DIALOGUE.questionnaires["fonds"].questions)):
        if current(draft):
            said = taken(draft, message)
            assert sentence("noted_unknown") in told(said)
            draft = said.draft
    assert DIALOGUE.verdict(draft).status is Status.TO_CONFIRM
    assert sentence("verdict_to_confirm") in told(said)
    assert turn(draft, message) is None


def test_a_needed_answer_left_for_later_is_missing_and_asked_again() -> None:
    said = taken(OPENED, "/skip:siret")
    assert sentence("noted_missing") in told(said)
    said = taken(said.draft, *FORM[1:])
    assert not DIALOGUE.complete(said.draft)
    assert "Il manque, pour la déposer : SIRET." in told(said)
    assert "• SIRET : à compléter" in told(said)
    assert steps(said.said)[0] == "complete"
    said = taken(said.draft, "/complete")
    assert current(said.draft) == "siret"
    said = taken(said.draft, FORM[0])
    assert DIALOGUE.complete(said.draft)
    assert said.draft.state.answers == WHOLE.state.answers


def test_what_need_not_be_told_may_be_passed() -> None:
    draft = taken(OPENED, *FORM[:8]).draft
    assert current(draft) == "mutualisation"
    said = taken(draft, "/skip:mutualisation")
    assert told(said).startswith(sentence("noted_skipped"))
    said = taken(said.draft, *FORM[9:])
    assert DIALOGUE.complete(said.draft)
    assert "• Mutualisation : non renseigné" in told(said)


def test_a_group_is_left_for_later_as_one() -> None:
    draft = taken(OPENED, *FORM[:7]).draft
    said = taken(draft, "/skip:debut")
    assert current(said.draft) == "mutualisation"
    said = taken(said.draft, *FORM[8:])
    assert DIALOGUE.missing(said.draft) == ("debut", "fin")
    said = taken(said.draft, "/complete")
    assert "De quand à quand" in told(said)


def test_what_was_not_known_and_is_needed_is_asked_when_the_form_begins() -> None:
    draft = taken(BEGUN, "une commune", "je ne sais pas", "850", *FUND[2:]).draft
    said = taken(draft, "/form")
    assert current(said.draft) == "lieu"
    assert current(taken(said.draft, "Saint-Flovier").draft) == "siret"


# Stopping, resuming, cancelling


@pytest.mark.parametrize("draft", [BEGUN, ASKED, OPENED, WHOLE])
def test_effects_that_the_caller_sees_to(draft: Draft) -> None:
    stopped = taken(draft, "arrêter")
    assert (stopped.effect, stopped.draft) == (Effect.STOP, replace(draft, pending=None))
    # To find the drafts there are is the caller's, too.
    assert DIALOGUE.command("reprendre mon dossier", open_draft=True) == "resume"
    assert DIALOGUE.press(draft, "resume", TODAY) is None


@pytest.mark.parametrize("message", ["oui", "Oui !", "je confirme", "/yes:cancel"])
def test_cancelling_is_confirmed(message: str) -> None:
    asked = taken(ASKED, "annuler")
    assert asked.effect is None and asked.draft.pending == "cancel"
    assert steps(asked.said) == ["yes:cancel", "no:cancel"]
    cancelled = taken(asked.draft, message)
    assert cancelled.effect is Effect.CANCEL
    assert cancelled.draft == Draft("fonds")
    assert told(cancelled) == sentence("cancelled")


@pytest.mark.parametrize("message", ["non", "garder", "/no:cancel"])
def test_cancelling_may_be_declined(message: str) -> None:
    draft = taken(BEGUN, *FUND[:2]).draft
    kept = taken(draft, "annuler", message)
    assert kept.effect is None and kept.draft == draft
    assert told(kept).startswith(sentence("kept"))
    assert "Que voulez-vous faire" in told(kept)


@pytest.mark.parametrize("message", ["st flovier", "/why", "bof", "retour"])
def test_another_message_forgets_what_was_to_be_confirmed(message: str) -> None:
    draft = taken(BEGUN, "une commune", "annuler").draft
    after = taken(draft, message).draft
    assert after.pending is None
    later = turn(after, "oui")
    assert later is None or later.effect is None


def test_filing_may_be_declined() -> None:
    for message in ("non", "/no:file"):
        said = taken(WHOLE, "/file", message)
        assert said.effect is None and said.draft == replace(WHOLE, pending=None)
        assert told(said).startswith("Très bien, rien n'est envoyé.")
        assert "file" in [button.step for button in said.said.buttons]


def test_a_draft_taken_up_again_asks_what_it_asked() -> None:
    draft = taken(BEGUN, *FUND[:2], "annuler").draft
    said = DIALOGUE.resumed(draft, TODAY)
    assert said.draft == taken(BEGUN, *FUND[:2]).draft
    assert "Question 3/7" in told(said)


def test_what_waits_for_an_answer() -> None:
    asked = DIALOGUE.prompt(BEGUN)
    assert asked is not None and asked.text.startswith("Question 1/7.")
    verdict, summary = DIALOGUE.prompt(ASKED), DIALOGUE.prompt(WHOLE)
    assert verdict is not None and steps(verdict) == ["form"]
    assert summary is not None and steps(summary) == ["where", "file"]
    other = taken(DIALOGUE.begin("aidants_connect", TODAY).draft, "/skip", "/skip").draft
    assert DIALOGUE.prompt(other) is None


# Changing an answer


def test_one_chooses_what_to_change() -> None:
    said = taken(ASKED, "modifier une réponse").said
    assert "change:projet" in steps(said) and steps(said)[-1] == "where"
    said = taken(WHOLE, "modifier").said
    sections = [f"change:section.{one.id}" for one in load_form().sections]
    assert steps(said) == [*sections, "where"]
    said = taken(WHOLE, "/change:section.financement").said
    assert {"change:cout", "change:montant", "change:materiel"} <= set(steps(said))


def test_nothing_to_change_yet() -> None:
    said = taken(BEGUN, "modifier")
    assert told(said).startswith(sentence("where_none"))
    assert said.draft == BEGUN


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("changer le titre", "change:titre"),
        ("je voudrais modifier le SIRET", "change:siret"),
        ("corriger le coût total", "change:cout"),
        ("modifier la description", "change:description"),
        ("modifier le nom", None),
        ("changer de voiture", None),
        ("modifier " + "le titre " * 20, None),
    ],
)
def test_one_names_what_to_change(text: str, step: str | None) -> None:
    assert DIALOGUE.command(text, open_draft=True) == step
    assert DIALOGUE.command(text, open_draft=False) is None


@pytest.mark.parametrize("step", ["/keep", "où j'en suis", "arrêter", "/file", None])
def test_an_answer_that_is_asked_again_comes_back(step: str | None) -> None:
    asked = taken(WHOLE, "/change:cout")
    assert current(asked.draft) == "cout"
    assert "Réponse actuelle : 12 500 €" in told(asked)
    assert "keep" in steps(asked.said)
    resumed = DIALOGUE.resumed(asked.draft, TODAY)
    after = (taken(asked.draft, step) if step else resumed).draft
    assert not after.kept
    assert after.state.answers == WHOLE.state.answers
    assert set(after.state.given) == set(WHOLE.state.given)


def test_an_answer_is_replaced() -> None:
    said = taken(WHOLE, "/change:titre", "Un portail")
    assert said.draft.state.answers == {**WHOLE.state.answers, "titre": "Un portail"}
    assert not said.draft.kept and DIALOGUE.complete(said.draft)


def test_what_is_being_changed_may_be_missed() -> None:
    said = taken(WHOLE, "/change:cout", "bof")
    assert current(said.draft) == "cout" and said.draft.kept
    assert "keep" in steps(said.said)


def test_a_cost_under_the_sum_asked_asks_for_it_again() -> None:
    said = taken(WHOLE, "/change:cout", "5 000 €")
    assert "Du coup, je vous redemande : Aide demandée." in told(said)
    assert current(said.draft) == "montant"
    assert not DIALOGUE.complete(said.draft)
    refused = taken(said.draft, "6 000 €")
    assert "C'est trop : 5 000 € au plus" in told(refused)
    assert DIALOGUE.complete(taken(refused.draft, "4 000 €").draft)


def test_another_place_drops_the_siret_of_the_first() -> None:
    said = taken(WHOLE, "en fait la commune c'est Chinon")
    assert "SIRET" in told(said) and current(said.draft) == "siret"


def test_files_are_told_and_removed() -> None:
    draft = replace(WHOLE, attachments={1: "devis.pdf", 2: "plan.png"})
    assert "devis.pdf, plan.png" in DIALOGUE.summary(draft).text
    assert "change:section.pieces" in steps(taken(draft, "/change").said)
    assert steps(taken(draft, "/change:section.pieces").said)[:2] == ["detach:1", "detach:2"]
    said = taken(draft, "/detach:1")
    assert said.effect is Effect.DETACH and said.draft.attachments == {2: "plan.png"}
    assert "devis.pdf" in told(taken(draft, "/attached:1"))


# Steps that mean nothing any more


INVENTED = (
    "",
    ":",
    "nope",
    "nope:x",
    "answer",
    "answer:",
    "answer:porteur",
    "answer:porteur=",
    "answer:porteur=jamais",
    "answer:nope=commune",
    "answer:population=abc",
    "answer:population=" + "9" * 9_000,
    "answer:montant=abc",
    "answer:cout=",
    "answer:debut=abc",
    "answer:debut=2022-02-31",
    "change:nope",
    "yes",
    "no",
    "yes:nope",
    "reference",
    "x" * 10_000,
    "answer:" + "x" * 10_000,
    "answer:montant=" + "é" * 10_000,
    "'; DROP TABLE drafts; --",
)
OLD = ("skip:nope", "skip:siret2", "change:nom", "keep", "same", "yes:nope")


@pytest.mark.parametrize("draft", [BEGUN, ASKED, OPENED, WHOLE], ids=range(4))
@pytest.mark.parametrize("step", INVENTED, ids=range(len(INVENTED)))
def test_an_invented_step_means_nothing(draft: Draft, step: str) -> None:
    before = as_json(draft)
    assert DIALOGUE.press(draft, step, TODAY) is None
    assert as_json(draft) == before


@pytest.mark.parametrize("draft", [BEGUN, OPENED, WHOLE], ids=range(3))
@pytest.mark.parametrize("step", OLD)
def test_an_old_step_changes_nothing(draft: Draft, step: str) -> None:
    said = DIALOGUE.press(draft, step, TODAY)
    if said is not None:
        assert said.draft == draft and said.effect is None
        assert told(said)


def test_an_old_button_of_what_has_its_answer_changes_nothing() -> None:
    draft = taken(BEGUN, *FUND[:3]).draft
    said = taken(draft, "/skip:porteur")
    assert said.draft == draft and "Question 4/7" in told(said)


@pytest.mark.parametrize("question", ["cout", "montant"])
@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-5", "1e30", "1e999999"])
def test_a_pressed_sum_is_one(question: str, value: str) -> None:
    said = DIALOGUE.press(WHOLE, f"answer:{question}={value}", TODAY)
    assert said is None or said.draft.state.answers == WHOLE.state.answers


@pytest.mark.parametrize(
    "step",
    [
        "answer:siret=1",
        "answer:siret=21370072700018",  # Chinon's
        "answer:contact_email=x",
        "answer:titre=",
        "answer:titre=" + "x" * 10_000,
        "answer:lieu=" + "x" * 10_000,
        "answer:montant=99999999",
        "answer:fin=2000-01-01",
        "answer:debut=0001-01-01",
        "answer:population=-3",
    ],
    ids=range(10),
)
def test_a_pressed_value_is_checked_as_a_typed_one(step: str) -> None:
    said = DIALOGUE.press(WHOLE, step, TODAY)
    name = step.removeprefix("answer:").partition("=")[0]
    assert said is None or said.draft.state.answers.get(name) == WHOLE.state.answers[name]


def test_where_one_is_asked_what_to_change_one_may_name_it_or_say_what_it_becomes() -> None:
    draft = taken(OPENED, *FORM[:3]).draft
    assert current(draft) == "titre"
    said = taken(draft, "changer le représentant", "Maire, Claudine Moreau")
    assert told(said).startswith("C'est corrigé : Maire, Claudine Moreau.")
    assert "titre" not in said.draft.state.answers
    said = taken(draft, "modifier", "le siret")
    assert current(said.draft) == "siret"
    said = taken(draft, "modifier", "le contact", "nouvelle@exemple.fr")
    assert said.draft.state.answers["contact_email"] == "nouvelle@exemple.fr"
    # What is neither is no title: one is asked again, and may go on.
    said = taken(draft, "modifier", "bof")
    assert told(said) == sentence("change") and said.draft.state == draft.state
    assert current(taken(said.draft, "/where").draft) == "titre"
    assert current(taken(draft, "modifier", "non").draft) == "titre"
    # A question is a question, and thanks are thanks.
    thanks = Meaning(act="thank", confidence=0.95)
    assert turn(taken(draft, "modifier").draft, "merci", thanks) is None
    assert turn(taken(draft, "modifier").draft, "C'est combien ?", Meaning(asks=True)) is None


def test_no_leaves_out_what_need_not_be_told() -> None:
    draft = taken(OPENED, *FORM[:2], "la même personne, mairie@exemple.fr").draft
    asked = taken(draft, "changer le téléphone").draft
    asked = (
        asked
        if current(asked) == "contact_telephone"
        else taken(
            replace(
                draft,
                state=DIALOGUE.interview("fonds", form=True).again(
                    draft.state, "contact_telephone"
                ),
            ),
            "où j'en suis",
        ).draft
    )
    assert current(asked) == "contact_telephone"
    said = taken(asked, "non")
    assert told(said).startswith(sentence("noted_skipped"))
    assert current(said.draft) == "titre"
    # What is needed is not so left out.
    assert current(taken(OPENED, "non").draft) == "siret"


def test_the_words_of_a_question_are_explained_however_one_asks() -> None:
    for asked in ("c koi un siret", "où trouver le SIRET ?", "c'est quoi le siret"):
        assert "14 chiffres" in told(taken(OPENED, asked)), asked
    assert current(taken(OPENED, "je l'ai pas sous la main").draft) == "representant_fonction"


# Places


def test_several_places_are_buttons() -> None:
    draft = taken(BEGUN, "une commune").draft
    said = taken(draft, "azay")
    assert steps(said.said) == [
        "answer:lieu=37014",
        "answer:lieu=37015",
        "answer:lieu=37016",
        "skip:lieu",
    ]
    assert taken(said.draft, "/answer:lieu=37015").draft.state.answers["lieu"] == "37015"


def test_too_many_places_are_no_buttons() -> None:
    said = taken(BEGUN, "une commune", "saint").said
    assert "Beaucoup de noms" in said.text and steps(said) == ["skip:lieu"]


def test_elsewhere_one_is_told_the_prefecture_and_may_go_on() -> None:
    draft = taken(BEGUN, "une commune").draft
    said = taken(draft, "Troyes")
    assert "la préfecture de l'Aube" in told(said)
    assert steps(said.said) == ["answer:lieu=Troyes", "skip:lieu"]
    said = taken(said.draft, "/answer:lieu=Troyes")
    assert current(said.draft) == "population"
    said = taken(said.draft, "61 000")
    assert said.draft.state.answers["population"] == 61_000
    assert "intercommunalité : Troyes" in told(taken(said.draft, "où j'en suis"))


def test_an_epci() -> None:
    said = taken(BEGUN, "comcom", "Loches Sud Touraine")
    assert said.draft.state.answers["lieu"] == "200071587"
    assert "SIREN 200071587" in told(said)
    assert current(said.draft) == "projet"


def test_a_commune_for_an_epci_is_not_taken_and_both_ways_out_are_offered() -> None:
    draft = taken(BEGUN, "une intercommunalité").draft
    said = taken(draft, "Saint-Flovier")
    assert "est une intercommunalité, mais ce nom n'en est pas une : Saint-Flovier" in told(said)
    commune = "answer:porteur=commune&lieu=37218"
    assert steps(said.said) == ["answer:lieu=200071587", commune, "skip:lieu"]
    assert taken(said.draft, "/answer:lieu=200071587").draft.state.answers["porteur"] == "epci"
    answers = taken(said.draft, f"/{commune}").draft.state.answers
    assert (answers["porteur"], answers["lieu"], answers["population"]) == ("commune", "37218", 576)


def test_an_epci_for_a_commune_is_not_taken() -> None:
    said = taken(BEGUN, "une commune", "comcom Loches Sud Touraine")
    assert "le porteur est une commune" in told(said)
    assert steps(said.said) == ["answer:porteur=epci&lieu=200071587", "skip:lieu"]
    answers = taken(said.draft, "/answer:porteur=epci&lieu=200071587").draft.state.answers
    assert (answers["porteur"], answers["lieu"]) == ("epci", "200071587")
    corrected = told(taken(said.draft, "/answer:porteur=epci&lieu=200071587"))
    assert corrected.startswith("C'est corrigé : Communauté de communes Loches Sud Touraine")
    invented = taken(said.draft, "/answer:porteur=epci&lieu=37218")
    assert "lieu" not in invented.draft.state.answers and current(invented.draft) == "lieu"


def test_the_carrier_is_corrected_where_its_place_is_asked() -> None:
    draft = taken(BEGUN, "une intercommunalité").draft
    said = taken(draft, "on est la commune de Bléré en fait")
    answers = said.draft.state.answers
    assert (answers["porteur"], answers["lieu"]) == ("commune", "37027")
    draft = taken(BEGUN, "une commune").draft
    said = taken(draft, "c une comcom en fait")
    assert said.draft.state.answers == {"porteur": "epci"} and current(said.draft) == "lieu"
    # Not by a name alone.
    assert taken(draft, "comcom Loches Sud Touraine").draft.state.answers == {"porteur": "commune"}


def test_the_carrier_and_its_place_are_corrected_later_too() -> None:
    said = taken(BEGUN, "une intercommunalité", "comcom Loches Sud Touraine")
    said = taken(said.draft, "en fait on est la commune de Ligueil")
    answers = said.draft.state.answers
    assert (answers["porteur"], answers["lieu"], current(said.draft)) == (
        "commune",
        "37130",
        "projet",
    )
    assert "Ligueil" in told(said)


def test_what_answers_another_question_than_the_one_asked_is_told() -> None:
    said = taken(BEGUN, "une commune", "former nos agents")
    assert told(said).startswith("C'est noté : Former nos agents.")
    assert current(said.draft) == "lieu"


def test_another_carrier_has_another_name_and_population() -> None:
    said = taken(ASKED, "changer le porteur", "une intercommunalité")
    answers = said.draft.state.answers
    assert answers["porteur"] == "epci" and not {"lieu", "population"} & answers.keys()
    assert "je vous redemande : Commune ou intercommunalité." in told(said)
    assert current(said.draft) == "lieu"
    assert turn(said.draft, "/answer:lieu=37218") is None  # a button that was there before
    said = taken(said.draft, "Loches Sud Touraine")
    assert said.draft.state.answers["population"] != ASKED.state.answers["population"]
    assert current(said.draft) is None


def test_the_name_of_a_place_elsewhere_is_found_in_a_sentence() -> None:
    said = taken(BEGUN, "une commune", "nous sommes à Troyes").said
    assert said.buttons[0].step.removeprefix("answer:lieu=") == "Troyes"


# Filing


INCOMPLETE = {
    "questionnaire begun": BEGUN,
    "questionnaire answered": ASKED,
    "form begun": OPENED,
    "siret left": taken(OPENED, "/skip:siret", *FORM[1:]).draft,
    "sum dropped": taken(WHOLE, "/change:cout", "5 000 €").draft,
    "another questionnaire": DIALOGUE.begin("aidants_connect", TODAY).draft,
}


@pytest.mark.parametrize("draft", INCOMPLETE.values(), ids=INCOMPLETE.keys())
@pytest.mark.parametrize(
    "messages",
    [
        ("/file",),
        ("/yes:file",),
        ("/file", "oui"),
        ("/file", "/yes:file"),
        ("/cancel", "/yes:file"),
        ("déposer", "j'accepte"),
    ],
)
def test_what_is_incomplete_is_never_filed(draft: Draft, messages: tuple[str, ...]) -> None:
    for message in messages:
        said = turn(draft, message)
        if said is not None:
            assert said.effect is None
            assert said.draft.pending != "file"
            draft = said.draft


def test_an_incomplete_candidature_is_told_what_it_misses() -> None:
    said = taken(INCOMPLETE["siret left"], "/file")
    assert told(said).startswith(sentence("not_filed"))
    assert "SIRET" in told(said) and steps(said.said)[0] == "complete"


def test_a_pending_agreement_files_nothing_that_became_incomplete() -> None:
    draft = replace(INCOMPLETE["siret left"], pending="file")
    assert taken(draft, "oui").effect is None


def test_what_is_not_eligible_may_be_filed_and_is_told_so() -> None:
    draft = taken(WHOLE, "/answer:licences=importante").draft
    said = DIALOGUE.summary(draft)
    assert sentence("not_eligible") in plain(said.text) and steps(said)[0] == "file"
    assert taken(draft, "/file", "oui").effect is Effect.FILE


def test_a_form_begins_with_its_questionnaire() -> None:
    for draft in (DIALOGUE.begin("aidants_connect", TODAY).draft, BEGUN):
        said = taken(draft, "préparer ma candidature")
        assert told(said).startswith(sentence("no_form"))
        assert said.draft == BEGUN
    assert taken(OPENED, "/form").draft == OPENED


@pytest.mark.parametrize("name", ["fonds", "aidants_connect"])
def test_no_summary_before_the_form(name: str) -> None:
    said = taken(DIALOGUE.begin(name, TODAY).draft, "/yes:file")
    assert sentence("summary_title") not in told(said)


# Faults shown


@pytest.mark.parametrize("step", ["/attached:9", "/attached:x", "/detach:9"])
def test_an_old_button_of_a_file_is_told_something(step: str) -> None:
    assert taken(WHOLE, step).said.text


@pytest.mark.parametrize(
    "messages",
    [
        (*FUND, "/change:projet", "/skip:projet", "/change:materiel"),
        (*FUND, "/change:projet", "je ne sais pas", "/change:licences"),
        (*FUND, "/change:porteur", "/skip:porteur", "/change:lieu"),
        (
            *("une association", "oui", "1 200 habitants", "former nos agents", "non", "fin 2022"),
            *("non", "non", "/change:porteur", "/skip:porteur", "/change:financement"),
        ),
    ],
    ids=["materiel", "licences", "lieu", "financement"],
)
def test_what_depends_on_what_is_not_known_may_be_changed(messages: tuple[str, ...]) -> None:
    assert told(taken(BEGUN, *messages))


@pytest.mark.parametrize(
    "messages",
    [
        ("/change:cout", "en fait l'aide demandée est de 20 000 €", "/keep"),
        ("/change:siret", "en fait la commune c'est Chinon", "/keep"),
    ],
    ids=["sum over the cost", "SIRET of another commune"],
)
def test_a_kept_answer_still_has_to_hold(messages: tuple[str, ...]) -> None:
    assert not DIALOGUE.complete(taken(WHOLE, *messages).draft)


@pytest.mark.parametrize(
    ("question", "follows"),
    [("lieu", "population"), ("materiel", "cout_materiel"), ("projet", "thematique")],
)
def test_what_followed_from_an_answer_goes_with_it(question: str, follows: str) -> None:
    draft = taken(WHOLE, f"/change:{question}", f"/skip:{question}").draft
    assert question not in draft.state.answers
    assert follows not in draft.state.answers


@pytest.mark.parametrize(
    ("text", "step"),
    [("changer le porteur", "change:porteur"), ("modifier la décision", "change:decision")],
)
def test_a_whole_label_names_its_question(text: str, step: str) -> None:
    assert DIALOGUE.command(text, open_draft=True) == step


def test_dates_without_a_year_are_told_that_they_want_one() -> None:
    said = taken(OPENED, *FORM[:7], "de mars à juin").said
    assert "année" in said.text.partition("Question")[0]


def test_dates_may_be_told_piece_by_piece() -> None:
    draft = taken(OPENED, *FORM[:7], "mars 2022").draft
    assert draft.state.answers["debut"] == dt.date(2022, 3, 1)


def test_the_most_that_equipment_costs_is_the_whole_cost() -> None:
    draft = taken(BEGUN, *FUND[:5], "oui un peu", "non", "/form", *FORM[:11]).draft
    assert current(draft) == "cout_materiel"
    assert "sans le matériel" not in told(taken(draft, "20 000 €"))


# Whatever is said


POOL = (
    *FUND,
    *FORM,
    *("azay", "Troyes", "comcom", "Loches Sud Touraine", "850h", "bof", "euh", "je ne sais pas"),
    *("en fait une association", "en fait nous sommes 1 200 habitants", "oui", "non", "retour"),
    *("en fait le coût est de 3 000 €", "la même personne", "où j'en suis", "pourquoi ?"),
    *("arrêter", "annuler", "déposer", "modifier", "changer le titre", "préparer ma candidature"),
    *("", " ", "\n", "🙂", "²", "\x00", "{x}", "{0}", "%s", "<b>x</b>", "[x](y)", "a" * 10_000),
    *("é " * 5_000, "0" * 400, "le 31 février 2022", "-5", "{" * 50, "mairie@", "@" * 300),
    *(f"/{step}" for step in (*INVENTED, *OLD)),
    *("/form", "/file", "/yes:file", "/no:file", "/cancel", "/yes:cancel", "/no:cancel", "/where"),
    *("/back", "/why", "/keep", "/same", "/complete", "/skip", "/stop", "/resume", "/attach"),
    *("/change", "/change:section.projet", "/change:section.pieces", "/detach:1"),
    *("/change:porteur", "/change:projet", "/change:cout", "/change:montant"),
    *("/change:titre", "/change:debut", "/change:contact_email", "/change:thematique"),
    *("/answer:porteur=epci", "/answer:porteur=personne_morale", "/answer:lieu=37015"),
    *("/answer:lieu=Troyes", "/answer:projet=etude", "/answer:materiel=partie"),
    *("/answer:cout=20000", "/answer:debut=2022-03-01", "/answer:decision=non"),
    *("/answer:cout=NaN", "/answer:cout=-5", "/answer:titre=", "/attached:9", "/attached:x"),
    *("/change:lieu", "/change:materiel", "/change:licences", "/change:financement"),
    *("/change:siret", "en fait la commune c'est Chinon", "continuer", "aucune idée"),
)
STARTS = (BEGUN, DIALOGUE.begin("conseiller_numerique", TODAY).draft, ASKED, OPENED, WHOLE)


@settings(deadline=None, max_examples=120)
@given(st.sampled_from(STARTS), st.lists(st.sampled_from(POOL), max_size=12))
def test_whatever_is_said_the_conversation_holds_together(
    draft: Draft, messages: list[str]
) -> None:
    for message in messages:
        said = turn(draft, message)
        if said is None:
            continue
        draft = said.draft
        assert told(said).strip() or said.effect, message
        for button in said.said.buttons:
            assert 0 < len(button.title) <= 60, button
            assert 0 < len(button.step) <= 400, button.step
        interview = DIALOGUE.interview(draft.questionnaire, form=draft.form)
        assert from_json(draft.questionnaire, as_json(draft), interview) == draft, message
        missing = DIALOGUE.missing(draft)
        assert not (DIALOGUE.complete(draft) and missing)
        if said.effect is Effect.FILE:
            assert DIALOGUE.complete(draft)
            assert {"siret", "titre", "contact_email", "montant"} <= draft.state.answers.keys()


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(STARTS), st.text(max_size=60))
def test_any_text_may_be_typed_or_pressed(draft: Draft, text: str) -> None:
    for said in (turn(draft, text), DIALOGUE.press(draft, text, TODAY)):
        assert said is None or told(said) or said.effect


def test_what_a_question_no_longer_knows_is_left_out() -> None:
    kept = as_json(WHOLE)
    kept["answers"] |= {"disparue": "x", "projet": "disparu", "population": "abc"}
    kept["given"].append("disparue")
    draft = from_json("fonds", kept, DIALOGUE.interview("fonds", form=True))
    assert not {"disparue", "projet", "population"} & {*draft.state.answers, *draft.state.given}
    assert current(draft) == "population"


@pytest.mark.parametrize("draft", [ASKED, OPENED, WHOLE, DIALOGUE.begin("fonds", TODAY).draft])
def test_the_words_of_a_button_do_what_it_does(draft: Draft) -> None:
    """Whoever types what a button says means the button."""
    prompt = DIALOGUE.prompt(draft)
    said = prompt if prompt and prompt.text else DIALOGUE.summary(draft)
    for button in said.buttons:
        if button.step.startswith("answer:"):
            continue
        step = DIALOGUE.command(button.title, open_draft=True)
        typed = DIALOGUE.press(draft, step, TODAY) if step else turn(draft, button.title)
        pressed = DIALOGUE.press(draft, button.step, TODAY)
        assert typed and pressed, button.title
        assert (typed.draft, typed.effect) == (pressed.draft, pressed.effect), button.title


def test_the_sum_asked_for_may_be_a_part_of_the_cost() -> None:
    asked = taken(WHOLE, "/change:cout", "20 000 €", "/change:montant").draft
    cost = asked.state.answers["cout"]
    assert isinstance(cost, Decimal)
    assert taken(asked, "80 %").draft.state.answers["montant"] == cost * 8 / 10
    assert taken(asked, "la moitié").draft.state.answers["montant"] == cost / 2
    assert taken(asked, "tout").draft.state.answers["montant"] == cost


def test_the_day_of_the_decision_is_a_day() -> None:
    asked = taken(WHOLE, "/change:date_decision").draft
    for text in ("2022", "courant 2022", "mars 2022"):
        assert "Il me faut le jour" in told(taken(asked, text))
    day = taken(asked, "14 mars 2022").draft.state.answers["date_decision"]
    assert day == dt.date(2022, 3, 14)


def test_a_cost_with_taxes_is_asked_without() -> None:
    assert "TTC" in told(taken(WHOLE, "/change:cout", "9 600 € TTC"))


def test_a_word_in_passing_changes_no_choice() -> None:
    said = turn(WHOLE, "finalement on demande 20 000 et le Département met 12 500")
    assert said is None or said.draft.state.answers["porteur"] == WHOLE.state.answers["porteur"]


def test_what_one_asks_of_the_question_is_answered() -> None:
    asked = taken(WHOLE, "/change:siret").draft
    assert "14 chiffres" in told(taken(asked, "c'est quoi un siret ?"))
    assert "nécessaire pour déposer" in told(taken(asked, "c'est obligatoire ?"))
    assert "pas obligatoire" in told(taken(WHOLE, "/change:exigences", "obligatoire ?"))
    assert "La préfecture est la seule à les recevoir" in told(
        taken(asked, "qui voit mes réponses ?")
    )
    assert taken(asked, "c'est quoi un siret ?").draft == asked


def test_a_doubt_at_the_consent_sends_nothing() -> None:
    asked = taken(WHOLE, "/file").draft
    for text in ("attendez", "non, pas encore", "je voudrais d'abord l'accord du maire"):
        said = taken(asked, text)
        assert said.effect is None and said.draft.pending is None
        assert "rien n'est envoyé" in told(said)


def test_back_from_a_change_keeps_the_answer() -> None:
    assert taken(WHOLE, "/change:decision", "retour").draft.state.answers == WHOLE.state.answers


def test_a_question_is_no_name() -> None:
    asked = taken(WHOLE, "/change:contact_fonction").draft
    meaning = Meaning(asks=True)
    assert DIALOGUE.hear(asked, "est-ce que ça coûte quelque chose ?", meaning, TODAY) is None


def test_a_change_may_tell_its_value() -> None:
    said = taken(WHOLE, "changer le titre en « Des agents à l'aise »")
    assert said.draft.state.answers["titre"] == "Des agents à l'aise"
    assert "change:contact_email" in steps(taken(WHOLE, "modifier le contact").said)
