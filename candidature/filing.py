"""From a complete draft to the candidature that is filed."""

from collections.abc import Sequence
from datetime import datetime

from candidature.dialogue import Dialogue
from candidature.draft import Draft, encoded
from candidature.evaluation import Status
from candidature.filed import Attached, CriterionTold, Filed, Line, Part
from candidature.wording import place_told


def applicant(dialogue: Dialogue, draft: Draft) -> str | None:
    """Return who applies, in a few words; `None` as long as it is not known."""
    answers = draft.state.answers
    name = answers.get("nom")
    place = answers.get("lieu")
    if name is None and place is not None:
        return place_told(str(place), dialogue.places)
    return None if name is None else str(name)


def as_filed(
    dialogue: Dialogue,
    draft: Draft,
    reference: str,
    now: datetime,
    attachments: Sequence[Attached] = (),
) -> Filed:
    """Return a complete draft as it is filed `now`, under `reference`."""
    answers = draft.state.answers
    words, form = dialogue.words, dialogue.form
    interview = dialogue.interview(draft.questionnaire, form=True)
    asked = interview.asked(draft.state)
    parts = []
    for section in form.sections:
        names = {*section.also, *(one.id for one in section.questions)}
        lines = tuple(
            Line(
                id=one.id,
                label=one.label,
                value=words.told(one, answers[one.id])
                if one.id in answers
                else words.unanswered(one, form=False),
            )
            for one in asked
            if one.id in names
        )
        if lines:
            parts.append(Part(title=section.title, lines=lines))
    verdict = dialogue.verdict(draft)
    questionnaire = dialogue.questionnaires[draft.questionnaire]
    return Filed(
        reference=reference,
        filed_at=now,
        title=str(answers["titre"]),
        applicant=applicant(dialogue, draft) or "",
        email=str(answers["contact_email"]),
        prefecture=words.prefecture,
        answers={name: encoded(value) for name, value in answers.items()},
        parts=tuple(parts),
        status=verdict.status,
        verdict=words.say(f"filed_{verdict.status}"),
        criteria=tuple(
            CriterionTold(
                id=one.id,
                title=one.title,
                status=status,
                told=one.advice if status is Status.NOT_MET else "",
                page=one.page,
            )
            for one, status in verdict.criteria
        ),
        conclusions=tuple(words.conclusions(verdict)),
        attachments=tuple(attachments),
        consent=form.consent,
        notices=tuple(words.notices(questionnaire, now.date())),
    )
