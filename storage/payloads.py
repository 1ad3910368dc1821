"""What Rasa receives for a pressed button, and what a channel can tell of one."""

import json

ATTACH = "attach"
"""The step of a button where a channel that takes files lets one be chosen instead."""


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
