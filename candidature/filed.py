"""A candidature as it is filed: everything that its document tells, and nothing that may change.

Made once, when it is filed, and kept as JSON: the PDF, the mail and the export
are made of it, so that they say the same whatever changes later.
"""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from candidature.evaluation import Status


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Frozen):
    """One answer: its name in the data, and what people read."""

    id: str
    label: str
    value: str


class Part(_Frozen):
    """Answers that belong together."""

    title: str
    lines: tuple[Line, ...]


class CriterionTold(_Frozen):
    """One criterion of the verdict; `page` is the sentence that it rests on.

    `told` is what would meet it, if it is not met; it may be empty.
    """

    id: str
    title: str
    status: Status
    told: str
    page: str


class Attached(_Frozen):
    """A file that goes with the candidature; `size` in bytes, `sha256` in hexadecimal."""

    name: str
    media_type: str
    size: int
    sha256: str


class Filed(_Frozen):
    """A candidature as it is filed.

    `answers` are for machines: choices by name, days as ISO 8601, sums in euros with
    their cents, places by INSEE code or SIREN. `parts` are the same for people, and what
    was not known is told there as such. `conclusions` name the axe, the
    thématique and the other dispositifs that fit. `consent` is the sentence
    that the person agreed to; `notices` are said wherever the verdict is.
    """

    version: Literal[1] = 1
    reference: str
    filed_at: AwareDatetime
    title: str
    applicant: str
    email: str
    prefecture: str
    answers: dict[str, str | int]
    parts: tuple[Part, ...]
    status: Status
    verdict: str
    criteria: tuple[CriterionTold, ...]
    conclusions: tuple[str, ...]
    attachments: tuple[Attached, ...] = ()
    consent: str
    notices: tuple[str, ...]
