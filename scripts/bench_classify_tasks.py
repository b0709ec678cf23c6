"""One process of scripts/bench_classify: train a classifier or predict labels.

    scripts/bench_classify_tasks.py METHOD train|predict MODEL FOLDER OUTPUT

FOLDER has train.txt in fastText's format and test.txt with a text in each line; OUTPUT is the name
of the classifier, or of the file of predicted labels, in it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

__all__ = ["METHODS"]

_LABEL = "__label__"


def _embedkit_train(model: str, folder: Path) -> None:
    from embedkit.cli import main

    sys.argv = [
        "embedkit", "classify", "train", str(folder / "train.txt"), "--model", model,
        "-o", str(folder / "classifier"), "--overwrite", "--quiet",
    ]  # fmt: skip
    main()


def _embedkit_predict(model: str, folder: Path) -> list[str]:
    from embedkit.classification.text_classifier import TextClassifier

    classifier = TextClassifier.load(folder / "classifier")
    return [str(label) for label in classifier.predict(_texts(folder))]


def _fasttext_train(model: str, folder: Path) -> None:
    import fasttext

    trained = fasttext.train_supervised(
        str(folder / "train.txt"), lr=0.5, epoch=25, wordNgrams=2, thread=2, verbose=0
    )
    trained.save_model(str(folder / "classifier"))


def _fasttext_predict(model: str, folder: Path) -> list[str]:
    import fasttext

    trained = fasttext.load_model(str(folder / "classifier"))
    found, _ = trained.predict(_texts(folder))
    return [labels[0].removeprefix(_LABEL) for labels in found]


def _sklearn_train(model: str, folder: Path) -> None:
    import joblib
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    lines = (folder / "train.txt").read_text(encoding="utf-8").split("\n")[:-1]
    labels, texts = zip(*(line.split(" ", 1) for line in lines), strict=True)
    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=1000))
    pipeline.fit(texts, [label.removeprefix(_LABEL) for label in labels])
    joblib.dump(pipeline, folder / "classifier")


def _sklearn_predict(model: str, folder: Path) -> list[str]:
    import joblib

    return [str(label) for label in joblib.load(folder / "classifier").predict(_texts(folder))]


def _texts(folder: Path) -> list[str]:
    return (folder / "test.txt").read_text(encoding="utf-8").split("\n")[:-1]


_TRAIN = {
    "embedkit": _embedkit_train, "fastText": _fasttext_train, "scikit-learn": _sklearn_train,
}  # fmt: skip
_PREDICT = {
    "embedkit": _embedkit_predict, "fastText": _fasttext_predict, "scikit-learn": _sklearn_predict,
}  # fmt: skip
METHODS = tuple(
    method for method in _TRAIN if method != "fastText" or importlib.util.find_spec("fasttext")
)
"""The methods that can be compared here; fastText needs Python 3.11 or older."""


def _run(method: str, stage: str, model: str, folder: Path, output: str) -> None:
    if stage == "train":
        _TRAIN[method](model, folder)
    else:
        labels = _PREDICT[method](model, folder)
        (folder / output).write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")


if __name__ == "__main__":
    _run(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]), sys.argv[5])
