"""Denoising: the network, noise to train on, the images it sees of a scene, measures of quality."""

from hsi.denoising.dncnn import BLIND_DEPTH, FIXED_DEPTH, DnCNN
from hsi.denoising.measures import Quality, check_scikit_image, quality
from hsi.denoising.moments import Gathered, Moments
from hsi.denoising.noise import NOISES, add_noise, check_sigma, parse_sigma
from hsi.denoising.planes import On, Planes
from hsi.denoising.ranges import Ranges

__all__ = [
    "BLIND_DEPTH",
    "FIXED_DEPTH",
    "NOISES",
    "DnCNN",
    "Gathered",
    "Moments",
    "On",
    "Planes",
    "Quality",
    "Ranges",
    "add_noise",
    "check_scikit_image",
    "check_sigma",
    "parse_sigma",
    "quality",
]
