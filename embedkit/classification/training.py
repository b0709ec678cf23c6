"""Train a linear model of texts, and choose its settings on held-out texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from embedkit.classification.calibration import fit_temperature
from embedkit.classification.fitting import Parameters, Problem, TextExamples
from embedkit.classification.folds import distinct_texts, fold_numbers
from embedkit.classification.linear_model import LinearModel
from embedkit.classification.objectives import OBJECTIVES, Objective
from embedkit.classification.terms import TermCounts, TextTerms
from embedkit.classification.word_views import WordViews
from embedkit.corpus.tokenizers import TOKENIZERS
from embedkit.errors import ConfigurationError, counted
from embedkit.validation import Ranges, check_choice, check_ranges
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["LinearSettings", "Step", "Validation", "train_linear"]

_STRENGTHS: tuple[float, ...] = (4.0, 16.0, 64.0)  # that are tried
_LOWER_STRENGTHS: tuple[float, ...] = (
    1.0,
    0.25,
)  # that are tried if the first is the best of these
_FEW_TEXTS = 20  # too few to hold any out
_FOLDS = 5
_MANY_TEXTS = 3_000  # with so many, one fold is enough
_MOST_HELD_OUT = 10_000
_MOST_TRIAL_TEXTS = 20_000  # of models that only choose the strength and the temperature
_MOST_SCORES = 1 << 22  # of terms for labels: L-BFGS keeps about 18 numbers for each
_MAX_SCORES = 1 << 26
_RANGES: Ranges = {"ngrams": (1, 10), "strength": (1e-6, 1e6), "seed": (0, 2**63 - 1)}


@dataclass(frozen=True)
class LinearSettings:
    """Settings of a linear model of texts.

    Attributes:
        ngrams: the length of the longest word n-grams that are terms.
        strength: inverse strength of the L2 penalty, as C of scikit-learn's logistic regression;
            None chooses it on held-out texts.
        tokenizer: a name in `embedkit.corpus.tokenizers.TOKENIZERS`.
        seed: of the choice of held-out texts; the rest of the training is not random.

    Raises:
        ConfigurationError: a value is outside its range.
    """

    ngrams: int = 2
    strength: float | None = None
    tokenizer: str = "words+punctuation"
    seed: int = 1

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES, optional=["strength"])
        check_choice("tokenizer", self.tokenizer, TOKENIZERS)


class Step(NamedTuple):
    """Progress of training: the model that is being fitted, counted from 1, and how many may be."""

    model: int
    models: int


@dataclass(frozen=True)
class Validation:
    """What held-out texts showed.

    Attributes:
        strength: the chosen strength.
        temperature: what the scores were divided by.
        loss: mean loss of the held-out texts with this strength and temperature; NaN if none were
            held out.
        rows: numbers of the held-out texts, int64 (m,).
        scores: of the held-out texts, calibrated, by models that were not trained on them, float32
            (m, K).
    """

    strength: float
    temperature: float
    loss: float
    rows: NDArray[np.int64]
    scores: NDArray[np.float32]


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
        InputError: a text cannot be encoded as UTF-8. The message names the row.
        ConfigurationError: there are too many labels for the number of terms.
    """
    most = _MOST_SCORES // targets.shape[1]
    terms, bags = TextTerms.of(
        texts, longest=settings.ngrams, tokenizer=settings.tokenizer, most=most
    )
    _check_size(len(terms), targets.shape[1])
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
        parameters = fit.solve(problem, validation.strength, start)
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


def _check_size(words: int, labels: int) -> None:
    if words * labels > _MAX_SCORES:
        raise ConfigurationError(
            f"{counted(words, 'word')} and {counted(labels, 'label')} need {words * labels:,} "
            f"scores; the maximum is {_MAX_SCORES:,}.",
            hint='Use a network, which needs less memory (head="network", --head network).',
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
    """What held-out texts showed of a strength, and what was trained without each part of them."""

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
        if settings.strength is None:
            self._upwards, self._downwards = _STRENGTHS, _LOWER_STRENGTHS
        else:
            self._upwards, self._downwards = (settings.strength,), ()
        self._fitted = 0

    def problem(self, examples: TextExamples) -> Problem:
        return Problem(examples, self._views, self._objective, ratios=self._task != "number")

    def solve(self, problem: Problem, strength: float, start: Parameters) -> Parameters:
        self._fitted += 1
        if self._progress is not None:
            models = len(self._splits) * len(self._upwards) + 1
            self._progress(Step(min(self._fitted, models), models))
        return problem.solve(strength, start)

    def choose(self) -> tuple[Validation, Parameters]:
        """Choose the strength with the lowest calibrated loss on held-out texts.

        Returns:
            What the held-out texts showed, and parameters to start the final training from.
        """
        outputs = self._examples.targets.shape[1]
        if not self._splits:
            strength = self._settings.strength or _STRENGTHS[0]
            none = np.zeros((0, outputs), dtype=np.float32)
            validation = Validation(strength, 1.0, np.nan, np.zeros(0, np.int64), none)
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

    def _best(self, strengths: Sequence[float], best: _Trial) -> _Trial:
        """Try strengths in turn, as long as the held-out texts fit better and better."""
        for strength in strengths:
            trial = self._try(strength, best.parameters)
            if trial.validation.loss >= best.validation.loss:
                break
            best = trial
        return best

    def _try(self, strength: float, starts: Sequence[Parameters]) -> _Trial:
        found = [
            self.solve(split.problem, strength, start)
            for split, start in zip(self._splits, starts, strict=True)
        ]
        return _Trial(self._validate(strength, found), found)

    def _validate(self, strength: float, parameters: Sequence[Parameters]) -> Validation:
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
            return Validation(strength, 1.0, loss, rows, scores)
        temperature, loss = fit_temperature(scores, targets, self._objective, weights)
        return Validation(strength, temperature, loss, rows, np.float32(1 / temperature) * scores)

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
