"""The value of an expression in NumPy, for many points at once and without recursion.

Every array has a leading batch axis, of length 1 where the value is the same at all points: random points and
complex-step perturbations of one expression are evaluated in one pass. A shared node is evaluated once, a
body under Σ, ∏ or a built tensor once for all values of its indices.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import sympy
from msgspec import Struct, field
from msgspec.structs import replace

from symgrad.errors import InternalError
from symgrad.tensor.dependence import dependence
from symgrad.tensor.evaluation_ranges import OutOfRange, rule
from symgrad.tensor.frames import Frame
from symgrad.tensor.integers import Int
from symgrad.tensor.leaf_values import LEAVES, Run, leaf
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.stable import Array

__all__ = ["Env", "OutOfRange", "evaluate", "evaluate_all"]

Hook = Callable[[Any, "Env"], Array]


class Env(Struct, frozen=True):
    """Where values come from.

    Attributes:
        lookup: A named node with numeric subscripts to its array, (batch or 1, *shape), vectors (batch, n).
        sizes: The value of every size symbol.
        indices: The value of every free step or index symbol.
        derivative: The value of a ``Deriv`` node in an environment, (batch or 1, *shape).
        opaque: The same for an ``Opaque`` node.
    """

    lookup: Callable[[Var], Array]
    sizes: Mapping[sympy.Symbol, int] = field(default_factory=dict)
    indices: Mapping[sympy.Symbol, int] = field(default_factory=dict)
    derivative: Hook | None = None
    opaque: Hook | None = None

    @classmethod
    def of(
        cls,
        values: Mapping[Var, Array],
        sizes: Mapping[sympy.Symbol, int] | None = None,
        indices: Mapping[sympy.Symbol, int] | None = None,
        derivative: Hook | None = None,
    ) -> "Env":
        """An environment of given arrays; a node is found by its name and subscripts.

        Raises:
            InternalError: on look-up, where a node has no array.
        """
        table: dict[tuple[str, tuple[Int, ...]], Array] = {(v.name, v.subs): np.asarray(x) for v, x in values.items()}

        def lookup(node: Var) -> Array:
            if (node.name, node.subs) not in table:
                subscripts = f"[{', '.join(map(str, node.subs))}]" if node.subs else ""
                raise InternalError(f"no value for {node.name}{subscripts}")
            return table[node.name, node.subs]

        return cls(lookup, sizes or {}, indices or {}, derivative)

    def at(self, indices: Mapping[sympy.Symbol, int]) -> "Env":
        """The environment with more index values."""
        return replace(self, indices={**self.indices, **indices})


def evaluate(expr: Expr, env: Env) -> Array:
    """The value of an expression, (batch or 1, *shape).

    Raises:
        OutOfRange: an index lies outside its array.
        InternalError: something has no value in the environment.
    """
    return evaluate_all((expr,), env)[0]


def evaluate_all(exprs: Iterable[Expr], env: Env) -> list[Array]:
    """The values of several expressions; what they share is evaluated once."""
    root = Frame.root({**env.sizes, **env.indices})
    run = Run(env.lookup, _in(env, env.derivative), _in(env, env.opaque))
    memo: dict[tuple[Expr, Frame], Array] = {}
    with np.errstate(all="ignore"):
        return [_value(x, root, run, memo)[:, 0] for x in exprs]


def _in(env: Env, hook: Hook | None) -> Callable[[Expr, Mapping[sympy.Symbol, int]], Array] | None:
    if hook is None:
        return None
    chosen = hook
    return lambda node, indices: chosen(node, env.at(indices))


def _value(root: Expr, frame: Frame, run: Run, memo: dict[tuple[Expr, Frame], Array]) -> Array:
    """Runs the rules, each of which asks for the operands it needs; the stack is here, not in Python."""
    waiting: list[tuple[tuple[Expr, Frame], Array | None, Any]] = []
    request: tuple[Expr, Frame] | None = (root, frame)
    answer: Array | None = None
    while True:
        if request is not None:
            node, asked = request
            where, places = asked.project(dependence(node).symbols) if asked.columns else (asked, None)
            known = memo.get((node, where))
            if known is None and type(node) in LEAVES:
                known = memo[node, where] = leaf(node, run, where)
            if known is None:
                waiting.append(((node, where), places, rule(node, run, where)))
                answer = None
            else:
                answer = _gather(known, places)
        if not waiting and answer is not None:
            return answer
        key, places, steps = waiting[-1]
        try:
            request = steps.send(answer)
        except StopIteration as done:
            waiting.pop()
            memo[key] = done.value
            answer, request = _gather(done.value, places), None


def _gather(value: Array, places: Array | None) -> Array:
    return value if places is None or value.shape[1] == 1 else np.asarray(value[:, places])
