from .edges import read_edges as read_edges
from .graph import Graph as Graph
from .options import SEPARATORS as SEPARATORS
from .walks import WalkConfig as WalkConfig
from .walks import Walks as Walks
from .walks import random_walks as random_walks
from .walks import write_walks as write_walks
