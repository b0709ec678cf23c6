from .exact import DenseIndex as DenseIndex
from .exact import SparseIndex as SparseIndex
from .exact import make_index as make_index
from .metrics import METRICS as METRICS
from .metrics import Metric as Metric
from .protocol import Hits as Hits
from .protocol import Index as Index
