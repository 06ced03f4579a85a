"""Equations that are not about the model: identities of functions, what a writer fixes, functions that saturate."""

from __future__ import annotations

from symgrad.problem.texts import walk
from symgrad.syntax.tree import Call, Name, Number, Subscript, Tree
from symgrad.tensor.nodes import Var
from symgrad.tensor.scalars import SCALARS
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.trials import is_atomic, points, tried
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.judging.weighing import counterexample, no_truth
from symgrad.verification.judging.words import at_point
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.derivatives import node_of
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.meaning.readings import PLAIN, Notation, Reading
from symgrad.verification.meaning.values import Misfit
from symgrad.verification.surgery import put_names


def is_function_of_name(tree: Tree) -> bool:
    """Whether a side is a scalar function of a mere name, σ(z) or σ′(z)."""
    return isinstance(tree, Call) and tree.func.id.rstrip("'") in SCALARS and isinstance(tree.args[0], Name)


def before_functions(left: Tree, right: Tree) -> tuple[Tree, Tree]:
    """The arguments where both sides are the same one-to-one function, which may saturate: σ(a) = σ(b) where a = b."""
    while (
        isinstance(left, Call) and isinstance(right, Call) and left.func == right.func and left.func.id in _ONE_TO_ONE
    ):
        if len(left.args) != 1 or len(right.args) != 1:
            break
        left, right = left.args[0], right.args[0]
    return left, right


def function_of_dummy(bench: Bench, equation: Equation) -> Judgement | None:
    """σ(z) = …, σ′(z) = …: an identity in z, whatever z is elsewhere; None for anything else."""
    left = equation.left
    if not (isinstance(left, Call) and len(left.args) == 1 and isinstance(left.args[0], Name)):
        return None
    if left.func.id.rstrip("'") not in SCALARS or left.func.id in bench.names.functions:
        return None
    name = left.args[0].id
    family = bench.names.families.get(name)
    node = bench.worlds[0].node(name, ()) if family is not None and family.arity == 0 else None
    if node is not None and not node.shape:
        return None
    if not SCALARS[left.func.id.rstrip("'")].smooth:
        return Judgement(w.UNJUDGED, "it holds on a part of the line only")
    notation = Notation()
    sides = [put_names(side, {name: f"{name} "}) for side in (left, equation.right)]
    kinds, loose = open_names(sides, bench.names, notation)
    if kinds or [n.id for n in loose] != [f"{name} "]:
        return None
    reading = Reading(orders=((f"{name} ", 0),))
    try:
        at = points(bench, sides[0], sides[1], kinds, notation, reading)
    except (Unclear, Misfit) as error:
        return no_truth(error)
    trial = tried(bench, at, sides[1], reading, notation)
    if trial.holds:
        return Judgement(w.RIGHT, trial=trial)
    if trial.outcome is None:
        return Judgement(w.UNJUDGED, trial.unclear)
    assert trial.failure is not None
    return Judgement(w.WRONG, at_point(trial.failure), counterexample=counterexample(trial.failure), trial=trial)


def fixed_by_writer(bench: Bench, equation: Equation, kinds: dict[str, str], notation: Notation) -> Judgement | None:
    """An equation that fixes an input or a state, x_t = 0, and so has no truth of its own; None for a claim."""
    left = equation.left
    base = left
    while isinstance(base, Subscript):
        base = base.base
    if (
        isinstance(left, Call)
        and left.func.id == "norm"
        and is_atomic(left.args[0])
        and isinstance(equation.right, Number)
        and _is_free(bench, left.args[0], kinds, notation)
    ):
        return Judgement(w.DEFINITION, "it fixes the length of a vector")
    counted = isinstance(left, Name) and (left.id in bench.names.indices or left.id in bench.names.sizes)
    if isinstance(left, Name) and counted and left.id not in bench.names.families:
        return Judgement(w.DEFINITION, f"it fixes {left.id}")
    if not isinstance(base, Name) or base.id not in bench.names.families or base.id in notation.settings:
        return None
    if _is_input(bench, base.id, left, kinds, notation):
        if isinstance(equation.right, Name | Subscript) or any(x == base for x in walk(equation.right)):
            return None
        return Judgement(w.DEFINITION, f"it fixes the input {base.id}")
    inside = [open_names((side,), bench.names, notation)[0] for side in (left, equation.right)]
    places = {x for density in bench.names.densities.values() for x in density.arguments}
    lacking = [n for n, role in inside[1].items() if n not in inside[0] and role == "entry" and n not in places]
    if lacking:
        return Judgement(
            w.UNJUDGED, f"{lacking[0]!r} stands on the right only: it fixes {base.id} for one {lacking[0]}"
        )
    return None


def _is_free(bench: Bench, tree: Tree, kinds: dict[str, str], notation: Notation) -> bool:
    """Whether a vector is an input of which nothing is known, so that a length may be given to it."""
    name = tree.id if isinstance(tree, Name) else ""
    known = name not in bench.names.families or bench.problem.facts.get(name)
    return not known and _is_input(bench, name, tree, kinds, notation)


def _is_input(bench: Bench, name: str, left: Tree, kinds: dict[str, str], notation: Notation) -> bool:
    """Whether a name is given, or a member of a family that is: h_0 of a recurrence."""
    if not bench.problem.system.family(name):
        return True
    if kinds:
        return False
    world = bench.worlds[0]
    try:
        node = node_of(bench.meaning(world, PLAIN, notation), left, {})
    except (Unclear, Outside, Misfit):
        return False
    return isinstance(node, Var) and world.numbers.system.body(node) is None


_ONE_TO_ONE = frozenset({"sigmoid", "tanh", "exp", "log"})
