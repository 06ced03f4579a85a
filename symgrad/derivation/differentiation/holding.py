"""What a question holds fixed: the paths end there, or, where they have no end, a family is held at every step."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from symgrad.calculus.trace import symbols_in
from symgrad.derivation.reasons import listed
from symgrad.derivation.steps import Code, DeferredCode, Prose, Result
from symgrad.errors import QuestionError
from symgrad.problem.model import Asked, Question
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.spelling import describe_node
from symgrad.tensor.system import Definition, System

ALONG_PATHS: Final[Mapping[str, str]] = {"backprop": "factored", "sum-of-products": "chain"}
"""The form in which a derivative is written whose paths end at what is held, where another one was asked for."""


def held_throughout(system: System, held: Sequence[Asked], asked: Sequence[Expr]) -> tuple[Var, ...]:
    """The families that a question holds at an open step, and so in every factor of a product over steps.

    Args:
        system: the model.
        held: what the question holds.
        asked: what is differentiated, and by what.

    Raises:
        QuestionError: a single step is held, of which it is open how many lie behind it.
    """
    running = set().union(*(symbols_in(x) for x in asked if isinstance(x, Var))) & system.steps.keys()
    found: dict[Var, None] = {}
    for h in (x.expr for x in held):
        targets = [d.target for d in system.family(h.name) if d.ranges] if isinstance(h, Var) else []
        if not isinstance(h, Var) or not targets or not (h is targets[0] or symbols_in(h) & running):
            whole = f"hold {describe_node(targets[0])}, which is every step, or " if targets else ""
            one = f"{describe_node(h)} is held at one step, and how many lie behind it is open"
            raise QuestionError(f"{one}; {whole}give the steps numbers")
        found[targets[0]] = None
    return tuple(found)


def without(system: System, families: Sequence[Var]) -> System:
    """The system in which some families are given."""
    names = {v.name for v in families}
    return System(tuple(d for d in system.definitions if d.family not in names), system.steps)


def freed(question: Question) -> Question:
    """The question with nothing held."""
    return replace(question, fields={k: v for k, v in question.fields.items() if k != "hold"})


def said(families: Sequence[Var]) -> Prose:
    """The sentence that says what is held."""
    return Prose((*listed(families), " are held at every step." if len(families) > 1 else " is held at every step."))


def computed(result: Result, given: Sequence[Definition]) -> Result:
    """A result in which some families are given, with code that computes these from the model."""
    code = result.code
    if code is None:
        return result
    return replace(result, code=DeferredCode(lambda: Code(code.system.extended(given), code.value, code.integers)))
