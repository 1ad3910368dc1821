"""What is told: the comparison with `rasa init`, and what was measured of the understanding."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from rich.table import Table

from bench import tables
from bench.calibration import Band
from bench.measure import EARLY, LONG, Judged, Measures
from bench.questions import Kind, Question
from bench.scoring import VERDICTS, Verdict, tally
from bench.understanding import Twins, Understood

KINDS: Mapping[Kind, str] = {
    "scope": "dans le sujet",
    "next_to_it": "à côté, non documenté",
    "off_subject": "hors sujet",
    "courtesy": "politesses",
    "follow_up": "suites de conversation",
    "double": "plusieurs questions à la fois",
}


def comparison(measures: Sequence[Measures]) -> Iterator[Table]:
    """Return the tables of what was played through the public API, the summary first."""
    yield _summary(measures)
    for one in measures:
        yield from by_label(one.trained.name, one.judged)


def by_label(title: str, judged: Sequence[Judged]) -> Iterator[Table]:
    """Return the verdicts by subject and by aspect, the most asked first."""
    for words, labels in (
        ("par sujet", [one.question.about for one in judged]),
        ("par aspect", [one.question.asks for one in judged]),
    ):
        counts = tally(zip(labels, (one.verdict for one in judged), strict=True))
        rows = sorted(counts.items(), key=lambda item: -item[1].total())
        yield tables.verdicts(f"{title} : {words}", ((k, v.elements()) for k, v in rows))


def misses(judged: Iterable[Judged]) -> Table:
    """Return every question that was not answered right, with what was said instead."""
    table = Table(title="Ce qui n'est pas juste (jeux de développement)", title_justify="left")
    for column in ("", "question", "attendu", "dit"):
        table.add_column(column)
    for one in sorted(judged, key=lambda one: VERDICTS.index(one.verdict)):
        if one.verdict != "right":
            outcome = one.turn.outcome
            named = " ".join([*outcome["references"], *outcome["asked"]])
            said = f"{outcome['kind']} {named} ({outcome['confidence']:.2f})"
            table.add_row(one.verdict, one.question.text, _expected(one.question), said)
    return table


def kinds(development: Understood, reserve: Understood) -> Table:
    """Return the verdicts by kind of question: what may be looked at, and the reserve."""
    rows = [
        (f"{words}, {name}", _verdicts(understood.of(kind)))
        for kind, words in KINDS.items()
        for name, understood in (("développement", development), ("réserve", reserve))
    ]
    filled = [(label, some) for label, some in rows if some]
    return tables.verdicts("Ce qui est compris, par nature de question", filled)


def sets(understood: Understood) -> Table:
    """Return the verdicts by file of questions."""
    rows = [(name, _verdicts(judged)) for name, judged in understood.sets.items()]
    return tables.verdicts("Ce qui est compris, par fichier", rows)


def noise(twins: Mapping[str, Sequence[Twins]]) -> Table:
    """Return, for the questions in scope that each kind of noise changes, what it costs."""
    columns = ("questions", "propres : justes", "bruitées : justes", "propres : fausses")
    table = tables.table("Le bruit", "", *columns, "bruitées : fausses")
    every = [one for some in twins.values() for one in some]
    for kind, some in [*twins.items(), ("tous les bruits", every)]:
        clean = Counter(one.clean.verdict for one in some)
        noisy = Counter(one.noisy.verdict for one in some)
        shares = [
            tables.percent(counts[verdict], len(some))
            for verdict in ("right", "wrong")
            for counts in (clean, noisy)
        ]
        table.add_row(kind, str(len(some)), *shares)
    return table


def calibration(bands: Iterable[Band]) -> Table:
    """Return how many were answered with which confidence, and how often right."""
    table = tables.table("La confiance, parmi ce qui a reçu une réponse", "", "réponses", "justes")
    for band in bands:
        label = f"de {band.low:.1f} à {band.low + 0.1:.1f}".replace(".", ",")
        table.add_row(label, str(band.count), tables.percent(band.right, band.count))
    return table


def floor(understood: Understood, search: Sequence[Verdict]) -> Table:
    """Return what is understood in scope beside what a mere search finds."""
    rows = [("Passerelle", _verdicts(understood.of("scope"))), ("recherche par mots", search)]
    return tables.verdicts("Le plancher, dans le sujet", rows)


def ablations(variants: Mapping[str, Understood]) -> Table:
    """Return what each piece of the pipeline brings: shares that are right, unless said."""
    titles = ("dans le sujet", "dont fausses", "avec bruit", "à côté", "hors sujet", "suites")
    table = tables.table("Ce que chaque pièce apporte (justes)", "", *titles, "plusieurs")
    for name, one in variants.items():
        noisy = [twins.noisy for some in one.noise.values() for twins in some]
        table.add_row(
            name,
            _share(one.of("scope")),
            _share(one.of("scope"), "wrong"),
            _share(noisy),
            _share(one.of("next_to_it")),
            _share(one.of("off_subject")),
            _share(one.of("follow_up")),
            _share(one.of("double")),
        )
    return table


def learning_curve(curve: Mapping[float, Understood]) -> Iterator[Table]:
    """Return the shares that are right by the part of the examples: all, by subject, by aspect."""
    table = tables.table("Courbe d'apprentissage (justes)", "part des exemples", *_parts(curve))
    for kind, words in KINDS.items():
        table.add_row(words, *(_share(one.of(kind)) for one in curve.values()))
    yield table
    yield _learning("par sujet", curve, lambda question: question.about)
    yield _learning("par aspect", curve, lambda question: question.asks)


def cross_validation(folds: Sequence[Sequence[Verdict]]) -> Table:
    """Return what the examples held out are worth, by fold and together."""
    rows = [(f"pli {number}", fold) for number, fold in enumerate(folds, 1)]
    together = [verdict for fold in folds for verdict in fold]
    return tables.verdicts("Validation croisée des exemples", [*rows, ("ensemble", together)])


def costs(items: int, understood: Understood, training: float | None) -> Table:
    """Return how much was asked, and what understanding costs. `training` in seconds, if known."""
    table = tables.table("En tout", "", "")
    table.add_row("messages mesurés, sans les bruits", str(items))
    noisy = sum(map(len, understood.noise.values()))
    table.add_row("messages bruités", str(noisy))
    table.add_row("comprendre un message, médiane", tables.milliseconds(understood.seconds))
    if training is not None:
        table.add_row("apprentissage", f"{training:.0f} s")
    return table


def _learning(
    words: str, curve: Mapping[float, Understood], label: Callable[[Question], str]
) -> Table:
    counts = [
        tally((label(judged.question), judged.verdict) for judged in one.of("scope"))
        for one in curve.values()
    ]
    title = f"Courbe d'apprentissage, dans le sujet, {words} (justes)"
    table = tables.table(title, "part des exemples", "questions", *_parts(curve))
    for name, first in sorted(counts[0].items(), key=lambda item: -item[1].total()):
        shares = (tables.percent(one[name]["right"], one[name].total()) for one in counts)
        table.add_row(name, str(first.total()), *shares)
    return table


def _parts(curve: Mapping[float, Understood]) -> list[str]:
    return [f"{100 * part:.0f} %" for part in curve]


def _summary(measures: Sequence[Measures]) -> Table:
    table = tables.table("Comparaison", "", *(one.trained.name for one in measures))

    def row(label: str, *cells: str) -> None:
        table.add_row(label, *cells)

    def share(label: str, chosen: Sequence[Sequence[Judged]]) -> None:
        for verdict, words in zip(VERDICTS, tables.WORDS, strict=True):
            row(f"{label} : {words}", *(_share(some, verdict) for some in chosen))

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
    row("un tour, p50", *(tables.milliseconds(one.percentile(50)) for one in measures))
    row("un tour, p95", *(tables.milliseconds(one.percentile(95)) for one in measures))
    row(
        f"tour {EARLY.stop - 2} d'une conversation",
        *(tables.milliseconds(one.early_turn) for one in measures),
    )
    row(f"tour {LONG} de la même", *(tables.milliseconds(one.late_turn) for one in measures))
    return table


def _expected(question: Question) -> str:
    parts = " + ".join(" ".join(sorted(part)) for part in question.parts)
    facts = " ".join(sorted(question.facts))
    return facts or parts or question.follow or " ".join([*question.reply, *question.answers])


def _verdicts(judged: Iterable[Judged]) -> list[Verdict]:
    return [one.verdict for one in judged]


def _share(judged: Sequence[Judged], verdict: Verdict = "right") -> str:
    return tables.percent(sum(one.verdict == verdict for one in judged), len(judged))
