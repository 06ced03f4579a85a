"""The verdict on one equation: what its left side is worth, and under which reading the right side agrees."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from symgrad.problem.texts import walk
from symgrad.syntax.tree import Compare, Name, Subscript, Tree
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.adjoints import adjoints, are_differentials, is_adjoint, target_of
from symgrad.verification.judging.allowances import (
    for_some_members,
    immediately,
    with_unknown,
    within_axes,
)
from symgrad.verification.judging.approximations import approximated
from symgrad.verification.judging.constants import between_numbers
from symgrad.verification.judging.differentials import judge_differentials
from symgrad.verification.judging.dummies import before_functions, fixed_by_writer, function_of_dummy
from symgrad.verification.judging.equations import Equation, by_entries
from symgrad.verification.judging.numbers import as_scalars, to_precision
from symgrad.verification.judging.premises import beyond_premises, under_premises
from symgrad.verification.judging.rejection import rejected
from symgrad.verification.judging.spellings import aliased, at_one_point, at_one_step
from symgrad.verification.judging.trials import has_derivative, is_atomic
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.judging.weighing import accepted, by_readings
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.meaning.readings import PLAIN, Defined, Notation


def judge(bench: Bench, equation: Equation, notation: Notation) -> Judgement:
    """The verdict on an equation; names that it defines are added to the notation."""
    if isinstance(equation.left, Compare) or isinstance(equation.right, Compare):
        return Judgement(w.UNJUDGED, "it compares, it does not state an equality")
    equation, aliases = aliased(bench, equation, notation)
    stepped = at_one_step(bench, equation, notation)
    if stepped is not None:
        found = _judged(bench, stepped, notation)
        return replace(found, reason="; ".join(filter(None, ("all at one step", aliases, found.reason))))
    pointed = at_one_point(bench, equation, notation)
    if pointed is not None:
        aliases = "; ".join(filter(None, ("all at one point", aliases)))
    found = _judged(bench, pointed or equation, notation)
    return replace(found, reason="; ".join(filter(None, (aliases, found.reason)))) if aliases else found


def _judged(bench: Bench, equation: Equation, notation: Notation) -> Judgement:
    taken = notation.names.keys() | bench.names.families.keys() | bench.names.sizes.keys()
    simple = between_numbers(equation, taken) or function_of_dummy(bench, equation)
    if simple is not None:
        return simple
    differentials = judge_differentials(bench, equation, notation)
    if differentials is not None:
        return differentials
    if are_differentials(bench, equation.left, equation.right):
        return Judgement(w.UNJUDGED, "an equation between differentials")
    entries = by_entries(equation.left, equation.right)
    if entries is not None:
        return _entry_by_entry(bench, replace(equation, left=entries[0], right=entries[1]), notation)
    left, right = before_functions(equation.left, equation.right)
    equation = replace(equation, left=left, right=right)
    kinds, loose = open_names((left, right), bench.names, notation)
    own = _own_name(left, loose)
    if own is not None:
        return _named_by_writer(bench, equation, own, notation)
    fixed = fixed_by_writer(bench, equation, kinds, notation)
    return fixed or _weighed(bench, equation, kinds, loose, notation)


def _entry_by_entry(bench: Bench, equation: Equation, notation: Notation) -> Judgement:
    """The verdict on A_ij = a_i b_j, which A = [a_i b_j]_ij says; where A is a derivative, A_ji is its other layout."""
    found = _judged(bench, equation, notation)
    left = equation.left
    if found.verdict != w.WRONG or not isinstance(left, Subscript) or not has_derivative(left):
        return found
    turned = left.replaced(items=left.items[::-1])
    if len(left.items) != 2 or _judged(bench, replace(equation, left=turned), notation).verdict != w.RIGHT:
        return found
    return Judgement(w.OTHER_LAYOUT, "the result is transposed: the other layout of derivatives")


def _own_name(left: Tree, loose: Sequence[Name]) -> Name | None:
    """The undeclared name that an equation gives a meaning to."""
    base = left
    while isinstance(base, Subscript):
        base = base.base
    return base if isinstance(base, Name) and base.id in {n.id for n in loose} else None


# Names that the writer brings along


def _named_by_writer(bench: Bench, equation: Equation, own: Name, notation: Notation) -> Judgement:
    """A definition; or a claim about the adjoint that the name customarily stands for."""
    left, right = equation.left, equation.right
    items = left.items if isinstance(left, Subscript) and isinstance(left.base, Name) else ()
    mentions = any(isinstance(x, Name) and x.id == own.id for x in walk(right))
    for adjoint in adjoints(bench, own, len(items)):
        trial_notation = notation.copy()
        trial_notation.define(adjoint)
        kinds, loose = open_names((left, right), bench.names, trial_notation)
        found = _weighed(bench, equation, kinds, loose, trial_notation)
        target = target_of(own.id, bench)
        if found.verdict in w.GOOD or (target == adjoint.family and found.verdict in w.BAD):
            notation.define(adjoint)
            loss = adjoint.loss.id if isinstance(adjoint.loss, Name) else ""
            said = f"{own.id} is read as the derivative of {loss} by {adjoint.family}"
            return replace(found, reason="; ".join(filter(None, (said, found.reason))))
    if mentions:
        return Judgement(w.UNJUDGED, f"{own.id!r} is defined by itself, and nothing says where it ends")
    if isinstance(left, Subscript) and not isinstance(left.base, Name):
        return Judgement(w.UNJUDGED, f"{own.id!r} is neither declared nor defined")
    if not equation.rounded:
        notation.define(Defined(own.id, items, right))
    return Judgement(w.DEFINITION, f"{own.id.strip()} is the writer's own name")


def _weighed(
    bench: Bench, equation: Equation, kinds: dict[str, str], loose: Sequence[Name], notation: Notation
) -> Judgement:
    """The verdict by numbers."""
    if loose:
        return with_unknown(bench, equation, kinds, loose, notation)
    left, right = equation.left, equation.right
    turned = not is_atomic(left) and is_atomic(right)
    if turned:
        left, right = right, left
    derivative = has_derivative(left) or is_adjoint(left, notation)
    found = by_readings(bench, left, right, kinds, notation, PLAIN if is_atomic(left) else None)
    if isinstance(found, Judgement):
        return found
    good = accepted(found, derivative, is_atomic(left), equation)
    if good is not None:
        return good
    rounded = to_precision(bench, left, right, kinds, notation, equation)
    if rounded is not None:
        return rounded
    if equation.rounded:
        sides = replace(equation, left=left, right=right)
        supposed = under_premises(bench, sides, kinds, notation, found)
        return supposed or approximated(bench, left, right, kinds, notation, found)
    for other in (as_scalars, immediately, under_premises, for_some_members, within_axes, beyond_premises):
        judged = other(bench, replace(equation, left=left, right=right), kinds, notation, found)
        if judged is not None:
            return judged
    return rejected(bench, left, right, found, kinds, notation)
