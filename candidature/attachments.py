"""Files that people send with a candidature: a quote, a deliberation, a presentation, a photo.

The type comes from the content; what the sender declares is never believed. Nothing is
extracted or rendered. This is a look at what a file openly carries, not an antivirus.
"""

import hashlib
import io
import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST_BYTES = 10 * 1024 * 1024
"""In a file."""
MOST_FILES = 10
"""With a candidature."""
MOST_TOGETHER = 14 * 1024 * 1024
"""Bytes, in all the files of a candidature: a mail carries them, a third larger in transit."""
MOST_CHARACTERS = 100
"""In a name, with its extension."""
MOST_ENTRIES = 2_000
"""In a zipped document; a long one full of pictures has a few hundred."""
MOST_UNZIPPED = 200 * 1024 * 1024
"""Bytes that a zipped document says to be, once unzipped by who opens it."""
MOST_READ = 1024 * 1024
"""Bytes of an entry that is read here: a list of what a document holds is small."""
MOST_INFLATED = 50 * 1024 * 1024
"""Bytes, in all the compressed objects of a PDF."""
NAMELESS = "document"
"""The name of what has none left."""

PDF = "application/pdf"
ODT = "application/vnd.oasis.opendocument.text"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
JPEG = "image/jpeg"
PNG = "image/png"
WEBP = "image/webp"
HEIC = "image/heic"
EXTENSIONS = {
    PDF: (".pdf",),
    ODT: (".odt",),
    DOCX: (".docx",),
    JPEG: (".jpg", ".jpeg", ".jfif"),
    PNG: (".png",),
    WEBP: (".webp",),
    HEIC: (".heic", ".heif"),
}
"""The extensions of each type allowed; the first is given to a file without one."""


class Refusal(StrEnum):
    """Why a file is not taken."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    TOO_LARGE_TOGETHER = "too_large_together"
    TYPE = "type"
    """Its type is not one of those allowed."""
    LIES = "lies"
    """Its content is not what its name says."""
    UNSAFE = "unsafe"
    """It is encrypted, runs something when opened, holds other files, or grows beyond measure."""


@dataclass(frozen=True)
class Attachment:
    """A file that may go with a candidature."""

    name: str
    """Safe to show and to write in a folder or a header."""
    media_type: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The content's fingerprint, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def check(name: str, content: bytes, others: Sequence[int] = ()) -> Attachment | Refusal:
    """Take a file, or say why not; `others` are the sizes of those already taken."""
    if refusal := too_much(len(content), others):
        return refusal
    _, extension = _split(name)
    kind = _kind(content)
    if isinstance(kind, Refusal):
        return kind
    if kind is None:
        known = any(extension.lower() in those for those in EXTENSIONS.values())
        return Refusal.LIES if known else Refusal.TYPE
    if extension and extension.lower() not in EXTENSIONS[kind]:
        return Refusal.LIES
    return Attachment(safe_name(name, EXTENSIONS[kind][0]), kind, content)


def too_much(size: int, others: Sequence[int] = ()) -> Refusal | None:
    """Say why a file of this size, in bytes, is not taken, if its size or number is the reason."""
    if not size:
        return Refusal.EMPTY
    if size > MOST_BYTES:
        return Refusal.TOO_LARGE
    if len(others) >= MOST_FILES:
        return Refusal.TOO_MANY
    return Refusal.TOO_LARGE_TOGETHER if sum(others) + size > MOST_TOGETHER else None


# With a letter, lest the day in « Devis du 12.03.2022 » be one.
_EXTENSION = re.compile(r"\.(?=\d*[A-Za-z])[A-Za-z0-9]{1,5}\Z")


def safe_name(name: str, extension: str) -> str:
    r"""Return a name without a path or anything that deceives; `extension` is for one without.

    >>> safe_name("C:\\x\\devis.pdf", ".pdf"), safe_name("../devis", ".pdf")
    ('devis.pdf', 'devis.pdf')
    """
    stem, own = _split(name)
    end = own or extension
    return (stem[: MOST_CHARACTERS - len(end)].rstrip(". ") or NAMELESS) + end


def _split(name: str) -> tuple[str, str]:
    """Return what is before the extension of a name, made safe, and the extension or nothing."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    # Control, bidirectional and invisible characters, halves of pairs, what nobody can read.
    name = "".join(one for one in name if not unicodedata.category(one).startswith("C"))
    name = " ".join(unicodedata.normalize("NFC", name).split())
    # What Windows does not write, and what ends a quoted name.
    name = re.sub(r'[<>:"|?*]', "_", name).rstrip(". ")
    match = _EXTENSION.search(name)
    own = match[0] if match else ""
    return name.removesuffix(own).strip(". "), own


# A library of signatures was tried: it calls every RIFF file (a WAV) WebP, JPEG 2000 JPEG, and
# does not know all HEIC. These are the standards' own first bytes.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis"}


def _kind(content: bytes) -> str | Refusal | None:
    """Return the type of a content, none if it is not allowed, or that it is not safe."""
    if content.startswith(b"PK\x03\x04"):
        return _zipped(content)
    # Some programs write a mark or a line end before.
    if content[:16].lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"%PDF-"):
        return Refusal.UNSAFE if _active(content) else PDF
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"RIFF") and content[8:15] == b"WEBPVP8":
        return WEBP
    if content[4:8] == b"ftyp":
        # A generic main brand is usual: the list after it tells AVIF or a film from a photo.
        end = min(int.from_bytes(content[:4]), 256)
        brands = {content[at : at + 4] for at in (8, *range(16, end, 4))}
        return HEIC if brands & _HEIC_BRANDS else None
    # What Word makes of a document with a password.
    if content.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in content:
        return Refusal.UNSAFE
    return None


# Whatever `zipfile` raises on bytes that are no zip file, and `KeyError` for a missing entry.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def _zipped(content: bytes) -> str | Refusal | None:
    # Counted before `zipfile` makes an object of each.
    if content.count(b"PK\x01\x02") > MOST_ENTRIES:
        return Refusal.UNSAFE
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if any(one.flag_bits & 1 for one in entries):  # encrypted
                return Refusal.UNSAFE
            if sum(one.file_size for one in entries) > MOST_UNZIPPED:
                return Refusal.UNSAFE
            names = [one.filename for one in entries]
            if names[:1] == ["mimetype"]:
                return _open_document(archive, names)
            return _word(archive, names)
    except _UNREADABLE:
        return None


def _open_document(archive: zipfile.ZipFile, names: list[str]) -> str | Refusal | None:
    if _read(archive, "mimetype").strip() != ODT.encode():
        return None
    if b"encryption-data" in _read(archive, "META-INF/manifest.xml"):
        return Refusal.UNSAFE
    # A document may have an empty library of macros: the lists of what it holds, and nothing else.
    lists = ("/", "/script-lb.xml", "/script-lc.xml")
    if any(one.startswith(("Basic/", "Scripts/")) and not one.endswith(lists) for one in names):
        return Refusal.UNSAFE
    return ODT if "content.xml" in names else None


def _word(archive: zipfile.ZipFile, names: list[str]) -> str | Refusal | None:
    types = _read(archive, "[Content_Types].xml").lower()
    if b"&#" in types or b"<!" in types:  # no program writes so; it could hide a word
        return None
    told = types + " ".join(names).lower().encode(errors="replace")
    if b"macroenabled" in told or b"vbaproject" in told:
        return Refusal.UNSAFE
    # The part is « document2.xml » to some of Microsoft's own programs.
    main = any(re.fullmatch(r"word/document\d*\.xml", one) for one in names)
    return DOCX if main and f"{DOCX}.main+xml".encode() in types else None


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    entry = archive.getinfo(name)
    # Neither format knows other compressions, and `zipfile` bounds only these.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(name)
    with archive.open(entry) as opened:
        read = opened.read(MOST_READ + 1)
    if len(read) > MOST_READ:
        raise zipfile.BadZipFile(name)
    return read


def _named(*names: str) -> re.Pattern[bytes]:
    """Find names in a PDF, where any letter may be written as its code: « /Launc#68 »."""
    spelt = ("".join(f"(?:{one}|#{ord(one):02x})" for one in name) for name in names)
    return re.compile(f"/(?:{'|'.join(spelt)})(?![A-Za-z])".encode(), re.IGNORECASE)


# Every script action has « /JavaScript »; « /JS » alone would be found by chance in a picture.
_ACTIVE = _named(
    "Encrypt", "JavaScript", "Launch", "EmbeddedFile", "EmbeddedFiles", "FileAttachment"
)
_OBJECTS = _named("ObjStm")
_STREAM = re.compile(rb">>\s*stream\s")


def _active(pdf: bytes) -> bool:
    """Tell whether a PDF is encrypted, runs something, holds files, or hides its objects.

    Since PDF 1.5 objects may be compressed together: those are looked into. So a form with
    scripts, a quote locked against changes and an invoice with its data joined (Factur-X) are
    refused too: printed to a new PDF, they pass.
    """
    if _ACTIVE.search(pdf):
        return True
    left = MOST_INFLATED
    for section in pdf.split(b"endstream"):
        opening = _STREAM.search(section)
        if not opening or not _OBJECTS.search(section, 0, opening.start()):
            continue
        if b"/Filter" not in section[: opening.start()]:
            continue  # as plain as the rest
        try:
            data = section[opening.end() :].lstrip(b"\r\n")
            objects = zlib.decompressobj().decompress(data, left)
        except zlib.error:
            return True
        left -= len(objects)
        if left <= 0 or _ACTIVE.search(objects):
            return True
    return False
