"""`make bench`: right, asked back, wrong; what each piece brings, and what it costs."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import (
    calibration,
    floor,
    folds,
    noise,
    pictures,
    pipelines,
    questions,
    report,
    tables,
    variants,
)
from bench.measure import measure
from bench.questions import Kind
from bench.understanding import Parses, Understood, parse, texts, understand, without_parts
from deploy.rasa import RasaError
from deploy.stack import StackError
from knowledge import load

DRAWN: tuple[Kind, ...] = ("scope", "next_to_it", "follow_up", "double")
"""The kinds of questions of which the learning curve is drawn."""


class Bench:
    """One run of the bench: its tables, shown as they come, and its pictures, by file name."""

    def __init__(self, folder: Path, console: Console) -> None:
        """`folder` receives the models, the logs and the data of the processes."""
        self.tables: list[Table] = []
        self.pictures: dict[str, str] = {}
        self._folder = folder
        self._console = console
        self._knowledge = load()
        self._development = questions.load_development()
        self._reserve = questions.load_reserve()
        self._sets = {**self._development, **self._reserve}

    def compare(
        self, ours: pipelines.Trained, stock: Callable[[Path], pipelines.Trained] | None
    ) -> None:
        """Play the development questions through the public API, beside `rasa init` if given."""
        played, measures = questions.load(), []
        trainings = [lambda _: ours, *([stock] if stock else [])]
        for index, train in enumerate(trainings):
            folder = self._folder / f"compared{index}"
            trained, var = train(folder), folder / "var"
            measures.append(measure(trained, played, self._knowledge, var, self._console.print))
        self._add(report.comparison(measures))

    def understand(self, model: Path, seconds: float | None, misses: bool) -> Parses:
        """Measure what a model understands of every set; return what Rasa made of their texts."""
        self._console.print("Ce qui est compris de tous les jeux")
        parses = parse(model, texts(self._sets), self._folder / "parse.log")
        understood = understand(self._sets, parses, self._knowledge)
        development = understood.among(self._development)
        scope = understood.of("scope")
        bands = calibration.bands(understood.of())
        found = floor.search([one.question for one in scope], self._knowledge)
        self._add([report.kinds(development, understood.among(self._reserve))])
        self._add([report.sets(understood), report.noise(understood.noise)])
        self._add(report.by_label("Dans le sujet", scope))
        self._add([report.calibration(bands), report.floor(understood, found)])
        self._add([report.costs(len(understood.of()), understood, seconds)])
        if misses:
            tables.show([report.misses(development.of())], self._console)
        self.pictures["calibration.svg"] = pictures.calibration(bands)
        return parses

    def vary(self, parses: Parses) -> None:
        """Measure the ablations and the learning curve. `parses` are our own model's."""
        whole = partial(understand, self._sets, knowledge=self._knowledge)
        models = variants.side_by_side(
            [
                *(partial(self._ablation, name) for name in variants.ABLATIONS),
                *(partial(self._share, part) for part in variants.SHARES),
            ]
        )
        ablated = dict(zip(variants.ABLATIONS, models, strict=False))
        shares = dict(zip(variants.SHARES, models[len(ablated) :], strict=True))
        ours, unsplit = whole(parses), whole(without_parts(parses))
        self._add([report.ablations({"entier": ours, **ablated, "sans découpage": unsplit})])
        curve = {**shares, 1.0: ours}
        self._add(report.learning_curve(curve))
        lines = {
            report.KINDS[kind]: [(part, _right(one, kind)) for part, one in curve.items()]
            for kind in DRAWN
        }
        self.pictures["learning-curve.svg"] = pictures.learning_curve(lines)

    def cross_validate(self) -> None:
        """Measure the examples on themselves, each held out once."""
        judged = folds.cross_validate(self._folder / "folds", self._knowledge)
        self._add([report.cross_validation(judged)])

    def _ablation(self, name: str) -> Understood:
        folder = self._folder / f"ablation{list(variants.ABLATIONS).index(name)}"
        return self._measured(variants.train_ablation(name, folder), noise.KINDS)

    def _share(self, part: float) -> Understood:
        trained = variants.train_share(part, self._folder / f"share{part}")
        return self._measured(trained, kinds=())

    def _measured(self, trained: pipelines.Trained, kinds: Iterable[str]) -> Understood:
        log = trained.model.with_name("parse.log")
        parses = parse(trained.model, texts(self._sets, kinds), log)
        return understand(self._sets, parses, self._knowledge, kinds)

    def _add(self, made: Iterable[Table]) -> None:
        added = list(made)
        tables.show(added, self._console)
        self.tables += added


def main() -> int:
    """Run the bench; return the exit code."""
    options = _options()
    console = Console()
    try:
        with tempfile.TemporaryDirectory(prefix="passerelle-bench-") as name:
            bench = Bench(Path(name), console)
            _run(bench, options, Path(name))
    except (RasaError, StackError, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.write:
        options.write.write_text(tables.markdown(bench.tables), encoding="utf-8")
        for file, picture in bench.pictures.items():
            options.write.with_name(file).write_text(picture, encoding="utf-8")
    return 0


def _run(bench: Bench, options: argparse.Namespace, folder: Path) -> None:
    if options.model:
        bench.understand(options.model, None, options.misses)
        return
    ours = pipelines.train_ours(folder / "ours")
    if options.quick:
        bench.understand(ours.model, ours.seconds, options.misses)
        return
    stock = partial(pipelines.train_stock, epochs=options.stock_epochs)
    bench.compare(ours, None if options.ours else stock)
    parses = bench.understand(ours.model, ours.seconds, options.misses)
    bench.vary(parses)
    bench.cross_validate()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--ours", action="store_true", help="sans le pipeline de « rasa init »")
    parser.add_argument(
        "--stock-epochs",
        type=int,
        default=pipelines.STOCK_EPOCHS,
        metavar="N",
        help="époques de DIET chez « rasa init » (100 à l'origine : quatre heures)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="un apprentissage, puis tous les jeux, les bruits, la confiance et le plancher",
    )
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FICHIER",
        help="avec --quick : un modèle déjà appris",
    )
    parser.add_argument(
        "--misses",
        action="store_true",
        help="montre ce qui n'est pas juste, jamais de la réserve",
    )
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FICHIER",
        help="écrit les tableaux, et les dessins à côté",
    )
    options = parser.parse_args()
    if options.model and not options.quick:
        parser.error("--model va avec --quick")
    if options.model and not options.model.is_file():
        parser.error(f"{options.model} n'existe pas")
    return options


def _right(understood: Understood, kind: Kind) -> float:
    judged = understood.of(kind)
    return sum(one.verdict == "right" for one in judged) / len(judged)


if __name__ == "__main__":
    sys.exit(main())
