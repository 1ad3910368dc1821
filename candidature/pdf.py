"""The document of a candidature: a tagged PDF (PDF/UA-1), the same bytes for the same candidature.

What it looks like, and its fixed words, are in `document.typ`.
"""

import json
import re
import unicodedata
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import typst

from candidature.filed import Filed
from knowledge.typography import french

_TEMPLATE = Path(__file__).with_name("document.typ")
_PARIS = ZoneInfo("Europe/Paris")

SHOWN = (
    r"\n\u0020-\u007e\u00a0-\u00ac\u00ae-\u024f\u1e00-\u1eff"  # Latin
    r"\u0300-\u036f"  # accents that no single character has
    r"\u0386-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce\u0400-\u045f"  # Greek, Cyrillic
    r"\u05d0-\u05ea\u0621-\u063a\u0641-\u064a"  # Hebrew, Arabic
    r"\u2002-\u200a\u2010-\u2027\u202f-\u203a\u2044\u2070\u2071\u2074-\u208e"  # punctuation
    r"\u20a0-\u20bf\u2100-\u211e\u2120\u2122\u2153-\u2184"  # currencies, letters, fractions
    r"\u2190-\u22ff\u2460-\u2604\u2610-\u2612\u2639-\u2667\u2713\u2714\u2717\u2718"  # signs
)
"""The characters that Typst's own fonts have, as the inside of a class of a regular expression.

PDF/UA forbids to show a character that no font has: Typst fails on any other.
"""
REPLACEMENT = "□"
LONGEST = 24
"""How many characters always fit between two places where a line may break."""

_CUT = "\u200b"
_NOT_SHOWN = re.compile(f"[^{SHOWN}]")
_LINE_ENDS = re.compile("\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_PARAGRAPHS = re.compile(r"\n[^\S\n]*\n\s*")
# More would run over the lines above.
_ACCENTS = re.compile("([\u0300-\u036f]{2})[\u0300-\u036f]+")
_LONG_WORD = re.compile(rf"[^\s\u00a0\u202f]{{{LONGEST + 1},}}")
# An address is best cut after its punctuation; an accent stays with its letter.
_LETTER = r"(?:.[\u0300-\u036f]*)"
_PIECE = re.compile(rf"{_LETTER}{{1,{LONGEST - 1}}}[@./_&=?,;-]|{_LETTER}{{1,{LONGEST}}}")


def pdf(filed: Filed) -> bytes:
    """Return the document of a candidature.

    Raises:
        typst.TypstError: If Typst cannot make it.
    """
    shown = _Shown()
    at = filed.filed_at.astimezone(_PARIS)
    data: dict[str, object] = {
        "reference": shown(filed.reference),
        "filed_at": (at.year, at.month, at.day, at.hour, at.minute),
        "title": shown(french(filed.title)),
        "applicant": shown(french(filed.applicant)),
        "email": shown(filed.email),
        "prefecture": shown(filed.prefecture),
        "parts": [
            {
                "title": shown(french(part.title)),
                "lines": [
                    {"label": shown(french(line.label)), "value": shown(french(line.value))}
                    for line in part.lines
                ],
            }
            for part in filed.parts
        ],
        "verdict": shown(french(filed.verdict)),
        "criteria": [
            {
                "title": shown(french(one.title)),
                "status": one.status,
                "told": shown(french(one.told)),
                "page": shown(french(one.page)),
            }
            for one in filed.criteria
        ],
        "conclusions": [shown(french(one)) for one in filed.conclusions],
        "attachments": [
            {"name": shown(one.name), "media_type": one.media_type, "size": one.size}
            for one in filed.attachments
        ],
        "consent": shown(french(filed.consent)),
        "notices": [shown(french(one)) for one in filed.notices],
    }
    data["replaced"] = shown.replaced
    return typst.compile(
        _TEMPLATE,
        # Nothing else can be read.
        root=_TEMPLATE.parent,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"filed": json.dumps(data)},
        format="pdf",
        pdf_standards=["ua-1"],
        timestamp=int(filed.filed_at.timestamp()),
    )


@cache
def _fonts() -> typst.Fonts:
    """Return the fonts that come with Typst: no font of the machine."""
    return typst.Fonts(include_system_fonts=False)


class _Shown:
    """Makes texts ready for the template, and remembers whether something was replaced."""

    def __init__(self) -> None:
        self.replaced = False

    def __call__(self, text: str) -> str:
        """Return `text` in characters that the fonts have, its long words cut by U+200B.

        Paragraphs are parted by one empty line.
        """
        text = _LINE_ENDS.sub("\n", unicodedata.normalize("NFC", text)).replace("\t", " ")
        text = _ACCENTS.sub(r"\1", _NOT_SHOWN.sub(self._instead, text)).strip()
        return _LONG_WORD.sub(_cut, _PARAGRAPHS.sub("\n\n", text))

    def _instead(self, character: re.Match[str]) -> str:
        # What shows nothing by itself: controls, marks of direction, variants of an emoji.
        if unicodedata.category(character[0]) in {"Cc", "Cf", "Mn", "Me"}:
            return ""
        self.replaced = True
        return REPLACEMENT


def _cut(word: re.Match[str]) -> str:
    return _CUT.join(_PIECE.findall(word[0]))
