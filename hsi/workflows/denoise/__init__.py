"""Denoising from end to end: training a denoiser, denoising a scene, and what that is worth."""

from hsi.workflows.denoise.apply import Denoised, denoise_scene
from hsi.workflows.denoise.assess import Assessed, assess_denoiser, noisy_scene
from hsi.workflows.denoise.train import resume_denoiser, train_denoiser

__all__ = [
    "Assessed",
    "Denoised",
    "assess_denoiser",
    "denoise_scene",
    "noisy_scene",
    "resume_denoiser",
    "train_denoiser",
]
