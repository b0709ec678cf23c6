from .datasets import LabelledTexts as LabelledTexts
from .datasets import read_labelled as read_labelled
from .report import ClassificationReport as ClassificationReport
from .report import score_labels as score_labels
from .text_classifier import TextClassifier as TextClassifier
