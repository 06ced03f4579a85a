"""Steps that a writer leaves out of names with several subscripts: v_1 for v_{1,t}, a_1 for the first entry of a_t."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from symgrad.problem.texts import walk
from symgrad.syntax.tree import Name, Number, Subscript, Tree
from symgrad.verification.judging.equations import Equation
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.readings import Notation
from symgrad.verification.surgery import put_trees


def with_steps(bench: Bench, equation: Equation, notation: Notation) -> tuple[Equation, str] | None:
    """The equation with the steps put in that are missing, and what is read so; None where none are.

    A family of two indices with one of them, v_1, has no other meaning. Beside it, and where a line only says so,
    a number below a sequence of vectors is an entry: a_1 is that of a_t.
    """
    sides = (equation.left, equation.right)
    named = {x for side in sides for x in walk(side) if isinstance(x, Subscript) and isinstance(x.base, Name)}
    named = {x for x in named if isinstance(x.base, Name) and x.base.id not in notation.names}
    steps = {name for x in named for item in x.items for name in _names(item)}
    found: dict[Tree, Tree] = {x: put for x in named if (put := _at_step(bench, x, steps)) is not None}
    entries: dict[Tree, Tree] = {x: put for x in named for step in steps if (put := _entry(bench, x, step)) is not None}
    if found or (isinstance(equation.left, Subscript) and entries.get(equation.left) == equation.right):
        found |= entries
    if not found:
        return None
    left, right = (put_trees(side, found) for side in sides)
    said = " and ".join(sorted(f"{_text(x)} is read as {_text(put)}" for x, put in found.items()))
    return replace(equation, left=left, right=right), said


def _names(tree: Tree) -> Iterator[str]:
    return (x.id for x in walk(tree) if isinstance(x, Name))


def _at_step(bench: Bench, x: Subscript, steps: set[str]) -> Subscript | None:
    """v_{1,t} for v_1, where the model has v_{i,t} and the line stands at t."""
    name = x.base.id if isinstance(x.base, Name) else ""
    family = bench.names.families.get(name)
    if family is None or family.arity != len(x.items) + 1 or not isinstance(x.items[-1], Number | Name):
        return None
    step = bench.subscripts.letters.get(name, ("",))[-1]
    return x.replaced(items=(*x.items, Name(step, place=x.place))) if step in steps else None


def _entry(bench: Bench, x: Subscript, step: str) -> Subscript | None:
    """Entry 1 of a_t for a_1, where the model has the vectors a_t and the line stands at t."""
    name = x.base.id if isinstance(x.base, Name) else ""
    family = bench.names.families.get(name)
    vectors = family is not None and family.arity == 1 and bench.names.vocabulary.orders.get(name) == 1
    numbered = len(x.items) == 1 and isinstance(x.items[0], Number)
    if not (vectors and numbered) or bench.subscripts.letters.get(name, ("",))[0] != step:
        return None
    return x.replaced(items=(Name(step, place=x.place), *x.items))


def _text(x: Tree) -> str:
    if isinstance(x, Subscript) and isinstance(x.base, Name):
        items = [item.id if isinstance(item, Name) else item.place.text for item in x.items]
        return f"{x.base.id}_{items[0]}" if len(items) == 1 else f"{x.base.id}_{{{', '.join(items)}}}"
    return x.place.text
