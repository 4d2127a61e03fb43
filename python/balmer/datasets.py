"""Measurements from which laws of nature were found, and some made the way such measurements are.

The tables are those of EmpiricalBench (M. Cranmer 2023, "Interpretable Machine Learning for Science with PySR
and SymbolicRegression.jl", arXiv:2305.01582), so that results can be compared with its.

>>> from balmer.datasets import load_kepler
>>> planets = load_kepler()
>>> planets.X.shape, planets.target_name
((6, 1), 'P')
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "Dataset",
    "load_bode",
    "load_hubble",
    "load_ideal_gas",
    "load_kepler",
    "load_leavitt",
    "load_newton",
    "load_planck",
    "load_rydberg",
    "load_schechter",
    "load_tully",
]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A table and what it is about.

    Attributes
    ----------
    name, title : str
    X : ndarray of shape (n_rows, n_features)
    y : ndarray of shape (n_rows,)
    feature_names : tuple of str
    target_name : str
    units : dict of str to str
        Of every column.
    law : str
        What is known of it. Nothing in balmer reads this.
    """

    name: str
    title: str
    X: NDArray[np.float64]
    y: NDArray[np.float64]
    feature_names: tuple[str, ...]
    target_name: str
    units: dict[str, str]
    law: str

    @property
    def frame(self) -> pd.DataFrame:
        """Features and target as one DataFrame."""
        import pandas as pd

        frame: pd.DataFrame = pd.DataFrame(self.X, columns=list(self.feature_names))
        frame[self.target_name] = self.y
        return frame


def _load(name: str, title: str, law: str, units: dict[str, str]) -> Dataset:
    text = resources.files("balmer").joinpath("data").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    header, *rows = csv.reader(text.splitlines())
    table = np.array(rows, dtype=np.float64)
    return Dataset(
        name=name,
        title=title,
        X=np.asfortranarray(table[:, :-1]),
        y=table[:, -1].copy(),
        feature_names=tuple(header[:-1]),
        target_name=header[-1],
        units=units,
        law=law,
    )


def load_kepler() -> Dataset:
    """Periods and distances of the six planets that Kepler knew; 6 rows.

    P, the orbital period in days, and a, the semi-major axis in astronomical units, of Mercury, Venus, Earth,
    Mars, Jupiter and Saturn, as J. Kepler had them for "Harmonices Mundi" (1619), after Tycho Brahe's
    observations.
    """
    return _load("kepler", "Kepler's third law", "P = 365.25 * a^1.5", {"a": "AU", "P": "days"})


def load_hubble() -> Dataset:
    """Velocities and distances of nebulae; 32 rows.

    v, the recession velocity in km/s, and D, the distance in megaparsecs: 32 points digitised from the figure
    of E. Hubble, "A relation between distance and radial velocity among extra-galactic nebulae", PNAS 15, 168
    (1929). His distances are too small, so the slope is about 450 km/s/Mpc instead of about 73.
    """
    return _load("hubble", "Hubble's law", "v = 450 * D", {"D": "Mpc", "v": "km/s"})


def load_leavitt() -> Dataset:
    """Periods and magnitudes of Cepheids in the Small Magellanic Cloud; 26 rows.

    M, the apparent magnitude, and P, the period in days: 26 points digitised from the figure of H. Leavitt
    and E. Pickering, "Periods of 25 variable stars in the Small Magellanic Cloud", Harvard College
    Observatory Circular 173 (1912).
    """
    return _load("leavitt", "Leavitt's law", "M = -0.905 * log(P) + 15.65", {"P": "days", "M": "mag"})


def load_bode() -> Dataset:
    """Distances of the planets and Ceres by their number; 8 rows.

    log_a, the natural logarithm of the semi-major axis in astronomical units (0.39, 0.72, 1, 1.52, 2.77, 5.2,
    9.58, 19.22), by the number n of J. Bode and J. Titius (1766-1772); -1000 stands for the minus infinity of
    Mercury.
    """
    return _load(
        "bode", "The law of Titius and Bode", "a = 0.4 + 0.3 * exp(0.693 * n)", {"n": "1", "log_a": "log(AU)"}
    )


def load_newton() -> Dataset:
    """Gravitational forces between two bodies; 30 rows.

    log_F, the natural logarithm of the force in newtons, for masses m1 and m2 in kg and the distance r in
    metres, drawn log-uniformly over the range of the solar system; the force has 10 % of relative noise. Made
    by a program, with the seed of EmpiricalBench.
    """
    units = {"r": "m", "m1": "kg", "m2": "kg", "log_F": "log(N)"}
    return _load("newton", "Newton's law of gravitation", "F = 6.674e-11 * m1 * m2 / r^2", units)


def load_ideal_gas() -> Dataset:
    """Pressures of an ideal gas; 30 rows.

    log_P, the natural logarithm of the pressure in pascals, for n moles at the temperature T in kelvins in
    the volume V in cubic metres, drawn uniformly; the pressure has 10 % of relative noise. Made by a program,
    with the seed of EmpiricalBench.
    """
    units = {"n": "mol", "T": "K", "V": "m^3", "log_P": "log(Pa)"}
    return _load("ideal_gas", "The ideal gas law", "P = 8.314 * n * T / V", units)


def load_planck() -> Dataset:
    """Spectral radiances of a black body; 100 rows.

    log_B, the natural logarithm of the radiance in W/(sr m^2 Hz), at the frequency nu in hertz and the
    temperature T in kelvins, drawn log-uniformly; the radiance has 10 % of relative noise. Made by a program,
    with the seed of EmpiricalBench. On 4 rows exp(h nu / (k T)) is beyond the range of double precision.
    """
    units = {"nu": "Hz", "T": "K", "log_B": "log(W/(sr m^2 Hz))"}
    return _load("planck", "Planck's law", "B = 1.474e-50 * nu^3 / (exp(4.799e-11 * nu / T) - 1)", units)


def load_rydberg() -> Dataset:
    """Wavelengths of hydrogen lines; 50 rows.

    log_lambda, the natural logarithm of the wavelength in metres, for the principal quantum numbers n_1 <
    n_2; the wavelength has 1 % of relative noise. Made by a program, with the seed of EmpiricalBench. J.
    Balmer (1885) found the case n_1 = 2 in four lines.
    """
    units = {"n_1": "1", "n_2": "1", "log_lambda": "log(m)"}
    return _load("rydberg", "Rydberg's formula", "1/lambda = 1.097e7 * (1/n_1^2 - 1/n_2^2)", units)


def load_schechter() -> Dataset:
    """Numbers of galaxies by luminosity; 27 rows.

    log_n, the natural logarithm of the number density, by the luminosity L in solar luminosities, drawn
    log-uniformly from P. Schechter's function (1976) with alpha = -1.2 and L* = 2.5e8; the density has 20 %
    of relative noise. Made by a program, with the seed of EmpiricalBench.
    """
    units = {"L": "Lsun", "log_n": "log(number density)"}
    return _load("schechter", "Schechter's function", "log(n) = -1.2 * log(L) - 4e-9 * L - 2.35", units)


def load_tully() -> Dataset:
    """Luminosities and rotations of spiral galaxies; 18 rows.

    L, the luminosity in watts, and DV, the width of the global profile in km/s: 18 points digitised from
    figure 5a of R. Tully and J. Fisher, "A new method of determining distances to galaxies", A&A 54, 661
    (1977).
    """
    return _load(
        "tully", "The relation of Tully and Fisher", "L proportional to DV^2.5", {"DV": "km/s", "L": "W"}
    )
