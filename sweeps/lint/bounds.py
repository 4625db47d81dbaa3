"""Arguments that Hyperopt reads otherwise than they look: exponents, steps, whole numbers."""

import ast
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from sweeps.lint import proposal
from sweeps.lint.finding import Finding, Severity, find
from sweeps.lint.integers import whole_labels
from sweeps.lint.scale import MANY_DECADES, spans_decades
from sweeps.space.hyperparameters import Hyperparameter, safe_exp
from sweeps.space.ranges import as_logs
from sweeps.space.search_space import SearchSpace

MANY_INTEGERS = 100_000
"""TPE keeps a weight for every value of a randint."""
SEVERAL_INTEGERS = 5
"""From so many values of a randint on, not knowing their order costs the search something."""
FEW_OF_UNIFORMINT = 20
LARGEST_POWER = 12
"""Whole exponents up to this size may be meant as powers of ten."""
PLAUSIBLE_EXPONENT = 20
"""From a low below 0 on, a high up to this may be meant as an exponent."""
LARGEST_SIGMA = 5
"""From here on two thirds of the draws spread over four decades and more."""

_FACTOR = "two thirds of the draws then lie within a factor of 2"


class _Range(NamedTuple):
    found: Hyperparameter
    whole: bool
    """Whether the model receives whole numbers."""
    uniformint: bool


class _Doubt(NamedTuple):
    severity: Severity
    code: str
    what: str
    why: str = ""
    fix: str = ""


def check_bounds(space: SearchSpace) -> Iterator[Finding]:
    """Find ranges that draw other values than their bounds suggest."""
    whole, declared = whole_labels(space), _uniformints(space)
    for found in space.hyperparameters:
        given = _Range(found, found.label in whole, found.label in declared)
        checks = _CHECKS.get(found.distribution, ())
        for doubt in filter(None, (check(given) for check in checks)):
            severity, code, what, why, fix = doubt
            yield find(severity, code, space, found.label, f"{found.label!r}: {what}", why, fix)


def _uniformints(space: SearchSpace) -> set[str]:
    calls = (node for node in ast.walk(space.file.tree) if isinstance(node, ast.Call) and node.args)
    ours = (call.args[0] for call in calls if ast.unparse(call.func).endswith("uniformint"))
    return {str(node.value) for node in ours if isinstance(node, ast.Constant)}


def _exponents(given: _Range) -> _Doubt | None:
    """Bounds of a log distribution that read as the values themselves, not as their logarithms."""
    found = given.found
    low, high = found.args["low"], found.args["high"]
    if not (_is_plain(low) and _is_plain(high)):
        return None
    if low < 0 and high <= PLAUSIBLE_EXPONENT:
        return _powers_of_ten(given)
    first, last = found.reach
    what = f"{found.written} draws from {first:.4g} to {last:.4g}"
    return _Doubt(Severity.WARNING, "exponents", what, "its bounds are exponents", _as_values(found))


def _is_plain(number: float) -> bool:
    """Whether a number reads as one that was typed; the logarithm of such a number never does, but 0."""
    return float(f"{number:.3g}") == number


def _as_values(found: Hyperparameter) -> str:
    """Propose the logarithms of the bounds, from a positive low on."""
    low, high = found.args["low"], found.args["high"]
    if low > 0:
        return f"did you mean {as_logs(found)}?"
    first, why = max(high / 10**MANY_DECADES, found.args.get("q", 0)), f"log({low:g}) does not exist"
    if first >= high:
        return f"{why}: give a positive low"
    meant = as_logs(replace(found, args={**found.args, "low": first}))
    return f"{why}: give a positive low, such as {meant}"


def _powers_of_ten(given: _Range) -> _Doubt | None:
    found = given.found
    low, high = found.args["low"], found.args["high"]
    if not all(x == int(x) and abs(x) <= LARGEST_POWER for x in (low, high)):
        return None
    first, last = found.reach
    what = f"{found.written} draws from {first:.3g} to {last:.3g}"
    why = "its bounds are powers of e, not of 10"
    meant = proposal.log_uniform(found.label, 10.0**low, 10.0**high, whole=given.whole)
    return _Doubt(
        Severity.HINT, "powers-of-e", what, why, f"for {10.0**low:g} to {10.0**high:g} write {meant}"
    )


def _median(given: _Range) -> _Doubt | None:
    """A mean of a log distribution that reads as a value; 0 stands for 1 as often as for itself."""
    found = given.found
    mu = found.args["mu"]
    if mu == 0 or not _is_plain(mu):
        return None
    what, step = f"{found.written} draws values around {math.exp(mu):.4g}", found.args.get("q")
    if mu > 0:
        rest = "" if step is None else f", {step:g}"
        fix = f"for values around {mu:g} write {found.distribution}(log({mu:g}), log(2){rest}): {_FACTOR}"
        return _Doubt(Severity.WARNING, "exponents", what, "its mu is an exponent", fix)
    if mu != int(mu) or -mu > LARGEST_POWER:
        return None
    why, fix = "its mu is a power of e, not of 10", f"for values around {10.0**mu:g} write log({10.0**mu:g})"
    return _Doubt(Severity.HINT, "powers-of-e", what, why, fix)


def _spread(given: _Range) -> _Doubt | None:
    """A spread of a log distribution that reads as one of the values: nobody means so many magnitudes."""
    found = given.found
    mu, sigma = found.args["mu"], found.args["sigma"]
    if sigma < LARGEST_SIGMA:
        return None
    low, high = safe_exp(mu - 2 * sigma), safe_exp(mu + 2 * sigma)
    what = f"{found.written} draws 5 % of its values below {low:.2g} or above {high:.2g}"
    fix = f"such as log(2): {_FACTOR}"
    return _Doubt(Severity.WARNING, "wide-sigma", what, "its sigma is that of the logarithm", fix)


def _off_low(given: _Range) -> _Doubt | None:
    found = given.found
    low, first = _meant(found)[0], found.reach[0]
    linear = found.distribution == "quniform"
    if first >= low or math.isclose(first, low) or not (first == 0 or linear):
        return None
    what = f"{found.written} can give {first:g}, below its low {low:g}"
    return _Doubt(Severity.WARNING, "below-low", what, "it rounds to multiples of q", _inside(given))


def _off_high(given: _Range) -> _Doubt | None:
    found = given.found
    high, last = found.args["high"], found.reach[1]
    if math.isclose(last, high, abs_tol=1e-12) or _half_steps_outside(found):
        return None
    if last > high:
        what = f"{found.written} can give {last:g}, above its high {high:g}"
        return _Doubt(Severity.WARNING, "above-high", what, "it rounds to multiples of q", _inside(given))
    what = f"{found.written} never reaches its high {high:g} (the largest multiple of q it gives is {last:g})"
    return _Doubt(Severity.WARNING, "never-high", what, "it rounds to multiples of q", _inside(given))


def _half_steps_outside(found: Hyperparameter) -> bool:
    """Whether the bounds lie where every step gets the same share: it is what is proposed below."""
    half, (first, last) = found.args["q"] / 2, found.reach
    return math.isclose(first - found.args["low"], half) and math.isclose(found.args["high"] - last, half)


def _inside(given: _Range) -> str:
    """Propose the multiples of q that lie between the bounds."""
    found = given.found
    q, (low, high) = found.args["q"], _meant(found)
    first, last = math.ceil(low / q - 1e-9) * q, math.floor(high / q + 1e-9) * q
    if first >= last:
        return "choose a smaller q, or bounds that are multiples of it"
    if found.distribution == "qloguniform":
        bounds = f"log({proposal.number(first)})", f"log({proposal.number(high)})", proposal.number(q)
        return f"did you mean {proposal.call('qloguniform', found.label, *bounds, whole=given.whole)}?"
    return f"did you mean {proposal.steps(found.label, first, last, q, whole=given.whole)}?"


def _halved_ends(given: _Range) -> _Doubt | None:
    """The first and the last step get half of what the others get: half of their share lies outside."""
    found = given.found
    low, high, q = (found.args[name] for name in ("low", "high", "q"))
    count = round((high - low) / q) + 1
    on_grid = all(math.isclose(x / q, round(x / q), abs_tol=1e-9) for x in (low, high))
    if not on_grid or not 2 < count <= (FEW_OF_UNIFORMINT if given.uniformint else proposal.FEW):
        return None
    written = f"uniformint({low:g}, {high:g})" if given.uniformint else found.written
    share = 100 / (count - 1)
    what = (
        f"{written} draws {low:g} and {high:g} half as often as the values between "
        f"({share / 2:.3g} % against {share:.3g} %)"
    )
    fix = f"for equal shares write {proposal.equal_steps(found.label, low, high, q, whole=given.whole)}"
    return _Doubt(Severity.HINT, "halved-ends", what, "it rounds a uniform draw", fix)


def _many(given: _Range) -> _Doubt | None:
    found = given.found
    low, high = (int(bound) for bound in found.reach)
    if high - low < SEVERAL_INTEGERS - 1 or spans_decades(low, high):
        return None
    meant = proposal.steps(found.label, low, high, 1, whole=True)
    if high - low >= MANY_INTEGERS:
        what = f"{found.written} has {high - low + 1:g} values and tpe keeps a weight for each"
        return _Doubt(Severity.WARNING, "many-integers", what, fix=f"use {meant}")
    what = f"{found.written} draws its {high - low + 1} values as if they had no order"
    why = "tpe learns nothing about one from its neighbours"
    return _Doubt(Severity.HINT, "ordered-randint", what, why, f"if their order matters write {meant}")


def _meant(found: Hyperparameter) -> tuple[float, float]:
    low, high = found.args["low"], found.args["high"]
    return (safe_exp(low), safe_exp(high)) if "log" in found.distribution else (low, high)


_CHECKS: dict[str, tuple[Callable[[_Range], _Doubt | None], ...]] = {
    "loguniform": (_exponents,),
    "qloguniform": (_exponents, _off_low),
    "lognormal": (_median, _spread),
    "qlognormal": (_median, _spread),
    "quniform": (_off_low, _off_high, _halved_ends),
    "randint": (_many,),
}
