"""Running generated functions, and the same values from the expression evaluator."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import sympy
from msgspec.structs import replace as changed

from symgrad.codegen import Program, module
from symgrad.tensor import build as b
from symgrad.tensor.evaluate import Env, evaluate
from symgrad.tensor.integers import evaluate_int, replace
from symgrad.tensor.nodes import Deriv, Expr, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.stable import Array
from symgrad.tensor.system import Definition

Sizes = Mapping[sympy.Symbol, int]


def namespace(*programs: Program) -> dict[str, Any]:
    """The names that a module of programs defines."""
    made: dict[str, Any] = {}
    exec(compile(module(programs, "Generated"), "<generated>", "exec"), made)
    return made


def run(program: Program, arguments: Mapping[str, Any]) -> Any:
    """What the generated function returns; its arguments must be as they were."""
    before = {name: np.array(x) for name, x in arguments.items()}
    result = namespace(program)[program.name](**arguments)
    for name, x in arguments.items():
        np.testing.assert_array_equal(x, before[name])
    return result


def draw(program: Program, sizes: Sizes, rng: np.random.Generator) -> dict[str, Any]:
    """Random arguments; the columns of what is one-hot or a probability sum to 1."""
    out: dict[str, Any] = {}
    for leaf in program.leaves:
        lead = [evaluate_int(x.hi, sizes) - evaluate_int(x.lo, sizes) + 1 for x in leaf.ranges]
        shape = (*lead, *(evaluate_int(s, sizes) for s in leaf.node.shape))
        x = 0.5 * rng.standard_normal(shape)
        facts = leaf.node.facts if isinstance(leaf.node, Var) else frozenset()
        if "one-hot" in facts:
            x = np.eye(shape[-1])[rng.integers(shape[-1], size=shape[:-1])]
        elif "probability" in facts or "positive" in facts:
            x = np.exp(x)
            x = x / x.sum(axis=-1, keepdims=True) if "probability" in facts else x
        elif "index" in facts:
            x = rng.integers(1, 3, size=shape)
        out[leaf.argument] = x
    return {**out, **{str(s.name): sizes[s] for s in program.integers}}


def expected(program: Program, arguments: Mapping[str, Any], sizes: Sizes) -> Any:
    """The outputs by the expression evaluator, definition by definition."""
    known: dict[tuple[str, tuple[Any, ...]], Array] = {}
    for leaf in program.leaves:
        spans = [range(evaluate_int(x.lo, sizes), evaluate_int(x.hi, sizes) + 1) for x in leaf.ranges]
        for index in product(*spans):
            mapping = dict(zip((x.symbol for x in leaf.ranges), index, strict=True))
            x = np.asarray(arguments[leaf.argument], dtype=float)
            for i, span in zip(index, spans, strict=True):
                x = x[i - span[0]]
            key = leaf.node.subs if isinstance(leaf.node, Var) else tuple(mapping)
            name = leaf.node.name if isinstance(leaf.node, Var) else leaf.argument
            known[name, tuple(evaluate_int(replace(p, mapping), sizes) for p in key)] = x

    def lookup(node: Var) -> Array:
        subs = tuple(evaluate_int(p, sizes) for p in node.subs)
        if (node.name, subs) not in known:
            known[node.name, subs] = value(_body(program, Var(node.name, subs, node.shape), sizes), {})
        return known[node.name, subs][None]

    def partial(node: Deriv, env: Env) -> Array:
        leaf = next(x for x in program.leaves if isinstance(x.node, Deriv) and x.node.of is node.of)
        subs = node.wrt.subs if isinstance(node.wrt, Var) else ()
        return known[leaf.argument, tuple(evaluate_int(p, {**sizes, **env.indices}) for p in subs)][None]

    def value(e: Expr, indices: Mapping[sympy.Symbol, int]) -> Array:
        return np.asarray(evaluate(e, Env(lookup, sizes, indices, partial))[0])

    if isinstance(program.outputs, Mapping):
        return {key: value(e, {}) for key, e in program.outputs.items()}
    return value(program.outputs, {})


def _body(program: Program, node: Var, sizes: Sizes) -> Expr:
    for given in program.system.family(node.name):
        d = changed(given, indices=tuple(i if i in _ranged(given) else replace(i, sizes) for i in given.indices))
        mapping = d.at(node.subs)
        if mapping is None:
            continue
        inside = {**sizes, **mapping}
        ends = [(replace(x.lo, inside), mapping[x.symbol], replace(x.hi, inside)) for x in d.ranges]
        if all(lo <= v <= hi for lo, v, hi in ends) and _holds(d, inside):
            return reindex(d.body, mapping)
    # Asked for under a guard that does not hold.
    return b.zeros(tuple(evaluate_int(n, sizes) for n in node.shape))


def _ranged(d: Definition) -> set[Any]:
    return {x.symbol for x in d.ranges}


def _holds(d: Any, inside: Mapping[sympy.Symbol, Any]) -> bool:
    compare = {"<=": "__le__", "<": "__lt__", ">=": "__ge__", ">": "__gt__", "==": "__eq__", "!=": "__ne__"}
    sides = [(evaluate_int(c.left, inside), compare[c.op], evaluate_int(c.right, inside)) for c in d.conds]
    return all(getattr(a, op)(c) for a, op, c in sides)


def check(program: Program, sizes: Sizes, seed: int = 0, tol: float = 1e-10) -> Any:
    """The generated function agrees with the evaluator at random arguments."""
    rng = np.random.default_rng(seed)
    arguments = draw(program, sizes, rng)
    got, want = run(program, arguments), expected(program, arguments, sizes)
    if isinstance(want, dict):
        assert list(got) == list(want)
    for a, c in zip(_values(got), _values(want), strict=True):
        assert np.shape(a) == np.shape(c)
        np.testing.assert_allclose(a, c, rtol=tol, atol=tol)
    return got


def _values(x: Any) -> list[Any]:
    return list(x.values()) if isinstance(x, dict) else [x]
