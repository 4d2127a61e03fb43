"""Physical units as text: what dimension they have. Their sizes do not matter; no value is ever rescaled."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, NoReturn

__all__ = ["Dimension", "dimension"]

_BASES = ("m", "kg", "s", "A", "K", "mol", "cd")


@dataclass(frozen=True)
class Dimension:
    """A product of powers of the base units of SI. Angles are numbers.

    Attributes
    ----------
    exponents : tuple of seven Fraction
        Of metre, kilogram, second, ampere, kelvin, mole and candela.
    """

    exponents: tuple[Fraction, ...] = (Fraction(0),) * len(_BASES)

    def __mul__(self, other: Dimension) -> Dimension:
        return Dimension(tuple(a + b for a, b in zip(self.exponents, other.exponents, strict=True)))

    def __truediv__(self, other: Dimension) -> Dimension:
        return self * other**-1

    def __pow__(self, power: Fraction | int) -> Dimension:
        return Dimension(tuple(a * power for a in self.exponents))

    def __str__(self) -> str:
        """Return the unit in SI, in the form that `dimension` reads."""
        powers = [(name, power) for name, power in zip(_BASES, self.exponents, strict=True) if power]
        above = "*".join(_power_text(name, power) for name, power in powers if power > 0)
        below = [_power_text(name, -power) for name, power in powers if power < 0]
        if not below:
            return above or "1"
        return f"{above or '1'}/{below[0] if len(below) == 1 else '(' + '*'.join(below) + ')'}"


def _power_text(name: str, power: Fraction) -> str:
    if power == 1:
        return name
    return f"{name}^{power}" if power.denominator == 1 else f"{name}^({power})"


# Symbols go with symbols of units, names with names: km, kilometer.
_PREFIXES = "Q R Y Z E P T G M k h da d c m u µ μ n p f a z y r q"
_PREFIX_NAMES = (
    "quetta ronna yotta zetta exa peta tera giga mega kilo hecto deca deka "
    "deci centi milli micro nano pico femto atto zepto yocto ronto quecto"
)

# In terms of those above them: symbols, names, what they are. Those before the "|" take prefixes.
_TABLE = """
m, meter metre : base | micron inch in foot feet ft yard yd mile mi AU au ly lightyear R_sun
g, gram : base | lb pound oz M_sun M_earth amu dalton
s, second : base | min minute h hr hour day d week month year yr a
A, ampere amp : base
K, kelvin : base | degC degF °C °F celsius fahrenheit
mol, mole : base
cd, candela : base
rad sr, radian steradian : 1 | deg degree ° arcmin arcminute arcsec arcsecond turn rev % percent ppm dB count
Hz Bq Bd, hertz becquerel : 1/s | rpm
N dyn, newton dyne : kg*m/s^2 | lbf
J eV Wh cal erg, joule electronvolt calorie : N*m | BTU hartree rydberg
W, watt : J/s | hp L_sun
Pa bar Torr, pascal torr : N/m^2 | atm mmHg psi
C, coulomb : A*s
V, volt : W/A
F, farad : C/V
Ohm ohm Ω Ω : V/A
S, siemens : A/V
Wb, weber : V*s
T G, tesla gauss : Wb/m^2
H, henry : Wb/A
lm, lumen : cd
lx, lux : lm/m^2
Gy Sv, gray sievert : J/kg
kat, katal : mol/s
L l, liter litre : m^3 | gal gallon ml
M, molar : mol/L
pc, parsec : m | Å angstrom Angstrom
Da t, tonne : kg
Jy, jansky : W/(m^2*Hz)
P, poise : Pa*s
St, stokes : m^2/s
"""

_CONSTANTS = {
    "c": "m/s",
    "h": "J*s",
    "hbar": "J*s",
    "e": "C",
    "k_B": "J/K",
    "N_A": "1/mol",
    "G": "m^3/(kg*s^2)",
    "R": "J/(mol*K)",
    "F": "C/mol",
    "sigma_sb": "W/(m^2*K^4)",
    "eps_0": "F/m",
    "mu_0": "H/m",
    "m_e": "kg",
    "m_p": "kg",
    "m_n": "kg",
    "u": "kg",
    "a_0": "m",
    "Ryd": "1/m",
    "alpha": "1",
}


class _Units:
    """The table: the dimension of each name, and which names take prefixes."""

    def __init__(self) -> None:
        self.known: dict[str, Dimension] = {}
        self._prefixes, self._prefix_names = _PREFIXES.split(), _PREFIX_NAMES.split()
        self._symbols: set[str] = set()
        self._names: set[str] = set()
        bases = iter(_BASES)
        for line in _TABLE.strip().splitlines():
            left, _, right = line.partition(" : ")
            definition, _, others = right.partition(" | ")
            symbols, _, names = left.partition(", ")
            value = self._base(next(bases)) if definition == "base" else _read(definition, self)
            self._symbols.update(symbols.split())
            self._names.update(names.split())
            for name in f"{symbols} {names} {others}".split():
                self.known.setdefault(name, value)
        for name, unit in _CONSTANTS.items():
            self.known[f"Constants.{name}"] = _read(unit, self)

    @staticmethod
    def _base(name: str) -> Dimension:
        return Dimension(tuple(Fraction(int(base == name)) for base in _BASES))

    def find(self, name: str) -> Dimension | None:
        """Return the dimension of a unit with or without prefix, in the singular or the plural."""
        if name in self.known:
            return self.known[name]
        for length in (1, 2):
            if name[:length] in self._prefixes and name[length:] in self._symbols:
                return self.known[name[length:]]
        for prefix in self._prefix_names:
            if name.startswith(prefix) and name[len(prefix) :] in self._names:
                return self.known[name[len(prefix) :]]
        return self.find(name[:-1]) if len(name) > 3 and name.endswith("s") else None

    def nearest(self, name: str) -> str:
        """Return the known name, with or without prefix, that is most like `name`; empty if none is."""
        prefixed = [prefix + symbol for symbol in sorted(self._symbols) for prefix in "kmuMGnc"]
        names = [
            prefix + unit for unit in sorted(self._names) for prefix in ("kilo", "milli", "micro", "mega")
        ]
        near = difflib.get_close_matches(name, [*self.known, *prefixed, *names], n=1, cutoff=0.5)
        same = [known for known in self.known if known.lower() == name.lower()]
        return (same or near or [""])[0]


@lru_cache(maxsize=1)
def _units() -> _Units:
    return _Units()


_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*(?:\.\w+)?|°[CF]?|%)|(?P<sign>\*\*|[-+*/^()]))"
)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")


class _Reader:
    """unit: factor {(* | / | nothing) factor}; factor: (number | name | "(" unit ")") [^ exponent]."""

    def __init__(self, text: str, units: _Units) -> None:
        self._text, self._units = text, units
        plain = re.sub(r"[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: f"^{found[0].translate(_SUPERSCRIPTS)}", text)
        self._tokens = self._split(plain.replace("·", "*").replace("⋅", "*"))
        self._at = 0

    def read(self) -> Dimension:
        if not self._tokens:
            return Dimension()
        result = self._unit()
        if self._at < len(self._tokens):
            self._fail(f"did not expect {self._tokens[self._at][1]!r}")
        return result

    def _split(self, text: str) -> list[tuple[str, str]]:
        tokens, at = [], 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                self._fail(f"did not expect {text[at:].strip()[0]!r}")
            tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            at = found.end()
        return tokens

    def _fail(self, what: str) -> NoReturn:
        raise ValueError(f"the unit {self._text!r} makes no sense: {what}. Write it as in 'kg*m^2/s^2'")

    def _take(self, *signs: str) -> str | None:
        if self._at < len(self._tokens) and self._tokens[self._at][1] in signs:
            self._at += 1
            return self._tokens[self._at - 1][1]
        return None

    def _unit(self) -> Dimension:
        result, divided = self._factor(), False
        while self._at < len(self._tokens) and self._tokens[self._at][1] != ")":
            sign = self._take("*", "/")
            if sign is None and divided:
                self._fail(
                    "what follows a division without a sign may belong to either side; write * or brackets"
                )
            divided |= sign == "/"
            factor = self._factor()
            result = result / factor if sign == "/" else result * factor
        return result

    def _factor(self) -> Dimension:
        if self._take("("):
            base = self._unit()
            if not self._take(")"):
                self._fail("a bracket is not closed")
        else:
            base = self._leaf()
        return base ** self._exponent() if self._take("^", "**") else base

    def _leaf(self) -> Dimension:
        if self._at == len(self._tokens):
            self._fail("a unit is missing at its end")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return Dimension()
        if kind == "sign":
            self._fail(f"did not expect {text!r}")
        found = self._units.find(text)
        if found is None:
            near = self._units.nearest(text)
            whole = "" if text == self._text else f" in {self._text!r}"
            raise ValueError(
                f"unknown unit {text!r}{whole}"
                + (f": did you mean {near!r}?" if near else ": write it in SI units")
            )
        return found

    def _exponent(self) -> Fraction:
        if not self._take("("):
            return self._number()
        result = self._number()
        if self._take("/"):
            below = self._number()
            if below == 0:
                self._fail("an exponent divides by 0")
            result /= below
        if not self._take(")"):
            self._fail("a bracket is not closed")
        return result

    def _number(self) -> Fraction:
        sign = self._take("-", "+")
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        if kind != "number":
            self._fail("an exponent is a number, as in m^2 or m^(1/2)")
        self._at += 1
        return Fraction(text).limit_denominator(1000) * (-1 if sign == "-" else 1)


def _read(text: str, units: _Units) -> Dimension:
    return _Reader(text, units).read()


def dimension(unit: Any) -> Dimension:
    """Return the dimension of a unit.

    Parameters
    ----------
    unit : str, or mapping of str to number, or Dimension
        ``"m/s^2"``, ``"J/(kg*K)"``, ``"km"``, ``"m^(1/2)"``, ``"1"`` and ``""`` for numbers;
        ``{"m": 1, "s": -2}``. Objects whose text is that of a unit, as those of sympy, are read by it.

    Returns
    -------
    Dimension

    Raises
    ------
    ValueError
        For a text that is no unit, naming the part that is unknown and the nearest known one.
    TypeError
        For numbers and other objects that name no unit.

    Examples
    --------
    >>> from balmer import dimension
    >>> str(dimension("J/(kg*K)")), dimension("km/h") == dimension("m/s")
    ('m^2/(s^2*K)', True)
    """
    if isinstance(unit, Dimension):
        return unit
    if isinstance(unit, Mapping):
        result = Dimension()
        for name, power in unit.items():
            result *= dimension(name) ** Fraction(power).limit_denominator(1000)
        return result
    if not isinstance(unit, str):
        if (
            unit is None
            or isinstance(unit, (bool, float, bytes, list, tuple))
            or (isinstance(unit, int) and unit != 1)
        ):
            raise TypeError(f"{unit!r} is no unit: give text such as 'm/s^2', or '1' for a number")
        unit = str(unit)
    return _read(unit, _units())
