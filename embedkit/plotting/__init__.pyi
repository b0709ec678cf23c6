from .draw import draw as draw
from .loss_curves import LossCurve as LossCurve
from .loss_curves import draw_loss_curves as draw_loss_curves
from .loss_curves import read_loss_curves as read_loss_curves
from .options import PROJECTION_METHODS as PROJECTION_METHODS
from .word_map import WordMap as WordMap
from .word_map import word_map as word_map
