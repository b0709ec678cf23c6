from .transformers import TextFeatures as TextFeatures
from .transformers import WordFeatures as WordFeatures
