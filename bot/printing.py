"""What the commands print: to a terminal or a pipe, with nothing that would command it."""

import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.text import clean
from candidature.wording import euros_told
from knowledge.typography import french
from storage.times import PARIS

NONE = "—"
Rows = Sequence[Sequence[str]]


def moment(instant: datetime | None) -> str:
    """Return an instant as it is read in Paris: « 28/11/2026 06:40 »."""
    return f"{instant.astimezone(PARIS):%d/%m/%Y %H:%M}" if instant else NONE


def euros(cents: int | None) -> str:
    """Return a sum, given in cents, as it is read."""
    return NONE if cents is None else euros_told(Decimal(cents) / 100)


def one_line(text: str) -> str:
    """Return a text on one line, with nothing that commands a terminal."""
    return re.sub(r"\s*\n\s*", " ", clean(text))


def print_table(rows: Rows, header: Sequence[str] = (), title: str = "") -> None:
    """Print rows to a terminal; without a header, the first column names the others."""
    # `Text`, never plain strings: Rich would read markup in what people typed.
    console = Console(highlight=False, markup=False, emoji=False)
    if title:
        console.print(Text(one_line(french(title)), style="bold"))
    table = Table(show_header=bool(header), show_lines=bool(title), expand=False)
    for number in range(max(map(len, rows))):
        table.add_column(
            Text(header[number]) if header else "",
            overflow="fold",
            # A reference is to be copied whole.
            no_wrap=bool(header) and number == 0,
        )
    for row in rows:
        table.add_row(*(Text(clean(french(cell))) for cell in row))
    console.print(table)
    if title:
        console.print()


def plain(title: str, rows: Rows) -> str:
    """Return rows as text for a pipe: nothing is cut, what follows a line end is indented."""
    lines = [one_line(french(title))]
    for first, *others in rows:
        row = " | ".join(clean(french(one)) for one in others)
        told = clean(french(first)) + (french(f" : {row}") if others else "")
        lines.append("  " + re.sub(r"\n(?!\n)", "\n    ", told))
    return "\n".join(lines) + "\n\n"


def print_json(value: object) -> None:
    """Print a value as JSON, with nothing that commands a terminal."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    # JSON escapes only the first control characters; others command terminals too, or deceive.
    print_bytes("".join(map(_escaped, text)) + "\n")


def _escaped(character: str) -> str:
    if character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def print_bytes(text: str) -> None:
    """Print in UTF-8, whatever the language of the terminal."""
    typer.echo(text.encode(), nl=False)
