from .estimators import DenseClassifier as DenseClassifier
from .estimators import DenseRegressor as DenseRegressor
