"""A made scene that behaves like a real one, and is the same on every machine.

Farmland as an imaging spectrometer sees it: fields of similar crops, mixed pixels along their
borders, hills that change the illumination, and noise that is worst where the atmosphere absorbs.
It is no measurement; it serves first steps, tests and timings.

The same arguments give the same bits whatever the processor, the operating system and the version
of NumPy. So all numbers come from `+`, `-`, `*`, `/`, `sqrt` and comparisons, which IEEE 754 rounds
in one way only; fractions are summed in loops of fixed order; and the random bits are the raw
stream of PCG64, which NumPy keeps for good. `exp`, `sin`, matrix products, `np.sum` of fractions
and NumPy's distributions have no such promise: do not use them here.
"""

from hsi.scenes.synthetic.farmland import synthetic_scene

__all__ = ["synthetic_scene"]
