"""Files that people send with a candidature."""

import hashlib
import io
import struct
import unicodedata
import zipfile
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from candidature import attachments
from candidature.attachments import (
    DOCX,
    HEIC,
    JPEG,
    MOST_BYTES,
    MOST_CHARACTERS,
    MOST_FILES,
    MOST_TOGETHER,
    ODT,
    PDF,
    PNG,
    WEBP,
    Attachment,
    Refusal,
    check,
    safe_name,
)


def a_pdf(catalog: bytes = b"/Type /Catalog /Pages 2 0 R", more: bytes = b"") -> bytes:
    """Return a page with nothing on it."""
    objects = [
        b"<< " + catalog + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    ]
    body, places = b"%PDF-1.7\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    body += more
    table = b"".join(b"%010d 00000 n \n" % one for one in places)
    return body + (
        b"xref\n0 4\n0000000000 65535 f \n%btrailer\n<< /Size 4 /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (table, len(body))
    )


def object_stream(objects: bytes, how: bytes = b"/FlateDecode") -> bytes:
    return (
        b"9 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter %b /Length %d >>\nstream\r\n%b\nendstream"
        b"\nendobj\n"
    ) % (how, len(objects), objects)


def a_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff\0\0")
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def a_jpeg(marker: bytes = b"\xe0\x00\x10JFIF\0") -> bytes:
    return b"\xff\xd8\xff" + marker + b"\x01\x01\0\0\x01\0\x01\0\0\xff\xd9"


def a_riff(kind: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(kind)) + kind + bytes(16)


def a_box(*brands: bytes) -> bytes:
    """Return the beginning of what HEIC, AVIF and MP4 share."""
    data = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return struct.pack(">I", len(data) + 4) + data + b"\0\0\0\x08mdat"


def a_zip(
    entries: dict[str, bytes],
    first: bytes | None = None,
    how: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", how) as archive:
        if first is not None:
            archive.writestr("mimetype", first, zipfile.ZIP_STORED)
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()


MANIFEST = (
    b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
)


def an_odt(
    more: dict[str, bytes] | None = None, manifest: bytes = MANIFEST, kind: str = ODT
) -> bytes:
    entries = {"content.xml": b"<office/>", "META-INF/manifest.xml": manifest, **(more or {})}
    return a_zip(entries, kind.encode())


WORD = DOCX + ".main+xml"
MACRO_WORD = "application/vnd.ms-word.document.macroEnabled.main+xml"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


def a_docx(
    kind: str = WORD,
    part: str = "word/document.xml",
    more: dict[str, bytes] | None = None,
    types: bytes = b"",
    how: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    told = f'<Types><Override PartName="/{part}" ContentType="{kind}"/></Types>'.encode() + types
    entries = {"[Content_Types].xml": told, "_rels/.rels": b"<Relationships/>", part: b"<w/>"}
    return a_zip({**entries, **(more or {})}, how=how)


FILES = {
    "devis.pdf": (PDF, a_pdf()),
    "délibération.odt": (ODT, an_odt()),
    "présentation.docx": (DOCX, a_docx()),
    "photo.jpg": (JPEG, a_jpeg()),
    "photo.png": (PNG, a_png()),
    "photo.webp": (WEBP, a_riff(b"WEBPVP8X")),
    "IMG_0001.HEIC": (HEIC, a_box(b"heic", b"mif1", b"heic")),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_allowed(name: str) -> None:
    kind, content = FILES[name]
    assert check(name, content) == Attachment(name, kind, content)


@pytest.mark.parametrize(("kind", "content"), FILES.values())
def test_a_name_without_extension_gets_the_right_one(kind: str, content: bytes) -> None:
    found = check("Devis du 12.03.2022", content)
    assert isinstance(found, Attachment)
    assert found.name == "Devis du 12.03.2022" + attachments.EXTENSIONS[kind][0]


@pytest.mark.parametrize(("kind", "content"), FILES.values())
def test_another_extension_is_a_lie(kind: str, content: bytes) -> None:
    for other, extensions in attachments.EXTENSIONS.items():
        for one in extensions:
            found = check("x" + one, content)
            assert isinstance(found, Attachment) if other == kind else found is Refusal.LIES
    assert check("devis.exe", content) is Refusal.LIES
    assert check("devis.pdf.exe\u200b", content) is Refusal.LIES
    assert check("devis.docm", content) is Refusal.LIES


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("photo.jpeg", a_jpeg()),
        ("photo.JPG", a_jpeg(b"\xe1\x00\x10Exif\0")),
        ("photo.jpg", a_jpeg(b"\xdb\x00\x43")),
        ("photo.heif", a_box(b"mif1", b"mif1", b"heix")),
        ("photo.webp", a_riff(b"WEBPVP8 ")),
        ("devis.pdf", b"\xef\xbb\xbf" + a_pdf()),
        ("devis.pdf", a_pdf(more=object_stream(zlib.compress(b"5 0 << /Type /Font >>")))),
        ("devis.pdf", a_pdf(b"/Type /Catalog /OpenAction [3 0 R /Fit] /Launcher 1")),
        ("x.docx", a_docx(part="word/document2.xml")),
        ("x.docx", a_docx(how=zipfile.ZIP_STORED)),
        ("x.odt", an_odt({"Basic/": b"", "Basic/Standard/script-lb.xml": b"<library/>"})),
    ],
)
def test_what_programs_and_telephones_write(name: str, content: bytes) -> None:
    assert isinstance(check(name, content), Attachment)


EXE = b"MZ\x90\0" + bytes(60) + b"PE\0\0" + bytes(200)
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("devis.pdf", EXE),
        ("photo.jpg", HTML),
        ("photo.webp", a_riff(b"WAVEfmt ")),
        ("photo.heic", a_box(b"avif", b"mif1", b"avif")),
        ("photo.heic", a_box(b"isom", b"mp41")),
        ("photo.jpg", b"\0\0\0\x0cjP  \r\n\x87\n"),
        ("devis.docx", a_docx(EXCEL, "xl/workbook.xml")),
        ("devis.docx", a_zip({"a.txt": b"a"})),
        ("devis.docx", a_zip({"word/document.xml": b"<w/>"})),
        ("devis.docx", a_docx(types=b"<!-- -->")),
        ("devis.docx", a_docx(how=zipfile.ZIP_BZIP2)),
        ("devis.docx", a_docx(how=zipfile.ZIP_LZMA)),
        ("devis.docx", a_docx()[:-40]),
        ("devis.docx", a_docx()[:60]),
        ("devis.docx", b"PK\x03\x04"),
        ("devis.docx", attachments._OLE + bytes(600)),
        ("devis.odt", an_odt(kind="application/vnd.oasis.opendocument.spreadsheet")),
        ("devis.odt", a_zip({}, ODT.encode())),
        ("devis.odt", a_zip({"META-INF/manifest.xml": MANIFEST}, ODT.encode())),
        ("devis.odt", an_odt()[:-30]),
    ],
)
def test_what_is_not_what_its_name_says(name: str, content: bytes) -> None:
    assert check(name, content) is Refusal.LIES


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("devis.exe", EXE),
        ("devis", EXE),
        ("page.html", HTML),
        ("budget.xlsx", a_docx(EXCEL, "xl/workbook.xml")),
        ("tout.zip", a_zip({"a.txt": b"a"})),
        ("rien.zip", a_zip({})),
        ("devis.doc", attachments._OLE + bytes(600)),
        ("dessin.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("notes.txt", b"Bonjour"),
    ],
)
def test_what_is_not_allowed(name: str, content: bytes) -> None:
    assert check(name, content) is Refusal.TYPE


def encrypted_zip() -> bytes:
    """Return a document with the mark of a password on each entry."""
    content = bytearray(a_docx())
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + 8] |= 1
        at = content.find(b"PK\x01\x02", at + 1)
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.docm", a_docx(MACRO_WORD, more={"word/vbaProject.bin": b"x"})),
        ("x.docx", a_docx(more={"word/vbaProject.bin": b"x"})),
        ("x.docx", a_docx(MACRO_WORD)),
        ("x.docx", a_docx(types=b'<Override ContentType="application/vnd.ms-office.vbaProject"/>')),
        ("x.docx", encrypted_zip()),
        ("x.docx", attachments._OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le")),
        ("x.odt", an_odt({"Basic/Standard/Module1.xml": b"<module/>"})),
        ("x.odt", an_odt({"Scripts/python/x.py": b"pass"})),
        ("x.odt", an_odt(manifest=MANIFEST + b"<manifest:encryption-data/>")),
        ("x.pdf", a_pdf(b"/Type /Catalog /OpenAction << /S /JavaScript /JS (app.alert(1)) >>")),
        ("x.pdf", a_pdf(b"/Type /Catalog /OpenAction << /S /J#61vaScrip#74 /JS (x) >>")),
        ("x.pdf", a_pdf(b"/OpenAction << /S/Launch/F(cmd.exe) >>")),
        ("x.pdf", a_pdf(b"/Names << /EmbeddedFiles 7 0 R >>")),
        ("x.pdf", a_pdf(more=b"trailer << /Encrypt 8 0 R >>")),
        ("x.pdf", a_pdf(more=object_stream(zlib.compress(b"5 0 << /S /JavaScript >>")))),
        ("x.pdf", a_pdf(more=object_stream(b"not compressed so", b"/LZWDecode"))),
    ],
)
def test_what_is_not_safe(name: str, content: bytes) -> None:
    assert check(name, content) is Refusal.UNSAFE


def test_what_grows_beyond_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    large = bytes(2 * attachments.MOST_READ)
    assert check("x.docx", a_docx(types=large)) is Refusal.LIES
    assert check("x.odt", an_odt(manifest=MANIFEST + large)) is Refusal.LIES
    many = {f"word/{one}.xml": b"" for one in range(attachments.MOST_ENTRIES)}
    assert check("x.docx", a_docx(more=many)) is Refusal.UNSAFE
    monkeypatch.setattr(attachments, "MOST_UNZIPPED", len(large))
    assert check("x.docx", a_docx(more={"word/media/a.png": large})) is Refusal.UNSAFE
    monkeypatch.setattr(attachments, "MOST_INFLATED", len(large))
    half = object_stream(zlib.compress(large[: len(large) // 2]))
    assert check("x.pdf", a_pdf(more=half + half)) is Refusal.UNSAFE
    assert isinstance(check("x.pdf", a_pdf(more=half)), Attachment)


def test_an_entry_that_hides_its_size() -> None:
    content = bytearray(a_docx(types=bytes(2 * attachments.MOST_READ)))
    struct.pack_into("<I", content, content.find(b"PK\x01\x02") + 24, 100)
    assert check("x.docx", bytes(content)) is Refusal.LIES


def test_sizes() -> None:
    pdf = a_pdf()
    room = MOST_TOGETHER - len(pdf)
    assert check("x.pdf", b"") is Refusal.EMPTY
    assert check("x.pdf", pdf.ljust(MOST_BYTES + 1)) is Refusal.TOO_LARGE
    assert isinstance(check("x.pdf", pdf.ljust(MOST_BYTES)), Attachment)
    assert check("x.pdf", pdf, [1] * MOST_FILES) is Refusal.TOO_MANY
    assert isinstance(check("x.pdf", pdf, [1] * (MOST_FILES - 1)), Attachment)
    assert check("x.pdf", pdf, [room, 1]) is Refusal.TOO_LARGE_TOGETHER
    assert isinstance(check("x.pdf", pdf, [room - 1, 1]), Attachment)


def test_a_fingerprint() -> None:
    found = check("x.pdf", a_pdf())
    assert isinstance(found, Attachment)
    assert found.sha256 == hashlib.sha256(a_pdf()).hexdigest()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\x\\devis.pdf", "devis.pdf"),
        ("C:devis.pdf", "C_devis.pdf"),
        ("devis/", "document.pdf"),
        ("", "document.pdf"),
        ("..", "document.pdf"),
        (".pdf", "document.pdf"),
        (".devis.PDF", "devis.PDF"),
        ("devis.pdf. ", "devis.pdf"),
        ("devis\r\nX: y\0.pdf", "devisX_ y.pdf"),
        ("devis\u202efdp.pdf", "devisfdp.pdf"),
        ("de\u0301lib  e\u200b\u0301té.pdf", "délib été.pdf"),
        ('a"b<c>.pdf', "a_b_c_.pdf"),
        ("\ud800.pdf", "document.pdf"),
        ("a" * 300 + ".pdf", "a" * 96 + ".pdf"),
        ("a" * 300, "a" * 96 + ".pdf"),
        ("a" * 95 + " " + "b" * 9 + ".pdf", "a" * 95 + ".pdf"),
    ],
)
def test_hostile_names(name: str, safe: str) -> None:
    assert safe_name(name, ".pdf") == safe
    found = check(name, a_pdf())
    assert isinstance(found, Attachment)
    assert found.name == safe


ODD = st.text(st.sampled_from("aé./\\ \t\n\0\u0301\u200b\u202e\u2028\ud800<>:\"'|?*~%.pdfjs7"))


@given(st.one_of(st.text(st.characters()), ODD, ODD.map(lambda text: "a" * 90 + text)))
@example("a\u0338<\u0338.pdf")
def test_a_safe_name_is_safe_and_stable(name: str) -> None:
    safe = safe_name(name, ".pdf")
    assert 0 < len(safe) <= MOST_CHARACTERS
    assert not safe.startswith((".", " "))
    assert not set(safe) & set('/\\"<>:')
    assert not any(unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for one in safe)
    assert unicodedata.is_normalized("NFC", safe)
    assert safe_name(safe, ".jpg") == safe
    safe.encode()


BEGINNINGS = [b"", b"%PDF-", b"PK\x03\x04", b"RIFF", b"\0\0\0\x18ftyp", attachments._OLE]


@given(st.text(), st.sampled_from(BEGINNINGS), st.binary(max_size=500))
def test_random_bytes_never_raise(name: str, beginning: bytes, content: bytes) -> None:
    assert isinstance(check(name, beginning + content), Attachment | Refusal)


@given(
    st.sampled_from([content for _, content in FILES.values()]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    st.floats(0, 1),
)
def test_damaged_files_never_raise(
    content: bytes, changes: list[tuple[float, int]], kept: float
) -> None:
    damaged = bytearray(content)
    for place, value in changes:
        damaged[int(place * len(damaged))] = value
    for one in (damaged, damaged[: int(kept * len(damaged))]):
        assert isinstance(check("x", bytes(one)), Attachment | Refusal)
