"""Takes out of a text what tells who wrote it, before somebody else reads it."""

import re

_MASKS = (
    (re.compile(r"\S+@\S+"), "[adresse]"),
    (re.compile(r"(?:https?://|www\.)\S+"), "[lien]"),
    (re.compile(r"(?<![\d/.-])\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d\d)(?![/.-]?\d)"), "[date]"),
    # A telephone or account number, a SIRET, a social security number: seven digits or more;
    # neither an amount in thousands (« 1 500 000 ») nor two years (« 2021-2022 »).
    (
        re.compile(
            r"(?<!\d)(?!\d{1,3}(?:[ \u00a0]\d{3})+(?![ \u00a0]?\d))(?!\d{4}[-/]\d{4}(?!\d))"
            r"\+?\d(?:[ .\-/\u00a0]?[\dAB]){6,}"
        ),
        "[numéro]",
    ),
    # « je m'appelle Anne Dupont », « M. Durand », « Cordialement, Anne Dupont »
    (
        re.compile(
            r"((?i:je m['’ ]?appelle|je suis|mon nom est|ici|nom(?: et prénom)? ?:|signé|"
            r"cordialement|bien à vous|respectueusement|merci d['’]avance)[ ,:\n-]+)"
            r"((?:[A-ZÉÈÊÀÂÎÔÇ][\w'’-]+[ ]?){1,3})"
        ),
        r"\1[nom] ",
    ),
    (
        re.compile(
            r"\b((?:M|Mr|Mme|Mlle|Dr|Me)\.?|Monsieur|Madame|Maître)[ \u00a0]+"
            r"(?![Ll][ea] (?:[Mm]aire|[Pp]ré[fs]|[Dd]ir|[Ss]ecr|[Tt]rés))"
            r"((?:[A-ZÉÈÊÀÂÎÔÇ][\w'’-]+[ ]?){1,3})"
        ),
        r"\1 [nom] ",
    ),
    (
        re.compile(
            r"\b\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|avenue|av\.?|allée|chemin|place|impasse|"
            r"boulevard|bd|route|lieu-dit)\b[^,.;\n?]*",
            re.IGNORECASE,
        ),
        "[adresse]",
    ),
)


def masked(text: str) -> str:
    """Return `text` on one line, with addresses, numbers, dates and names replaced by a word.

    Names are found by what stands before them, so some stay: whoever reads the
    list is still bound to discretion.
    """
    # Twice: what an end of line, or a rarer space, cut in two is whole once on one line.
    for _ in range(2):
        for pattern, replacement in _MASKS:
            text = pattern.sub(replacement, text)
        text = " ".join(text.split())
    return text
