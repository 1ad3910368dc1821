"""Ranks the classes of a text by linear support vector machines, with probabilities."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Text, Tuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import coo_matrix, csr_matrix, hstack, spmatrix
from scipy.special import log_softmax, softmax
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

RANKED = 10
"""How many classes are worth telling: the action server receives them."""
_PARTS = 5
"""One part in so many is held out to measure how sure the classifiers may be."""
_TOLERANCE = 1e-2
"""When the training of a classifier stops: a finer one takes longer and understands no better."""
_DECIMALS = 4
"""Of a confidence; what is then zero is not told: a tracker keeps every ranking."""

Ranking = List[Dict[Text, Any]]
"""Names and their confidences, likeliest first."""


class Ranker(NamedTuple):
    """Linear scores of each class, which become probabilities by one measured temperature.

    `weights` has a row for each feature and a column for each class; each family
    of subjects adds its own to them.
    """

    classes: List[Text]
    weights: csr_matrix
    intercept: np.ndarray
    temperature: float
    by_family: Dict[Text, csr_matrix]

    @classmethod
    def fitted(
        cls,
        features: csr_matrix,
        labels: Sequence[Text],
        regularisation: float,
        families: Sequence[Sequence[Text]] = (),
    ) -> Ranker:
        """Train on `features`; the temperature is that which fits a part held out at first.

        With the `families` of each example, a feature is learnt once for all and
        once more for each family: "signer" is one thing about a subsidy and
        another about a mandate. (H. Daumé III, Frustratingly Easy Domain
        Adaptation, 2007.)
        """
        classes, true = np.unique(labels, return_inverse=True)
        parts = max(2, min(_PARTS, int(np.bincount(true).min())))
        folds = StratifiedKFold(parts, shuffle=True, random_state=0)
        learnt, _ = next(folds.split(features, true))
        rows, spread, own = _spread(features, families)
        true = true[rows]
        held_out = ~np.isin(rows, learnt)

        def trained(some: np.ndarray) -> LinearSVC:
            untrained = LinearSVC(C=regularisation, tol=_TOLERANCE, random_state=0)
            return untrained.fit(spread[some], true[some])

        # Both at once: scikit-learn lets go of Python's lock while it trains.
        with ThreadPoolExecutor(2) as pool:
            trial, final = pool.map(trained, [~held_out, np.full(len(rows), True)])
        scores = _two_or_more(trial.decision_function(spread[held_out]))

        def loss(temperature: float) -> float:
            probabilities = log_softmax(scores / temperature, axis=1)
            return -float(probabilities[np.arange(len(scores)), true[held_out]].mean())

        best = minimize_scalar(loss, bounds=(0.02, 2.0), method="bounded")
        weights = _two_or_more(final.coef_.T).astype(np.float32)
        by_family = {}
        begin = size = features.shape[1]
        for name, columns in own.items():
            by_family[name] = _in_place(weights[begin : begin + len(columns)], columns, size)
            begin += len(columns)
        return cls(
            [str(name) for name in classes],
            csr_matrix(weights[:size]),
            _two_or_more(final.intercept_[None])[0],
            float(best.x),
            by_family,
        )

    def rank(self, features: csr_matrix) -> List[Ranking]:
        """Return the likeliest classes of each text, likeliest first."""
        return self._ranked(self._probabilities(features @ self.weights))

    def rank_by_family(
        self, features: csr_matrix, likely: Sequence[Mapping[Text, float]]
    ) -> List[Tuple[Ranking, Dict[Text, Ranking]]]:
        """Return the same for each text and, besides, as if it were about each family.

        `likely` tells for each text how likely each family is.
        """
        common = features @ self.weights
        families = {
            name: self._probabilities(common + features @ weights)
            for name, weights in self.by_family.items()
        }
        whole = sum(
            np.array([one.get(name, 0.0) for one in likely])[:, None] * probabilities
            for name, probabilities in families.items()
        )
        rankings = {name: self._ranked(one) for name, one in families.items()}
        return [
            (ranking, {name: rankings[name][place] for name in families})
            for place, ranking in enumerate(self._ranked(whole))
        ]

    def _probabilities(self, scores: spmatrix) -> np.ndarray:
        return softmax((scores.toarray() + self.intercept) / self.temperature, axis=1)

    def _ranked(self, probabilities: np.ndarray) -> List[Ranking]:
        return [
            [
                {"name": self.classes[index] or None, "confidence": float(row[index])}
                for index in np.argsort(-row)[:RANKED]
                if row[index] > 0
            ]
            for row in np.round(probabilities, _DECIMALS)
        ]


def _spread(
    features: csr_matrix, families: Sequence[Sequence[Text]]
) -> Tuple[np.ndarray, csr_matrix, Dict[Text, np.ndarray]]:
    """Return each example once for each of its families, with the family's own features.

    That is: the example of each row; the features, those of all families first,
    then those of each; and for each family which features it has.
    """
    if not families:
        return np.arange(features.shape[0]), features, {}
    pairs = [(row, family) for row, some in enumerate(families) for family in some]
    rows = np.array([row for row, _ in pairs])
    of = np.array([family for _, family in pairs])
    repeated = features[rows]
    blocks, own = [repeated], {}
    for name in sorted(set(of)):
        own[str(name)] = columns = np.flatnonzero(repeated[of == name].getnnz(axis=0))
        blocks.append(repeated[:, columns].multiply((of == name)[:, None]))
    return rows, hstack(blocks, "csr"), own


def _in_place(weights: np.ndarray, columns: np.ndarray, size: int) -> csr_matrix:
    """Return the weights of some of `size` features as weights of all of them."""
    found = coo_matrix(weights)
    return csr_matrix((found.data, (columns[found.row], found.col)), (size, weights.shape[1]))


def _two_or_more(scores: np.ndarray) -> np.ndarray:
    """Return a column for each class: scikit-learn gives one for two."""
    scores = scores[:, None] if scores.ndim == 1 else scores
    return np.column_stack([-scores, scores]) if scores.shape[1] == 1 else scores
