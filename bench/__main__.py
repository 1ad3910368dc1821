"""`make bench`: right, asked back, wrong; and what each pipeline costs."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console

from bench import pipelines, questions, report
from bench.measure import measure
from deploy.rasa import RasaError
from deploy.stack import StackError
from knowledge import load


def main() -> int:
    """Run the bench; return the exit code."""
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
        "--questions",
        type=Path,
        default=questions.FILE,
        metavar="FICHIER",
        help="d'autres questions, par exemple bench/validation.yml",
    )
    parser.add_argument("--misses", action="store_true", help="montre aussi ce qui n'est pas juste")
    parser.add_argument("--write", type=Path, metavar="FICHIER", help="écrit les tableaux")
    options = parser.parse_args()
    console = Console()
    development, knowledge = questions.load(options.questions), load()
    trainings: list[Callable[[Path], pipelines.Trained]] = [pipelines.train_ours]
    if not options.ours:
        trainings.append(partial(pipelines.train_stock, epochs=options.stock_epochs))
    measures = []
    try:
        for index, train in enumerate(trainings):
            with tempfile.TemporaryDirectory(prefix="passerelle-bench-") as name:
                folder = Path(name)
                trained = train(folder)
                var = folder / f"var{index}"
                measures.append(measure(trained, development, knowledge, var, console.print))
    except (RasaError, StackError, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    report.show(list(report.tables(measures)), console)
    if options.misses:
        report.show([report.misses(measures[0])], console)
    if options.write:
        options.write.write_text(report.markdown(measures), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
