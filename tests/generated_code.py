"""A generated function against finite differences of the model, at sizes, steps and points that nobody chose."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from symgrad.calculus.numeric import Numbers
from symgrad.derivation.sizes import derived_sizes, fitting
from symgrad.derivation.steps import Derivation
from symgrad.derivation.workspace import choose_sizes
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem
from symgrad.sheet.programs import numpy_module, program
from symgrad.sheet.samples import sample
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.nodes import Expr, Rel

STEP = 2e-5
"""Small, so that a kink hardly ever lies within it."""

HOLDS = {"<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__, "==": int.__eq__, "!=": int.__ne__}


def namespace(problem: Problem, derivations: Sequence[Derivation]) -> dict[str, Any]:
    """What the module of answers defines."""
    space: dict[str, Any] = {}
    exec(compile(numpy_module(problem, derivations), f"{problem.name}.py", "exec"), space)
    return space


def agrees(problem: Problem, derivation: Derivation, space: Mapping[str, Any], data: st.DataObject) -> None:
    """Its values are those of differences, of the contract's shapes, and the arguments stay as they are."""
    asked = problem.question(derivation.id)
    made = program(problem, derivation)
    sizes = drawn(data, problem, [asked.of.expr, *(w.expr for w in asked.wrt)])
    if not all(
        HOLDS[c.op](*(evaluate_int(x, sizes) for x in (c.left, c.right))) for c in asked.where if isinstance(c, Rel)
    ):
        reject()
    numbers = Numbers.of(problem.system, sizes, points=1, seed=data.draw(st.integers(0, 10**6)))
    held = [h.expr for h in asked.several("hold")]
    try:
        expected = {w.text: numbers.differences(asked.of.expr, w.expr, held, STEP)[0] for w in asked.wrt}
    except (QuestionError, ValueError):
        reject()  # The model does not exist at these sizes: a kernel larger than its image.
    arguments = {leaf.argument: sample(leaf, numbers) for leaf in made.leaves}
    arguments |= {s.name: sizes[s] for s in made.integers}
    before = {k: np.array(v) for k, v in arguments.items()}
    found = space[made.name](**arguments)
    np.testing.assert_equal({k: np.array(v) for k, v in arguments.items()}, before)
    assert isinstance(found, dict) == asked.wrt_is_list
    found = found if asked.wrt_is_list else {asked.wrt[0].text: found}
    assert list(found) == list(expected)
    for wrt, value in expected.items():
        assert np.shape(found[wrt]) == value.shape
        np.testing.assert_allclose(found[wrt], value, rtol=1e-6, atol=1e-7)


def drawn(data: st.DataObject, problem: Problem, exprs: list[Expr]) -> dict[Any, int]:
    """Sizes, ends of steps and open indices of every small value at which the model exists."""
    chosen, steps = choose_sizes(problem.system, exprs)[0], problem.steps
    ends = {s for x in steps.values() for end in (x.lo, x.hi) for s in getattr(end, "free_symbols", ())}
    sizes = [s for s in chosen if s.is_positive and s not in ends]
    env = {s: data.draw(st.integers(1, 6), label=str(s)) for s in (*sizes, *(ends & chosen.keys()))}
    env = fitting(env, sizes, derived_sizes(problem.system, exprs))
    least = min(env.values(), default=1)
    env |= {s: data.draw(st.integers(1, least), label=str(s)) for s in chosen.keys() - env.keys() - steps.keys()}
    for s in chosen.keys() & steps.keys():
        lo, hi = evaluate_int(steps[s].lo, env), evaluate_int(steps[s].hi, env)
        env[s] = data.draw(st.integers(lo, hi), label=str(s))
    return env
