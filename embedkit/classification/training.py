"""Train a linear model of texts, and choose its settings on held-out texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from embedkit.classification.calibration import fit_temperature
from embedkit.classification.fitting import Parameters, Problem, TextExamples
from embedkit.classification.folds import distinct_texts, fold_numbers
from embedkit.classification.linear_model import LinearModel
from embedkit.classification.linear_settings import LinearSettings, Step, Validation
from embedkit.classification.objectives import OBJECTIVES, Objective
from embedkit.classification.terms import TermCounts, TextTerms
from embedkit.classification.word_views import WordViews
from embedkit.errors import ConfigurationError, InputError, counted
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["train_linear"]

_HIGHER_C: tuple[float, ...] = (4.0, 16.0, 64.0)  # that are tried
_LOWER_C: tuple[float, ...] = (
    1.0,
    0.25,
)  # that are tried if the first is the best of these
_FEW_TEXTS = 20  # too few to hold any out
_FOLDS = 5
_MANY_TEXTS = 3_000  # with so many, one fold is enough
_MOST_HELD_OUT = 10_000
_MOST_TRIAL_TEXTS = 20_000  # of models that only choose C and the temperature
_MOST_SCORES = 1 << 22  # of terms for labels; if there are more, rare n-grams are left out
_MOST_WORD_SCORES = 1 << 26  # of words for labels, which are never left out
_MOST_TARGETS = 1 << 26  # of texts for labels: L-BFGS keeps about 40 numbers for each, 10 GB


def train_linear(
    texts: Sequence[str],
    targets: NDArray[np.float32],
    task: str,
    vectors: WordVectors | None,
    settings: LinearSettings,
    *,
    weights: NDArray[np.float32] | None = None,
    progress: Callable[[Step], object] | None = None,
) -> tuple[LinearModel, Validation]:
    """Return a model of *texts*, calibrated on held-out texts, and what these showed.

    Args:
        texts: n texts.
        targets: (n, K): 1 for each label of a text and 0 for all others, or numbers.
        task: a name in `OBJECTIVES`.
        vectors: word vectors, or None.
        settings: see `LinearSettings`.
        weights: how much each text counts, (n,); None counts all the same.
        progress: called before each model is fitted.

    Raises:
        InputError: no text has a word, or one cannot be encoded as UTF-8; then the message names
            the row.
        ConfigurationError: there are too many labels for the number of texts or words.
    """
    most = _MOST_SCORES // targets.shape[1]
    terms, bags = TextTerms.of(
        texts, longest=settings.ngrams, tokenizer=settings.tokenizer, most=most
    )
    if not len(terms.words):
        raise InputError("no text has a word.", hint="Look at the column of texts.")
    _check_size(len(texts), len(terms.words), targets.shape[1])
    views = WordViews.of(terms.words.words(), vectors)
    buckets = np.unique(views.ngrams.indices).astype(np.int32)
    views = views.of_buckets(buckets)
    if weights is None:
        weights = np.ones(len(texts), dtype=np.float32)
    examples = TextExamples(terms.weights(bags), targets, weights)
    fit = _Fit(examples, _Prepared(texts, terms, bags), views, task, settings, progress)
    with threadpool_limits(1, user_api="blas"):  # the products are small; more threads would wait
        validation, start = fit.choose()
        problem = fit.problem(examples)
        parameters = fit.solve(problem, validation.C, start)
    ngrams, dimensions = problem.word_weights(parameters)
    model = LinearModel(
        terms=terms,
        term_scores=problem.term_scores(parameters),
        buckets=buckets,
        ngram_scores=ngrams,
        vector_scores=dimensions,
        bias=parameters.bias,
        vectors=vectors,
    )
    return model.scaled(1 / validation.temperature), validation


def _check_size(texts: int, words: int, labels: int) -> None:
    """Refuse what does not fit into memory."""
    for count, noun, most in (
        (texts, "text", _MOST_TARGETS),
        (words, "word", _MOST_WORD_SCORES),
    ):
        if count * labels > most:
            raise ConfigurationError(
                f"{counted(count, noun)} and {counted(labels, 'label')} need too much memory: "
                f"their product is {count * labels:,}, and the maximum is {most:,}.",
                hint="Leave out rare labels, train on fewer texts, or, for one label a text, use a "
                'network (head="network", --head network).',
            )


class _Prepared(NamedTuple):
    """The training texts, and the same as bags of terms."""

    texts: Sequence[str]
    terms: TextTerms
    bags: TermCounts


class _Split(NamedTuple):
    """Some texts to train on, and others that are held out.

    Attributes:
        inside: numbers of the texts to train on.
        outside: numbers of the held-out texts.
        problem: of the texts to train on.
        held_out: weights of the terms of the held-out texts, as those of new texts would be: of
            their n-grams, only those count that other texts have, too.
    """

    inside: NDArray[np.int64]
    outside: NDArray[np.int64]
    problem: Problem
    held_out: sparse.csr_array


class _Trial(NamedTuple):
    """What held-out texts showed of a C, and what was trained without each part of them."""

    validation: Validation
    parameters: list[Parameters]


class _Fit:
    """Fits models to all texts, or to all but some."""

    def __init__(
        self,
        examples: TextExamples,
        prepared: _Prepared,
        views: WordViews,
        task: str,
        settings: LinearSettings,
        progress: Callable[[Step], object] | None,
    ) -> None:
        self._examples, self._views, self._task = examples, views, task
        self._prepared = prepared
        self._settings, self._progress = settings, progress
        self._objective: Objective = OBJECTIVES[task]
        self._splits = [self._split(mask) for mask in self._held_out()]
        if settings.C is None:
            self._upwards, self._downwards = _HIGHER_C, _LOWER_C
        else:
            self._upwards, self._downwards = (settings.C,), ()
        self._fitted = 0

    def problem(self, examples: TextExamples) -> Problem:
        return Problem(examples, self._views, self._objective, ratios=self._task != "number")

    def solve(self, problem: Problem, inverse: float, start: Parameters) -> Parameters:
        self._fitted += 1
        if self._progress is not None:
            models = len(self._splits) * len(self._upwards) + 1
            self._progress(Step(min(self._fitted, models), models))
        return problem.solve(inverse, start)

    def choose(self) -> tuple[Validation, Parameters]:
        """Choose C with the lowest calibrated loss on held-out texts.

        Returns:
            What the held-out texts showed, and parameters to start the final training from.
        """
        outputs = self._examples.targets.shape[1]
        if not self._splits:
            inverse = self._settings.C or _HIGHER_C[0]
            none = np.zeros((0, outputs), dtype=np.float32)
            validation = Validation(inverse, 1.0, np.nan, np.zeros(0, np.int64), none)
            return validation, Parameters.zeros(len(self._examples), outputs)
        starts = [Parameters.zeros(len(split.inside), outputs) for split in self._splits]
        first = self._try(self._upwards[0], starts)
        best = self._best(self._upwards[1:], first)
        if best is first:
            best = self._best(self._downwards, first)
        start = best.parameters[0].spread(self._splits[0].inside, len(self._examples))
        return best.validation, start

    def _split(self, held_out: NDArray[np.bool_]) -> _Split:
        """Hold some texts out, and train on all others, or on 20,000 of them."""
        others, outside = np.flatnonzero(~held_out), np.flatnonzero(held_out)
        random = np.random.default_rng(self._settings.seed)
        inside = np.sort(random.permutation(others)[:_MOST_TRIAL_TEXTS])
        _, terms, bags = self._prepared
        terms = terms.trained_on(bags.take(others))
        examples = TextExamples(
            terms.weights(bags.take(inside)),
            self._examples.targets[inside],
            self._examples.weights[inside],
        )
        return _Split(inside, outside, self.problem(examples), terms.weights(bags.take(outside)))

    def _best(self, values: Sequence[float], best: _Trial) -> _Trial:
        """Try values in turn, as long as the held-out texts fit better and better."""
        for inverse in values:
            trial = self._try(inverse, best.parameters)
            if trial.validation.loss >= best.validation.loss:
                break
            best = trial
        return best

    def _try(self, inverse: float, starts: Sequence[Parameters]) -> _Trial:
        found = [
            self.solve(split.problem, inverse, start)
            for split, start in zip(self._splits, starts, strict=True)
        ]
        return _Trial(self._validate(inverse, found), found)

    def _validate(self, inverse: float, parameters: Sequence[Parameters]) -> Validation:
        rows = np.concatenate([split.outside for split in self._splits])
        scores = np.concatenate(
            [
                split.held_out @ split.problem.term_scores(found) + found.bias
                for split, found in zip(self._splits, parameters, strict=True)
            ]
        )
        targets, weights = self._examples.targets[rows], self._examples.weights[rows]
        if self._task == "number":
            loss = float(np.average(self._objective.losses(scores, targets), weights=weights))
            return Validation(inverse, 1.0, loss, rows, scores)
        temperature, loss = fit_temperature(scores, targets, self._objective, weights)
        return Validation(inverse, temperature, loss, rows, np.float32(1 / temperature) * scores)

    def _held_out(self) -> Iterator[NDArray[np.bool_]]:
        """Yield masks of the texts to hold out: each once if texts are few, else a share once."""
        texts = len(self._examples)
        if texts < _FEW_TEXTS:
            return
        targets = self._examples.targets
        strata = np.zeros(texts, np.int64) if self._task == "number" else targets.argmax(axis=1)
        different = int(distinct_texts(self._prepared.texts).max()) + 1
        folds = min(max(_FOLDS, -(-texts // _MOST_HELD_OUT)), different)
        if folds < 2:
            return
        numbers = fold_numbers(self._prepared.texts, strata, folds, self._settings.seed)
        for fold in range(folds if texts < _MANY_TEXTS else 1):
            yield numbers == fold
