"""`nlu/.venv/bin/python -m bench.search`: the least one may expect, a search without learning.

Reads `{"answers": {key: text}, "questions": [text]}` on the standard input and
writes the JSON list of `[key, likeness]`, the likest answer of each question.
Run where scikit-learn is, in Rasa's environment: nothing of the application is there.
"""

import json
import sys
from collections.abc import Mapping, Sequence

from sklearn.feature_extraction.text import (  # type: ignore[import-not-found]
    TfidfVectorizer,
)

from nlu.components.text import fold


def likest(answers: Mapping[str, str], questions: Sequence[str]) -> list[tuple[str, float]]:
    """Return for each question the key of the likest answer, and the cosine of their n-grams."""
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    known = vectorizer.fit_transform([fold(text).text for text in answers.values()])
    asked = vectorizer.transform([fold(text).text for text in questions])
    likeness = (asked @ known.T).toarray()
    keys = list(answers)
    return [(keys[row.argmax()], float(row.max())) for row in likeness]


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump(likest(given["answers"], given["questions"]), sys.stdout)
