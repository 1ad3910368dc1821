"""What is received for a pressed button, and what a channel can tell of one.

What begins with a slash is Rasa's, with an at sign the bot's own (`bot.reception`).
What a person types is neither: it is a text, without a payload.
"""

import json

ATTACH = "attach"
"""The step of a button where a channel that takes files lets one be chosen instead."""

HOUSE = "@"
"""How the payloads begin that the bot answers by itself."""
WELCOME, EXPORT, PRIVACY = "@welcome", "@export", "@privacy"
ERASE, ERASE_YES, ERASE_NO = "@erase", "@erase_yes", "@erase_no"
FILE, WORDLESS = "@file", "@wordless"
"""A file, and what is no text: its kind comes after a colon."""
EMPTY, TOO_LONG, OLD_EDIT = "@empty", "@too_long", "@old_edit"
"""What only gets a sentence, which has the same name."""


def payload(aspect: str, subject: str | None = None) -> str:
    """Return what Rasa receives for an aspect of a subject."""
    return f"/{aspect}" + (json.dumps({"subject": subject}) if subject else "")


def step_payload(step: str) -> str:
    """Return what Rasa receives for a step of a draft.

    Pressing a button says yes to what it offers; the step is all that counts.
    """
    return "/affirm" + json.dumps({"step": step}, ensure_ascii=False)


def chooses_file(pressed: str) -> bool:
    """Tell whether a button's payload is that of joining a file."""
    return pressed.startswith("/affirm{") and pressed.endswith(f':{ATTACH}"}}')


def payload_of(does: str) -> str:
    """Return what is received for what a command or a button of a channel does.

    >>> payload_of("@export"), payload_of("help"), payload_of("montant/axe_1")
    ('@export', '/help', '/montant{"subject": "axe_1"}')
    >>> payload_of("begin/fonds")
    '/affirm{"step": "0:begin:fonds"}'
    """
    if does.startswith(HOUSE):
        return does
    aspect, _, subject = does.partition("/")
    if aspect == "begin":
        return step_payload(f"0:begin:{subject}")
    if does in ("form", "resume"):
        return step_payload(f"0:{does}")
    return payload(aspect, subject or None)
