"""Formula and law by sympy: the same structure with the same constants, after one rewriting or another."""

from __future__ import annotations

import math
import time
from fractions import Fraction

from grade.formula import FUNCTIONS, FormulaError, apply_operator, parse
from grade.rows import names_of

REFUSALS = (
    NotImplementedError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
    ZeroDivisionError,
)


def to_sympy(node, symbols, sympy, tolerance):
    """A node as sympy's; numbers that are simple fractions become fractions."""

    def number(value):
        if isinstance(value, int):
            return sympy.Integer(value)
        if value == 0:
            return sympy.Integer(0)
        near = Fraction(value).limit_denominator(1000)
        if near != 0 and abs(float(near) - value) <= 1e-12 * abs(value):
            return sympy.Rational(near.numerator, near.denominator)
        return sympy.Float(value, 17)

    def exponent(value):
        if value.is_Float:
            near = Fraction(float(value)).limit_denominator(12)
            if near != 0 and abs(float(near) - float(value)) <= tolerance * abs(float(value)):
                return sympy.Rational(near.numerator, near.denominator)
        return value

    def power(base, value):
        value = exponent(value)
        if base.is_Integer and value.is_Integer and abs(int(value)) > 1000:
            raise FormulaError("a whole number to a power that large is not worked out")
        return sympy.Pow(base, value)

    def convert(node):
        if node.kind == "number":
            return number(node.value)
        if node.kind == "name":
            return symbols[node.text] if node.text in symbols else {"pi": sympy.pi, "E": sympy.E}[node.text]
        values = [convert(operand) for operand in node.operands]
        if node.kind == "call":
            return FUNCTIONS[node.text].sympy(sympy)(*values)
        return apply_operator(node.text, values, power)

    return convert(node)


def _value(number):
    return float(number.evalf(20))


def skeleton(expression, sympy, explicit=True):
    """(text with # for each constant, the constants). Whole and simple exponents belong to the text.

    Two expressions of the same structure have the same text. `explicit` writes a coefficient before every
    term that has none; inside functions there are as many as sympy shows.
    """
    if expression.is_number:
        value = complex(expression.evalf(20)).real if expression.is_real else math.nan
        return "#", [value]
    if expression.is_Add:
        constant, rest = expression.as_coeff_Add()
        terms = rest.args if rest.is_Add else (rest,)
        parts = sorted(skeleton(term, sympy, explicit) for term in terms)
        constants = [value for part in parts for value in part[1]]
        return "(" + "+".join(part[0] for part in parts) + "+#)", [*constants, _value(constant)]
    if expression.is_Mul:
        factors = [factor for factor in expression.args if not factor.is_number]
        coefficient = sympy.Mul(*(factor for factor in expression.args if factor.is_number))
        parts = sorted(skeleton(factor, sympy, explicit=False) for factor in factors)
        constants = [value for part in parts for value in part[1]]
        return "#*" + "*".join(part[0] for part in parts), [_value(coefficient), *constants]
    text, constants = _factor(expression, sympy)
    return ("#*" + text, [1.0, *constants]) if explicit else (text, constants)


def _factor(expression, sympy):
    """A symbol, a power or a function."""
    if expression.is_Symbol:
        return expression.name, []
    if expression.is_Pow:
        base, exponent = expression.as_base_exp()
        text, constants = skeleton(base, sympy, explicit=False)
        if exponent.is_Rational and abs(exponent.p) <= 12 and exponent.q <= 12:
            return f"{{{text}}}^{exponent}", constants
        if exponent.is_number:
            return f"{{{text}}}^#", [*constants, _value(exponent)]
        exponent_text, exponent_constants = skeleton(exponent, sympy, explicit=False)
        return f"{{{text}}}^{{{exponent_text}}}", constants + exponent_constants
    parts = [skeleton(operand, sympy, explicit=False) for operand in expression.args]
    if expression.func in (sympy.Max, sympy.Min):
        parts.sort()
    constants = [value for part in parts for value in part[1]]
    return f"{expression.func.__name__}({','.join(part[0] for part in parts)})", constants


def _close(first, second, tolerance):
    """Rounding dust in the place of a zero is forgiven; tiny constants are compared like others."""
    return len(first) == len(second) and all(
        abs(a - b) <= tolerance * max(abs(a), abs(b)) or (a * b == 0 and abs(a + b) < 1e-14)
        for a, b in zip(first, second, strict=True)
    )


def _terms(expression, sympy):
    constant, rest = expression.as_coeff_Add()
    return float(constant), sorted(skeleton(term, sympy) for term in (rest.args if rest.is_Add else (rest,)))


def _share_a_factor(law, found, sympy, tolerance):
    """Whether two expressions of one structure differ by a factor alone."""
    law_text, law_constants = skeleton(law, sympy)
    found_text, found_constants = skeleton(found, sympy)
    if law_text != found_text or len(law_constants) != len(found_constants):
        return False
    if not law.is_Add:
        return found_constants[0] != 0 and _close(law_constants[1:], found_constants[1:], tolerance)
    law_constant, law_terms = _terms(law, sympy)
    found_constant, found_terms = _terms(found, sympy)
    if len(law_terms) != len(found_terms):
        return False
    pairs = list(zip(law_terms, found_terms, strict=True))
    factors = [b[1][0] / a[1][0] for a, b in pairs if a[1][0]]
    if law_constant:
        factors.append(found_constant / law_constant)
    elif found_constant:
        return False
    return bool(
        factors
        and factors[0]
        and _close(factors, [factors[0]] * len(factors), tolerance)
        and all(_close(a[1][1:], b[1][1:], tolerance) for a, b in pairs)
    )


def likeness(law, found, sympy, tolerance):
    """`exact`, `additive`, `multiplicative` or None, by structure and constants."""
    law_text, law_constants = skeleton(law, sympy)
    found_text, found_constants = skeleton(found, sympy)
    if law_text == found_text and _close(law_constants, found_constants, tolerance):
        return "exact"
    law_rest, found_rest = law.as_coeff_Add()[1], found.as_coeff_Add()[1]
    if law_rest.free_symbols and found_rest.free_symbols:
        law_text, law_constants = skeleton(law_rest, sympy)
        found_text, found_constants = skeleton(found_rest, sympy)
        if law_text == found_text and _close(law_constants, found_constants, tolerance):
            return "additive"
    if _share_a_factor(law, found, sympy, tolerance) or _share_a_factor(
        sympy.factor_terms(law), sympy.factor_terms(found), sympy, tolerance
    ):
        return "multiplicative"
    return None


def _rewritings(sympy):
    def together(e):
        joined = sympy.together(e)
        return sympy.cancel(joined) if e.is_rational_function() else joined

    return {
        "as given": lambda e: e,
        "expand": sympy.expand,
        "powdenest": lambda e: sympy.powdenest(sympy.powsimp(e, force=True), force=True),
        "expand logarithms": lambda e: sympy.expand(sympy.expand_log(e, force=True)),
        "combine logarithms": lambda e: sympy.logcombine(e, force=True),
        "together": together,
        "factor": lambda e: sympy.factor(e) if e.is_rational_function() else sympy.factor_terms(e),
        "trigsimp": sympy.trigsimp,
        "simplify": sympy.simplify,
    }


def _constant_difference_or_ratio(law, found, rewrite):
    difference = rewrite(law - found)
    if difference.is_number:
        return "exact" if abs(complex(difference.evalf())) < 1e-12 else "additive"
    ratio = rewrite(found / law)
    if ratio.is_number and ratio != 0:
        return "exact" if abs(complex(ratio.evalf()) - 1) < 1e-12 else "multiplicative"
    return None


def _symbols(problem, sympy):
    symbols = {}
    for variable in problem["variables"]:
        low = (variable.get("range") or [min(variable["values"])])[0]
        signed = str(variable.get("dist", "")).endswith(("_signed", "_negative")) or variable.get("special")
        kind = {"positive": True} if float(low) > 0 and not signed else {"real": True}
        symbols[variable["name"]] = sympy.Symbol(variable["name"], **kind)
    return symbols


def compare(text, problem, tolerance, seconds):
    """What sympy says: (`exact`, `additive`, `multiplicative`, `no` or `timeout`, after which step)."""
    import sympy

    end = time.monotonic() + seconds
    names = names_of(problem)
    symbols = _symbols(problem, sympy)
    law = to_sympy(parse(problem["formula"], names), symbols, sympy, tolerance)
    found = to_sympy(parse(text, names), symbols, sympy, tolerance)
    if not found.free_symbols and law.free_symbols:
        return "no", "the formula is a constant"
    if found.has(sympy.zoo, sympy.nan, sympy.oo):
        return "no", "the formula is not finite"
    refusals = (*REFUSALS, sympy.PolynomialError)
    for name, rewrite in _rewritings(sympy).items():
        if time.monotonic() > end:
            return "timeout", name
        try:
            level = likeness(rewrite(law), rewrite(found), sympy, tolerance)
        except refusals:
            continue
        if level:
            return level, f"the same structure after {name}"
    for name, rewrite in (("expand", sympy.expand), ("simplify", sympy.simplify)):
        if time.monotonic() > end:
            return "timeout", f"difference: {name}"
        try:
            level = _constant_difference_or_ratio(law, found, rewrite)
        except refusals:
            continue
        if level:
            return level, f"difference or ratio is constant after {name}"
    return "no", "no likeness found"
