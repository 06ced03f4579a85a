"""The rules of gradient descent, with PyTorch's conventions: each as formulas, and in plain NumPy beside them.

- sgd: W ← W − η g.
- momentum: v ← μ v + g; W ← W − η v (no dampening; the rate is outside the velocity).
- nesterov: v ← μ v + g; W ← W − η (g + μ v), with the new v.
- adam: m ← β₁ m + (1 − β₁) g; s ← β₂ s + (1 − β₂) g²; W ← W − η m̂ / (√ŝ + ε), with m̂ = m / (1 − β₁^k) and
  ŝ = s / (1 − β₂^k) at step k = 1, 2, ….
- adamw: the same after W ← W − η λ W; in all other rules a weight decay adds λ W to the gradient.

Source: torch.optim; Kingma and Ba (2015); Loshchilov and Hutter (2019).
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from msgspec import Struct

from symgrad.tensor import build as b
from symgrad.tensor.nodes import Expr
from symgrad.tensor.stable import Array


class Setting(Struct, frozen=True):
    """A number of a rule: its letter, the names it may be given by, and what is known of it."""

    letter: str
    names: tuple[str, ...]
    fact: str = "positive"


RATE: Final = Setting("eta", ("rate", "lr"))
MOMENTUM: Final = Setting("mu", ("momentum", "mu", "beta"), "probability")
BETA_1: Final = Setting("beta_1", ("beta1", "beta_1"), "probability")
BETA_2: Final = Setting("beta_2", ("beta2", "beta_2"), "probability")
EPSILON: Final = Setting("epsilon", ("eps", "epsilon"))
STEP: Final = Setting("k", ("step", "t", "k"), "integer")
DECAY: Final = Setting("lambda", ("weight_decay", "decay", "lambda", "lambda_"))


class Rule(Struct, frozen=True):
    """One method.

    Attributes:
        settings: Its numbers beside the rate; a weight decay is always allowed.
        state: What it carries from step to step, by letter, with what is known of it.
        formulas: The new state and the parameter, as ``new <letter>`` and ``new W``.
        compute: The same in NumPy: (W, g, state, numbers) to the new W.
    """

    settings: tuple[Setting, ...]
    state: Mapping[str, str]
    formulas: Callable[["Quantities"], list["Formula"]]
    compute: Callable[[Array, Array, Mapping[str, Array], Mapping[str, Array]], Array]
    decoupled: bool = False


class Quantities(Struct, frozen=True):
    """The named quantities of an update: parameter, gradient, numbers, state, and what is new."""

    parameter: Expr
    gradient: Expr
    numbers: Mapping[str, Expr]
    state: Mapping[str, Expr]
    new: Mapping[str, Expr]


class Formula(Struct, frozen=True):
    """A new quantity by letter (``W`` is the parameter), what it is, and why."""

    letter: str
    value: Expr
    reason: str


def _sgd(q: Quantities) -> list[Formula]:
    return [Formula("W", b.sub(q.parameter, b.mul(q.numbers["eta"], q.gradient)), "against the gradient")]


def _velocity(q: Quantities) -> Formula:
    return Formula("v", b.add(b.mul(q.numbers["mu"], q.state["v"]), q.gradient), "velocity")


def _momentum(q: Quantities) -> list[Formula]:
    step = b.mul(q.numbers["eta"], q.new["v"])
    return [_velocity(q), Formula("W", b.sub(q.parameter, step), "along the velocity")]


def _nesterov(q: Quantities) -> list[Formula]:
    ahead = b.add(q.gradient, b.mul(q.numbers["mu"], q.new["v"]))
    step = b.mul(q.numbers["eta"], ahead)
    return [_velocity(q), Formula("W", b.sub(q.parameter, step), "one step of the velocity ahead")]


def _adam(q: Quantities) -> list[Formula]:
    n, two = q.numbers, b.num(2)

    def average(letter: str, beta: Expr, value: Expr) -> Expr:
        return b.add(b.mul(beta, q.state[letter]), b.mul(b.sub(b.ONE, beta), value))

    def corrected(letter: str, beta: Expr) -> Expr:
        return b.div(q.new[letter], b.sub(b.ONE, b.power(beta, n["k"])))

    root = b.apply("sqrt", q.new["shat"])
    step = b.mul(n["eta"], b.div(q.new["mhat"], b.add(root, n["epsilon"])))
    start = q.parameter
    if "lambda" in n:
        start = b.sub(start, b.mul(n["eta"], n["lambda"], q.parameter))
    why = "each entry at its own scale" + ("; decoupled decay" if "lambda" in n else "")
    return [
        Formula("m", average("m", n["beta_1"], q.gradient), "running mean of the gradient"),
        Formula("s", average("s", n["beta_2"], b.power(q.gradient, two)), "running mean of its square"),
        Formula("mhat", corrected("m", n["beta_1"]), "bias correction"),
        Formula("shat", corrected("s", n["beta_2"]), "bias correction"),
        Formula("W", b.sub(start, step), why),
    ]


def _compute_sgd(w: Array, g: Array, state: Mapping[str, Array], n: Mapping[str, Array]) -> Array:
    return np.asarray(w - n["eta"] * g)


def _compute_momentum(w: Array, g: Array, state: Mapping[str, Array], n: Mapping[str, Array]) -> Array:
    velocity = n["mu"] * state["v"] + g
    return np.asarray(w - n["eta"] * velocity)


def _compute_nesterov(w: Array, g: Array, state: Mapping[str, Array], n: Mapping[str, Array]) -> Array:
    velocity = n["mu"] * state["v"] + g
    return np.asarray(w - n["eta"] * (g + n["mu"] * velocity))


def _compute_adam(w: Array, g: Array, state: Mapping[str, Array], n: Mapping[str, Array]) -> Array:
    mean = n["beta_1"] * state["m"] + (1 - n["beta_1"]) * g
    square = n["beta_2"] * state["s"] + (1 - n["beta_2"]) * g * g
    scale = np.sqrt(square / (1 - n["beta_2"] ** n["k"])) + n["epsilon"]
    decayed = w * (1 - n["eta"] * n["lambda"]) if "lambda" in n else w
    return np.asarray(decayed - n["eta"] * (mean / (1 - n["beta_1"] ** n["k"])) / scale)


_MOMENTS: Final = {"m": "", "s": "positive"}

RULES: Final[Mapping[str, Rule]] = {
    "sgd": Rule((), {}, _sgd, _compute_sgd),
    "momentum": Rule((MOMENTUM,), {"v": ""}, _momentum, _compute_momentum),
    "nesterov": Rule((MOMENTUM,), {"v": ""}, _nesterov, _compute_nesterov),
    "adam": Rule((BETA_1, BETA_2, EPSILON, STEP), _MOMENTS, _adam, _compute_adam),
    "adamw": Rule((BETA_1, BETA_2, EPSILON, STEP, DECAY), _MOMENTS, _adam, _compute_adam, decoupled=True),
}
