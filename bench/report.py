"""The tables: for the terminal and, in Markdown, for `docs/`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from io import StringIO

from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from bench.measure import EARLY, LONG, Judged, Measures
from bench.scoring import VERDICTS, Verdict, tally


def tables(measures: Sequence[Measures]) -> Iterator[Table]:
    """Return every table, the summary first."""
    yield _summary(measures)
    for one in measures:
        name = one.trained.name
        yield _detail(f"{name} : par sujet", [(j.question.about, j.verdict) for j in one.judged])
        yield _detail(f"{name} : par aspect", [(j.question.asks, j.verdict) for j in one.judged])


def misses(measures: Measures) -> Table:
    """Return every question that was not answered right, with what was said instead."""
    table = _table(
        f"{measures.trained.name} : ce qui n'est pas juste", "", "question", "attendu", "dit"
    )
    for judged in sorted(measures.judged, key=lambda judged: VERDICTS.index(judged.verdict)):
        if judged.verdict != "right":
            expected = " ".join(sorted(judged.question.facts) or judged.question.reply)
            outcome = judged.turn.outcome
            said = (
                f"{outcome['kind']} {' '.join(outcome['references'])} ({outcome['confidence']:.2f})"
            )
            table.add_row(judged.verdict, judged.question.text, expected, said)
    return table


def show(tables: Sequence[Table], console: Console) -> None:
    """Print tables, a blank line after each."""
    for table in tables:
        console.print(table)
        console.print()


def markdown(measures: Sequence[Measures]) -> str:
    """Return every table in Markdown."""
    text = StringIO()
    console = Console(width=120, file=text, color_system=None)
    for table in tables(measures):
        console.print(f"\n### {table.title}\n")
        table.title = None
        table.box = MARKDOWN
        console.print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()).strip() + "\n"


def _summary(measures: Sequence[Measures]) -> Table:
    table = _table("Comparaison", "", *(one.trained.name for one in measures))

    def row(label: str, *cells: str) -> None:
        table.add_row(label, *cells)

    def share(label: str, chosen: Sequence[Sequence[Judged]]) -> None:
        for verdict, words in zip(VERDICTS, ("justes", "sans réponse", "fausses"), strict=True):
            row(
                f"{label} : {words}",
                *(_percent(Counter(j.verdict for j in some), verdict) for some in chosen),
            )

    scope = [[j for j in one.judged if j.question.facts and not j.follows] for one in measures]
    follow = [[j for j in one.judged if j.follows] for one in measures]
    others = [[j for j in one.judged if j.question.reply and not j.follows] for one in measures]
    share(f"questions ({len(scope[0])})", scope)
    share(f"suites de conversation ({len(follow[0])})", follow)
    share(f"hors sujet, politesses ({len(others[0])})", others)
    row("apprentissage", *(f"{one.trained.seconds:.0f} s" for one in measures))
    row("taille du modèle", *(f"{one.model_size:.1f} Mo" for one in measures))
    row("mémoire de Rasa", *(f"{one.memory:.0f} Mo" if one.memory else "?" for one in measures))
    row("démarrage de l'ensemble", *(f"{one.start_up:.1f} s" for one in measures))
    row("un tour, p50", *(_milliseconds(one.percentile(50)) for one in measures))
    row("un tour, p95", *(_milliseconds(one.percentile(95)) for one in measures))
    row(
        f"tour {EARLY.stop - 2} d'une conversation",
        *(_milliseconds(one.early_turn) for one in measures),
    )
    row(f"tour {LONG} de la même", *(_milliseconds(one.late_turn) for one in measures))
    return table


def _detail(title: str, verdicts: Sequence[tuple[str, Verdict]]) -> Table:
    table = _table(title, "", "questions", "justes", "sans réponse", "fausses")
    for label, counts in sorted(tally(verdicts).items(), key=lambda item: -item[1].total()):
        shares = (_percent(counts, verdict) for verdict in VERDICTS)
        table.add_row(label, str(counts.total()), *shares)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index and len(columns) != 4 else "left")
    return table


def _percent(counts: Counter[Verdict], verdict: Verdict) -> str:
    return f"{100 * counts[verdict] / max(1, counts.total()):.1f} %".replace(".", ",")


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"
