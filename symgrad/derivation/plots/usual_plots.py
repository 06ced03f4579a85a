"""What `symgrad plot` draws of a problem that does not say: the flow of gradients, the surface of a loss."""

from collections.abc import Callable, Mapping
from typing import Final

from symgrad.calculus.dependency import lags, reach
from symgrad.errors import ProblemError
from symgrad.problem.document import with_question
from symgrad.problem.elaborate import elaborate
from symgrad.problem.model import Problem
from symgrad.source import Source
from symgrad.tensor.system import Definition

Fields = dict[str, str]
OPTIONS: Final = "<options>"


def _flow(problem: Problem) -> Fields:
    """‖∂h_t/∂h_k‖ of the last vector with a boundary value that reads itself at an earlier step."""
    table = lags(problem.system)
    for d in reversed(problem.system.definitions):
        reads = set().union(*(reach(f, table.reads) for f in table.reads.get(d.family, ())))
        state = d.family in reads and d.family in problem.declarations
        if state and d.ranges and d.target.order == 1 and len(d.indices) == 1:
            step = d.ranges[0].symbol.name
            taken = {step, *problem.declarations, *problem.sizes, *(x.family for x in problem.system.definitions)}
            earlier = next(x for x in ("k", "s", "j", "r", "earlier") if x not in taken)
            return {"of": f"{d.family}[{step}]", "wrt": f"{d.family}[{earlier}]"}
    raise ProblemError(f"{problem.name} has no recurrence of vectors; say --of and --wrt")


def _surface(problem: Problem) -> Fields:
    """The first number that depends on two scalars that are given, and on nothing else; else on one."""
    scalars = {d.name for d in problem.leaves if not d.shape and not d.pattern and not d.arguments}
    leaves = {d.name for d in problem.leaves}
    table = lags(problem.system)

    def inputs(d: Definition) -> list[str]:
        behind = reach(d.family, table.reads) & leaves
        return [d.name for d in problem.leaves if d.name in behind] if behind <= scalars else []

    for many in (2, 1):
        for d in problem.system.definitions:
            if not d.target.order and not d.indices and len(found := inputs(d)) == many:
                return {"of": d.family, "over": f"[{', '.join(found)}]"}
    raise ProblemError(f"{problem.name} has no number of one or two scalars; say --of and --over")


USUAL: Final[Mapping[str, Callable[[Problem], Fields]]] = {"gradient-flow": _flow, "loss-surface": _surface}
"""The kinds of `symgrad plot`."""


def with_plot(problem: Problem, kind: str, fields: Mapping[str, str]) -> Problem:
    """The problem with one question, of kind plot, instead of its own.

    Args:
        problem: what is plotted.
        kind: a key of ``USUAL``; it finds what is plotted where the fields do not say.
        fields: fields of the question, as they are written in a problem.

    Raises:
        ProblemError: a field is wrong, or cannot be found.
    """
    told = {"of", "wrt", "over"} & set(fields)
    known = {} if "of" in told and len(told) > 1 else USUAL[kind](problem)
    lines = [f"{name}: {text}" for name, text in {"id": "plot", "ask": "plot", **known, **fields}.items()]
    return elaborate(with_question(problem.document, Source(OPTIONS, "\n".join(lines) + "\n")))
