"""What is wrong with the arguments of one hyperparameter. Pure; nothing is drawn.

Hyperopt accepts most of these: a zero bound skips its check, q=0 draws NaN, exponents overflow to infinity.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.space.hyperparameters import ARGUMENTS, Hyperparameter, distribution_args, is_number, safe_exp

OPTIONAL = {"q": (), "high": ("randint",)}
LARGEST_EXPONENT = math.log(1.7976931348623157e308)


def problem(found: Hyperparameter) -> str:
    """Say why a hyperparameter cannot work; empty where it can."""
    if found.label is None:
        return f"scope.{found.written} has no label (write hp.{found.distribution}('name', ...))"
    if found.distribution in ("choice", "pchoice"):
        return _choice(found)
    checks = (_arguments, _numbers, _whole_bounds, _order, _spread, _exponents, _steps)
    return next(filter(None, (check(found) for check in checks)), "")


def as_logs(found: Hyperparameter) -> str:
    """Propose the logarithms of the bounds, in place of the bounds, for a log distribution above 0."""
    meant = ", ".join(f"log({found.args[name]:.15g})" for name in ("low", "high"))
    step = f", {found.args['q']:g}" if "q" in found.args else ""
    return f"{found.distribution}({meant}{step})"


def options_problem(options: Any) -> str:
    """Say why a value cannot be the options of a choice; empty where it can."""
    if isinstance(options, Sequence) and not isinstance(options, str | bytes):
        return "" if len(options) else "choice needs a non-empty list, got an empty one"
    return f"choice needs a non-empty list, got {type(options).__name__} {options!r:.60}"


def explain_refusal(error: BaseException) -> str:
    """Put in words what Hyperopt itself refused, from the call in the traceback; empty for another error."""
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_name == "wrapper" and frame.f_globals.get("__name__") == "hyperopt.pyll_utils":
            call = frame.f_locals
            return _refused(
                call["f"].__name__.removeprefix("hp_"), call["label"], call["args"], call["kwargs"]
            )
        trace = trace.tb_next
    return ""


def _refused(distribution: str, label: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    if not isinstance(label, str | bytes):
        return f"hp.{distribution}({label!r:.40}, ...): the first argument must be the label, a text"
    if distribution in ("choice", "pchoice"):
        options = [*args, *kwargs.values()]
        text = options_problem(options[0]) if options else "choice needs a non-empty list, got none"
        return f"{label!r}: {text or 'pchoice needs a list of pairs (probability, option)'}"
    text = problem(Hyperparameter(label, distribution, distribution_args(distribution, args, kwargs)))
    return f"{label!r}: {text}" if text else ""


def _choice(found: Hyperparameter) -> str:
    if not found.options:
        return options_problem(())
    if found.distribution == "choice":
        return ""
    weights = found.args.get("p")
    if not isinstance(weights, tuple) or not all(is_number(p) for p in weights):
        return "pchoice needs pairs (probability, option) with plain numbers as probabilities"
    if any(not p >= 0 for p in weights):
        return f"probabilities must be >= 0, got {min(weights, key=lambda p: (p >= 0, p)):g}"
    total = sum(weights)
    return "" if abs(total - 1) <= 1e-6 else f"probabilities sum to {total:.6g}, not to 1"


def _arguments(found: Hyperparameter) -> str:
    known = ARGUMENTS.get(found.distribution, ())
    missing = [n for n in known if n not in found.args and found.distribution not in OPTIONAL.get(n, ())]
    extra = [name for name in found.args if name not in known]
    takes = f"{found.distribution} takes {', '.join(known)}"
    if extra:
        shown = ", ".join(name if name.startswith("#") else f"{name!r}" for name in extra)
        return f"{takes}; argument {shown} is none of them"
    return f"{takes}; {' and '.join(missing)} missing" if missing else ""


def _numbers(found: Hyperparameter) -> str:
    for name, value in found.args.items():
        if not is_number(value):
            got = "a Hyperopt expression" if hasattr(value, "pos_args") else repr(value)
            return f"{name} must be a plain number, got {got}"
        if not math.isfinite(value):
            return f"{name} must be finite, got {value}"
    return ""


def _whole_bounds(found: Hyperparameter) -> str:
    if found.distribution != "randint":
        return ""
    for name, value in found.args.items():
        if value != int(value):
            return f"randint needs whole numbers, got {name}={value:g}"
    if "high" not in found.args and found.args["low"] < 1:
        return f"randint({found.args['low']}) has no values (it gives 0 … n-1: n must be >= 1)"
    return ""


def _order(found: Hyperparameter) -> str:
    low, high = found.args.get("low"), found.args.get("high")
    if low is None or high is None or low < high:
        return ""
    return f"low {low:g} must be < high {high:g}"


def _spread(found: Hyperparameter) -> str:
    sigma, q = found.args.get("sigma"), found.args.get("q")
    if sigma is not None and not sigma > 0:
        return f"sigma must be > 0, got {sigma:g}"
    return f"q must be > 0, got {q:g}" if q is not None and not q > 0 else ""


def _exponents(found: Hyperparameter) -> str:
    if "log" not in found.distribution:
        return ""
    if "sigma" in found.args:
        mu, sigma = found.args["mu"], found.args["sigma"]
        over, under = mu + 6 * sigma > LARGEST_EXPONENT, False
    else:
        over = found.args["high"] > LARGEST_EXPONENT
        under = found.args["low"] < -LARGEST_EXPONENT
    if not over and not under:
        return ""
    return f"{found.written} {'overflows' if over else 'underflows to 0'}; {_log_hint(found)}"


def _log_hint(found: Hyperparameter) -> str:
    if "sigma" in found.args:
        return "mu and sigma are those of the logarithm"
    hint = "its bounds are exponents, use log(low), log(high)"
    return hint if found.args["low"] <= 0 else f"{hint}: {as_logs(found)}"


def _steps(found: Hyperparameter) -> str:
    if "q" not in found.args or "low" not in found.args:
        return ""
    low, high, q = (found.args[name] for name in ("low", "high", "q"))
    width = safe_exp(high) - safe_exp(low) if "log" in found.distribution else high - low
    return f"q {q:g} is larger than the range ({width:g} wide)" if q > width * (1 + 1e-9) else ""
