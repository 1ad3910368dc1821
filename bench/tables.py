"""How tables look, in the terminal and in Markdown."""

from collections import Counter
from collections.abc import Iterable, Sequence
from io import StringIO

from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from bench.scoring import VERDICTS, Verdict

WORDS = ("justes", "sans réponse", "fausses")
"""The verdicts for people, in the order of `VERDICTS`."""


def table(title: str, *columns: str) -> Table:
    """Return an empty table; its first column holds words, the others figures."""
    made = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        made.add_column(column, justify="right" if index else "left")
    return made


def verdicts(title: str, rows: Iterable[tuple[str, Iterable[Verdict]]]) -> Table:
    """Return a table of how many there are under each label, and how they were judged."""
    made = table(title, "", "questions", *WORDS)
    for label, judged in rows:
        counts = Counter(judged)
        shares = (percent(counts[verdict], counts.total()) for verdict in VERDICTS)
        made.add_row(label, str(counts.total()), *shares)
    return made


def percent(part: int, total: int) -> str:
    """Return a share as people read it; a dash of nothing."""
    return f"{100 * part / total:.1f} %".replace(".", ",") if total else "–"


def milliseconds(seconds: float) -> str:
    """Return a time as people read it, in milliseconds; with a decimal under ten."""
    return f"{1000 * seconds:.{0 if seconds >= 0.01 else 1}f} ms".replace(".", ",")


def show(tables: Sequence[Table], console: Console) -> None:
    """Print tables, a blank line after each."""
    for one in tables:
        console.print(one)
        console.print()


def markdown(tables: Iterable[Table]) -> str:
    """Return tables in Markdown, each under its title; they lose their title and their box."""
    text = StringIO()
    console = Console(width=160, file=text, color_system=None)
    for one in tables:
        console.print(f"\n### {one.title}\n")
        one.title = None
        one.box = MARKDOWN
        console.print(one)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()).strip() + "\n"
