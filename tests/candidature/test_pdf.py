"""The document of a candidature, read back with nothing but the standard library."""

import datetime as dt
import re
import zlib

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from candidature.evaluation import Status
from candidature.filed import Attached, CriterionTold, Filed, Line, Part
from candidature.pdf import REPLACEMENT, SHOWN, pdf

CANDIDATURE = Filed(
    reference="C-2026-0042",
    filed_at=dt.datetime(2026, 11, 28, 5, 40, tzinfo=dt.UTC),
    title="Des rendez-vous en ligne",
    applicant="Commune de Ligré",
    email="mairie@ligre.example",
    prefecture="numerique@prefecture.example",
    answers={"porteur": "commune", "cout": 1_250_050},
    parts=(
        Part(
            title="Le projet",
            lines=(
                Line(id="cout", label="Coût total", value="12 500,50 €"),
                Line(id="projet", label="Description", value="Une œuvre.\nLigne 2.\n\nLa suite."),
            ),
        ),
    ),
    status=Status.TO_CONFIRM,
    verdict="Un point reste à confirmer.",
    criteria=(
        CriterionTold(
            id="qui", title="Le porteur", status=Status.MET, told="Une commune.", page="Le candidat"
        ),
        CriterionTold(
            id="quand", title="Les résultats", status=Status.NOT_MET, told="Tard.", page="Avant"
        ),
        CriterionTold(
            id="quoi", title="La nature", status=Status.TO_CONFIRM, told="À voir.", page="Le projet"
        ),
    ),
    conclusions=("Axe 3 : la transformation numérique",),
    attachments=(
        Attached(
            name="Délibération.pdf", media_type="application/pdf", size=1_234_567, sha256="0" * 64
        ),
        Attached(name="plan.png", media_type="image/png", size=84_300, sha256="1" * 64),
    ),
    consent="J'accepte que ma candidature soit transmise à la préfecture.",
    notices=("C'est la préfecture qui décide.",),
)
HOSTILE = [
    '#import "x"',
    '#read("/etc/passwd")',
    '#panic("!")',
    "$x$ $ sum_(i=0)^n i $",
    "<b>gras</b> <label> @reference",
    "*gras* _penché_ `brut` ```raw```",
    "= titre\n- liste\n+ liste\n/ terme: sens",
    "]) #[ } { \\ \\u{41} // /* */ ~ -- ...",
    '"] + sys.inputs + ["',
]


def with_value(value: str) -> Filed:
    part = Part(title="Essai", lines=(Line(id="essai", label="Essai", value=value),))
    return CANDIDATURE.model_copy(update={"parts": (part,)})


def streams(document: bytes) -> list[bytes]:
    """Return the streams of the file, in clear."""
    found = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", document, re.DOTALL)
    return [zlib.decompress(one) if one[:1] == b"x" else one for one in found]


def objects(document: bytes) -> dict[bytes, bytes]:
    return dict(re.findall(rb"(?m)^(\d+) 0 obj\n(.*?)\nendobj$", document, re.DOTALL))


def characters(cmap: bytes) -> dict[str, str]:
    """Return what the glyphs of a font stand for: its /ToUnicode, both in hexadecimal."""
    glyphs = {}
    for block in re.findall(rb"beginbfchar\n(.*?)endbfchar", cmap, re.DOTALL):
        for glyph, text in re.findall(r"<(\w+)> <(\w*)>", block.decode()):
            glyphs[glyph.lower()] = bytes.fromhex(text).decode("utf-16-be")
    assert b"beginbfrange" not in cmap
    return glyphs


ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def unescaped(string: bytes) -> bytes:
    def one(escape: re.Match[bytes]) -> bytes:
        name = escape[1]
        return bytes([int(name, 8)]) if name.isdigit() else ESCAPES.get(name, name)

    return re.sub(rb"\\([0-7]{1,3}|.)", one, string, flags=re.DOTALL)


def squeezed(text: str) -> str:
    """Return `text` without its spaces: where lines end is the layout's."""
    return re.sub(r"\s", "", text)


def pages(document: bytes) -> list[str]:
    """Return the text of each page, in reading order and without spaces."""
    found = objects(document)

    def stream(number: bytes) -> bytes:
        return streams(found[number])[0]

    texts = []
    kids = re.search(rb"/Type/Pages/Count \d+/Kids\[(.*?)\]", document)
    assert kids
    for page in re.findall(rb"(\d+) 0 R", kids[1]):
        names = re.search(rb"/Resources (\d+) 0 R.*/Contents (\d+) 0 R", found[page])
        assert names
        resources = re.search(rb"/Font<<(.*?)>>", found[names[1]])
        assert resources
        fonts = {}
        for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", resources[1]):
            cmap = re.search(rb"/ToUnicode (\d+) 0 R", found[number])
            assert cmap
            fonts[name] = characters(stream(cmap[1]))
        # Between these are the texts that are shown; elsewhere, those of the tags.
        shows = b" ".join(re.findall(rb"BT (.*?)\nET\n", stream(names[2]), re.DOTALL))
        text, font = "", {}
        tokens = rb"/(f\d+) [\d.]+ Tf|\(((?:\\.|[^\\()])*)\)|<([0-9A-Fa-f]+)>"
        for name, string, digits in re.findall(tokens, shows, re.DOTALL):
            if name:
                font = fonts[name]
                continue
            shown = digits.decode().lower() if digits else unescaped(string).hex()
            text += "".join(font[shown[at : at + 4]] for at in range(0, len(shown), 4))
        texts.append(squeezed(text))
    return texts


def text_of(document: bytes) -> str:
    return "".join(pages(document))


def test_it_is_tagged_and_declares_itself_accessible() -> None:
    document = pdf(CANDIDATURE)
    assert document.startswith(b"%PDF-1.7")
    everything = b"\n".join([document, *streams(document)])
    assert re.search(rb"/MarkInfo<<[^>]*/Marked true", everything)
    assert b"/StructTreeRoot" in everything
    assert re.search(rb"/Lang\(fr(-FR)?\)", everything)
    assert b"<pdfuaid:part>1</pdfuaid:part>" in everything
    assert b"/DisplayDocTitle true" in everything
    for tag in (b"H1", b"H2", b"Table", b"TH", b"TD", b"L", b"LI", b"Lbl", b"LBody", b"P"):
        assert re.search(rb"/S/" + tag + rb"\b", everything), tag


def test_its_metadata_tells_what_it_is_of_whom_and_when() -> None:
    (metadata,) = (one.decode() for one in streams(pdf(CANDIDATURE)) if b"<?xpacket" in one)
    assert "Candidature\u00a0: Des rendez-vous en ligne" in metadata
    assert "Commune de Ligré" in metadata
    assert "2026-11-28T05:40:00" in metadata


def test_its_headings_make_a_list() -> None:
    titles = re.findall(rb"/Title\(([^)]*)\)|/Title<FEFF(\w+)>/Dest", pdf(CANDIDATURE))
    assert [
        plain.decode() or bytes.fromhex(digits.decode()).decode("utf-16-be")
        for plain, digits in titles[:6]
    ] == [
        "Le projet",
        "Pré-diagnostic",
        "Ce qui correspond au projet",
        "Pièces jointes",
        "Accord et envoi",
        "Candidature Des rendez-vous en ligne",
    ]


def test_everything_is_told_in_order() -> None:
    text = text_of(pdf(CANDIDATURE))
    told = [
        "Candidature",
        "Des rendez-vous en ligne",
        "Référence C-2026-0042",
        "Candidat Commune de Ligré",
        "Adresse électronique mairie@ligre.example",
        "Déposée le 28 novembre 2026 à 6 h 40",
        "À savoir C’est la préfecture qui décide.",
        "Le projet",
        "Coût total 12 500,50 €",
        "Description Une œuvre. Ligne 2. La suite.",
        "Pré-diagnostic Un point reste à confirmer.",
        "Le porteur ✔ rempli « Le candidat » Une commune.",
        "Les résultats ✘ non rempli « Avant » Tard.",
        "La nature ? à confirmer « Le projet » À voir.",
        "Axe 3 : la transformation numérique",
        "Pièces jointes",
        "Délibération.pdf PDF 1,2 Mo",
        "plan.png image 84 ko",
        "« J’accepte que ma candidature soit transmise à la préfecture. »",
        "Candidature adressée à : numerique@prefecture.example",
    ]
    at = 0
    for one in map(squeezed, told):
        found = text.find(one, at)
        assert found >= 0, (one, text[at:])
        at = found + len(one)


def test_what_there_is_none_of_is_said_or_left_out() -> None:
    none = {"attachments": (), "criteria": (), "conclusions": (), "notices": ()}
    text = text_of(pdf(CANDIDATURE.model_copy(update=none)))
    assert squeezed("Aucune pièce jointe.") in text
    for heading in ("À savoir", "Critère", "Ce qui correspond au projet", "Taille"):
        assert squeezed(heading) not in text
    assert squeezed("Essai Non renseigné") in text_of(pdf(with_value(" \n ")))


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("2026-11-28T05:40:00+00:00", "28 novembre 2026 à 6 h 40"),
        ("2026-07-31T22:05:59.9+00:00", "1er août 2026 à 0 h 05"),
        ("2026-02-01T12:00:00+00:00", "1er février 2026 à 13 h"),
    ],
)
def test_the_day_and_hour_are_those_of_paris(at: str, told: str) -> None:
    filed = CANDIDATURE.model_copy(update={"filed_at": dt.datetime.fromisoformat(at)})
    assert squeezed(f"Déposée le {told} À savoir") in text_of(pdf(filed))


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (0, "0 octet"),
        (999, "999 octets"),
        (1_000, "1 ko"),
        (9_960, "10 ko"),
        (999_499, "999 ko"),
        (999_500, "1 Mo"),
        (1_250_000, "1,3 Mo"),
        (12_345_678, "12 Mo"),
        (2_500_000_000, "2,5 Go"),
    ],
)
def test_sizes_are_told_in_round_numbers(size: int, told: str) -> None:
    attached = Attached(name="a", media_type="x/y", size=size, sha256="0" * 64)
    text = text_of(pdf(CANDIDATURE.model_copy(update={"attachments": (attached,)})))
    assert squeezed(f"Taille a fichier {told} Accord") in text


def test_the_same_candidature_makes_the_same_bytes() -> None:
    again = Filed.model_validate_json(CANDIDATURE.model_dump_json())
    elsewhere = CANDIDATURE.filed_at.astimezone(dt.timezone(dt.timedelta(hours=-5)))
    first = pdf(CANDIDATURE)
    assert first == pdf(again)
    assert first == pdf(CANDIDATURE.model_copy(update={"filed_at": elsewhere}))
    assert first != pdf(CANDIDATURE.model_copy(update={"reference": "C-2026-0043"}))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_people_type_is_never_read_as_typst(hostile: str) -> None:
    assert squeezed(f"Essai {hostile} Pré-diagnostic") in text_of(pdf(with_value(hostile)))


def test_no_text_is_read_as_typst_wherever_it_is() -> None:
    def spoilt(value: object) -> object:
        if isinstance(value, str):
            return '#panic("x") $x$ = *a*'
        if isinstance(value, dict):
            kept = {"status", "sha256", "filed_at", "version", "answers"}
            return {key: one if key in kept else spoilt(one) for key, one in value.items()}
        return [*map(spoilt, value)] if isinstance(value, list | tuple) else value

    filed = Filed.model_validate(spoilt(CANDIDATURE.model_dump()))
    # Title, reference, applicant, address, préfecture, consent, verdict, notice, conclusion,
    # a part with two lines, three criteria, two names of files, and the footer of each page.
    document = pdf(filed)
    shown = 9 + 1 + 4 + 9 + 2 + len(pages(document))
    assert text_of(document).count(squeezed('#panic("x") $x$ = *a*')) == shown


def test_a_long_text_goes_over_several_pages_that_are_numbered() -> None:
    words = " ".join(f"mot{number}" for number in range(1_500))[:10_000]
    found = pages(pdf(with_value(words)))
    assert len(found) >= 3
    for number, page in enumerate(found, start=1):
        assert squeezed(f"C-2026-0042 Page {number} sur {len(found)}") in page
    for word in words.split():
        assert word in "".join(found)


@pytest.mark.parametrize("character", ["W", "i", "é", "q\u0301", "/", "-", "□"])
def test_a_word_without_end_is_cut_where_the_line_ends(character: str) -> None:
    found = pages(pdf(with_value(character * 4_000)))
    assert len(found) >= 2
    assert sum(page.count(character[0]) for page in found) >= 4_000
    # Nothing is added that would be copied along with an address.
    assert not re.search("[\u200b\u00ad\u2060]", "".join(found))


def test_line_breaks_of_every_machine_are_kept() -> None:
    expected = pdf(with_value("un\ndeux\n\ntrois"))
    assert pdf(with_value("un\r\ndeux\r\n \r\n\r\ntrois\r\n")) == expected
    assert pdf(with_value("un\u2028deux\u2029\u2029trois")) == expected
    assert pdf(with_value("un deux trois")) != expected


def test_the_characters_of_french_are_shown() -> None:
    text = "ÀÂÄÇÉÈÊËÎÏÔŒÙÛÜŸÆ àâäçéèêëîïôœùûüÿæ « » “ ” ’ … – — € ° ² ½ • → n\u00a0o\u202f!"
    assert squeezed(text) in text_of(pdf(with_value(text)))
    assert squeezed("Note") not in text_of(pdf(with_value(text)))
    # As a Mac types it: the letter, then its accent.
    assert pdf(with_value("e\u0301te\u0301")) == pdf(with_value("été"))


def test_a_character_that_no_font_has_is_replaced_and_that_is_said() -> None:
    note = squeezed("tient la place d’un caractère que ce document ne peut pas montrer")
    text = text_of(pdf(with_value("Bravo 🎉 漢字")))
    assert squeezed(f"Bravo {REPLACEMENT} {REPLACEMENT * 2}") in text
    assert note in text
    assert note not in text_of(pdf(CANDIDATURE))


def test_what_shows_nothing_is_left_out() -> None:
    hidden = "a\x00\x07\x1b\ufeff\u200b\u200d\u202e\u2066\u00ad\ufe0fb"
    assert pdf(with_value(hidden)) == pdf(with_value("ab"))


def test_the_fonts_have_all_the_characters_that_are_let_through() -> None:
    kept = re.findall(f"[{SHOWN}]", "".join(map(chr, range(0xD800))))
    assert len(kept) > 2_000
    pdf(with_value(" ".join(kept)))
    pdf(with_value("".join(kept)))


ANY_TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.text(st.characters(max_codepoint=0x2FFF), max_size=60),
    st.from_regex(f"[{SHOWN}]{{0,60}}", fullmatch=True),
)


@settings(max_examples=150, deadline=None)
@given(title=ANY_TEXT, value=ANY_TEXT)
def test_no_text_makes_it_fail(title: str, value: str) -> None:
    filed = with_value(value).model_copy(update={"title": title, "applicant": value})
    assert b"pdfuaid:part" in pdf(filed)


def test_no_font_of_the_machine_is_used() -> None:
    fonts = set(re.findall(rb"/BaseFont/[A-Z]{6}\+(\w+)", pdf(with_value("é ☑ → ⁿ ◆"))))
    assert fonts
    assert all(one.startswith((b"Libertinus", b"DejaVu", b"NewCM")) for one in fonts), fonts


def test_a_failure_of_typst_is_not_hidden() -> None:
    unheard_of = CANDIDATURE.criteria[0].model_copy(update={"status": "perhaps"})
    with pytest.raises(typst.TypstError):
        pdf(CANDIDATURE.model_copy(update={"criteria": (unheard_of,)}))
