"""What is said of a whole candidature, and what of it may be changed."""

from dataclasses import replace

from candidature.draft import Draft
from candidature.interview import Interview, State
from candidature.wording import Button, Said, Words, paragraphs
from knowledge.form import Form, Section

PIECES = "pieces"
"""The part of a candidature that its files are."""


def summary(words: Words, form: Form, interview: Interview, draft: Draft, *, not_met: bool) -> Said:
    """Return a candidature, part by part, and what may be done with it.

    `not_met`: a criterion is not, which does not keep it from being filed.
    """
    parts = [_part(words, interview, draft, section) for section in form.sections]
    files = ", ".join(draft.attachments.values())
    parts.append(words.say("attachments" if files else "no_attachments", names=files))
    missing = interview.missing(draft.state)
    if missing:
        labels = ", ".join(interview.named(name).label for name in missing)
        end = words.say("summary_missing", labels=labels)
        first = words.button("complete_button", "complete")
    else:
        warning = words.say("not_eligible") if not_met else None
        end = paragraphs(warning, words.say("summary_ready"))
        first = words.button("file_button", "file")
    return Said(
        paragraphs(words.say("summary_title"), *parts, end),
        (
            first,
            words.button("change_button", "change"),
            words.button("attach_button", "attach"),
            words.button("stop_button", "stop"),
        ),
    )


def changes(
    words: Words, form: Form, interview: Interview, draft: Draft, section: str
) -> tuple[Button, ...]:
    """Return what may be changed of a part; without one, the parts, or all if it is little."""
    if section == PIECES:
        return tuple(
            Button(words.say("detach", name=name), f"detach:{number}")
            for number, name in draft.attachments.items()
        )
    sections = [one for one in form.sections if one.id == section]
    if draft.form and not sections:
        parts = [Button(one.title, f"change:section.{one.id}") for one in form.sections]
        files = words.button("pieces", f"change:section.{PIECES}")
        return (*parts, *([files] if draft.attachments else []))
    names = {name for one in sections for name in _names(one)}
    return tuple(
        Button(one.label, f"change:{one.id}")
        for one in interview.asked(draft.state)
        if one.id in draft.state.given and (not sections or one.id in names)
    )


def _names(section: Section) -> tuple[str, ...]:
    return (*section.also, *(one.id for one in section.questions))


def _part(words: Words, interview: Interview, draft: Draft, section: Section) -> str | None:
    """Return the answers of a part under its title; nothing if there is none."""
    names = _names(section)
    state = State(
        {name: one for name, one in draft.state.answers.items() if name in names},
        tuple(name for name in draft.state.given if name in names),
    )
    asked = [one for one in interview.asked(draft.state) if one.id in state.given]
    if not asked:
        return None
    lines = words.recap(asked, replace(draft, state=state))
    return f"{section.title}\n{lines}"
