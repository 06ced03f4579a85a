"""The verdict on one equation: what its left side is worth, and under which reading the right side agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symgrad.errors import near
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Call, Compare, Name, Number, Subscript, Tree, Unary
from symgrad.tensor.nodes import Var
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.system import Definition
from symgrad.verify import verdicts as w
from symgrad.verify.compare import Outcome
from symgrad.verify.errors import Unclear
from symgrad.verify.indices import open_names
from symgrad.verify.meaning import Meaning
from symgrad.verify.readings import PLAIN, Adjoint, Defined, Notation, Reading
from symgrad.verify.surgery import parts, put_bare, put_names, put_trees
from symgrad.verify.trials import (
    Bench,
    Failure,
    Point,
    Trial,
    has_derivative,
    is_atomic,
    points,
    readings,
    speaks_matrices,
    tried,
    unknown_orders,
)
from symgrad.verify.values import Misfit
from symgrad.verify.verdicts import Counterexample, Judgement
from symgrad.verify.words import at_point, described, shape_words
from symgrad.verify.world import sum_over, total_loss


@dataclass(frozen=True, slots=True)
class Equation:
    """left = right, with what the text around it fixes, and whether its writer works with plain numbers.

    ``settings`` are numbers that the text gives to inputs, ``rounded`` says that the sides are only close.
    """

    left: Tree
    right: Tree
    settings: Mapping[str, Fraction] | None = None
    rounded: bool = False
    scalars: bool = True


def judge(bench: Bench, equation: Equation, notation: Notation) -> Judgement:
    """The verdict on an equation; names that it defines are added to the notation."""
    if isinstance(equation.left, Compare) or isinstance(equation.right, Compare):
        return Judgement(w.UNJUDGED, "it compares, it does not state an equality")
    equation, aliases = aliased(bench, equation, notation)
    stepped = _at_one_step(bench, equation, notation)
    if stepped is not None:
        found = _judged(bench, stepped, notation)
        return replace(found, reason="; ".join(filter(None, ("all at one step", aliases, found.reason))))
    found = _judged(bench, equation, notation)
    return replace(found, reason="; ".join(filter(None, (aliases, found.reason)))) if aliases else found


def _judged(bench: Bench, equation: Equation, notation: Notation) -> Judgement:
    dummy = _function_of_dummy(bench, equation)
    if dummy is not None:
        return dummy
    left, right = _before_functions(equation.left, equation.right)
    equation = replace(equation, left=left, right=right)
    kinds, loose = open_names((left, right), bench.names, notation)
    own = _own_name(left, loose)
    if own is not None:
        return _named_by_writer(bench, equation, own, notation)
    fixed = _fixed_by_writer(bench, equation, kinds, notation)
    return fixed or _weighed(bench, equation, kinds, loose, notation)


def _at_one_step(bench: Bench, equation: Equation, notation: Notation) -> Equation | None:
    """The equation with the step put in that its writer left out everywhere; None where he did not."""
    steps = [s.name for s in bench.problem.steps]
    families = bench.names.families
    if len(steps) != 1 or _is_function_of_name(equation.left):
        return None
    sides = (equation.left, equation.right)
    bare, stepped = set[str](), False
    for side in sides:
        for x in walk(side):
            if (
                isinstance(x, Subscript)
                and isinstance(x.base, Name)
                and families.get(x.base.id) is not None
                and families[x.base.id].arity
            ):
                stepped = True
        for name in _bare(side):
            family = families.get(name)
            if (
                family is not None
                and family.arity == 1
                and name not in notation.names
                and name not in notation.settings
            ):
                bare.add(name)
    if stepped or not any(sum_over(bench.problem, name) is None for name in bare):
        return None
    place = equation.left.place
    put = {name: Subscript(Name(name, place=place), (Name(steps[0], place=place),), place=place) for name in bare}
    left, right = (put_bare(side, put) for side in sides)
    return replace(equation, left=left, right=right)


def _bare(tree: Tree) -> Iterator[str]:
    """The names that stand without subscripts and without arguments."""
    if isinstance(tree, Name):
        yield tree.id
    elif not (isinstance(tree, Subscript) and isinstance(tree.base, Name)):
        bound = {k.name.id for k in tree.keywords} if isinstance(tree, Call) else set()
        for part in parts(tree):
            yield from (name for name in _bare(part) if name not in bound)


def _is_function_of_name(tree: Tree) -> bool:
    return isinstance(tree, Call) and tree.func.id.rstrip("'") in SCALARS and isinstance(tree.args[0], Name)


def _before_functions(left: Tree, right: Tree) -> tuple[Tree, Tree]:
    """The arguments where both sides are the same one-to-one function, which may saturate: σ(a) = σ(b) where a = b."""
    while (
        isinstance(left, Call) and isinstance(right, Call) and left.func == right.func and left.func.id in _ONE_TO_ONE
    ):
        if len(left.args) != 1 or len(right.args) != 1:
            break
        left, right = left.args[0], right.args[0]
    return left, right


def _function_of_dummy(bench: Bench, equation: Equation) -> Judgement | None:
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
        return _no_truth(error)
    trial = tried(bench, at, sides[1], reading, notation)
    if trial.holds:
        return Judgement(w.RIGHT, trial=trial)
    if trial.outcome is None:
        return Judgement(w.UNJUDGED, trial.unclear)
    assert trial.failure is not None
    return Judgement(w.WRONG, at_point(trial.failure), counterexample=counterexample(trial.failure), trial=trial)


def _fixed_by_writer(bench: Bench, equation: Equation, kinds: dict[str, str], notation: Notation) -> Judgement | None:
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
    ):
        return Judgement(w.DEFINITION, "it fixes the length of a vector")
    counted = isinstance(left, Name) and (left.id in bench.names.indices or left.id in bench.names.sizes)
    if isinstance(left, Name) and counted and left.id not in bench.names.families:
        return Judgement(w.DEFINITION, f"it fixes {left.id}")
    if not isinstance(base, Name) or base.id not in bench.names.families or base.id in notation.settings:
        return None
    if not bench.problem.system.family(base.id):
        if isinstance(equation.right, Name | Subscript):
            return None
        return Judgement(w.DEFINITION, f"it fixes the input {base.id}")
    inside = [open_names((side,), bench.names, notation)[0] for side in (left, equation.right)]
    lacking = [n for n, role in inside[1].items() if n not in inside[0] and role == "entry"]
    if lacking:
        return Judgement(
            w.UNJUDGED, f"{lacking[0]!r} stands on the right only: it fixes {base.id} for one {lacking[0]}"
        )
    return None


def aliased(bench: Bench, equation: Equation, notation: Notation) -> tuple[Equation, str]:
    """The equation with names that are spelled a little differently as they are declared: W_f for W^f, p_t for p."""
    found: dict[str, str] = {}
    for node in (x for side in (equation.left, equation.right) for x in walk(side)):
        if isinstance(node, Name) and node.id not in found and node.id not in notation.names:
            other = declared_as(bench, node.id)
            if other is not None:
                found[node.id] = other
    plain = {
        x
        for side in (equation.left, equation.right)
        for x in walk(side)
        if isinstance(x, Subscript) and isinstance(x.base, Name) and _is_plain(bench, x.base.id, x.items)
    }
    found |= {f"{x.base.id}_{x.items[0].id}": x.base.id for x in plain}  # type: ignore[attr-defined]
    if not found:
        return equation, ""
    bare: dict[Tree, Tree] = {x: x.base for x in plain}
    left, right = (put_names(put_trees(side, bare), found) for side in (equation.left, equation.right))
    said = " and ".join(f"{name} is read as {other}" for name, other in found.items())
    return replace(equation, left=left, right=right), said


def _is_plain(bench: Bench, name: str, items: Sequence[Tree]) -> bool:
    """Whether a declared number bears a label that says nothing: p_t, where only p is declared."""
    family = bench.names.families.get(name)
    if family is None or family.arity or len(items) != 1 or not isinstance(items[0], Name):
        return False
    label = items[0].id
    if label not in _LABELS or label in bench.names.indices or label in bench.names.sizes:
        return False
    node = bench.worlds[0].node(name, ())
    return node is not None and not node.shape


def declared_as(bench: Bench, name: str) -> str | None:
    names = bench.names
    if (
        name in names.families
        or name in names.sizes
        or name in names.indices
        or name in names.functions
        or "_" not in name
    ):
        return None
    same = [n for n in names.families if n.replace("_", "") == name.replace("_", "")]
    if len(same) == 1:
        return same[0]
    stem, _, label = name.partition("_")
    plain = stem in names.families and names.families[stem].arity == 0
    like = [n for n in names.families if n.startswith(f"{stem}_")]
    return stem if plain and not like and label in _LABELS else None


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
    for adjoint in _adjoints(bench, own, len(items)):
        trial_notation = notation.copy()
        trial_notation.define(adjoint)
        kinds, loose = open_names((left, right), bench.names, trial_notation)
        found = _weighed(bench, equation, kinds, loose, trial_notation)
        target = _target_of(own.id, bench)
        if found.verdict in w.GOOD or (target == adjoint.family and found.verdict in w.BAD):
            notation.define(adjoint)
            loss = adjoint.loss.id if isinstance(adjoint.loss, Name) else ""
            said = f"{own.id} is read as the derivative of {loss} by {adjoint.family}"
            return replace(found, reason="; ".join(filter(None, (said, found.reason))))
    if mentions:
        return Judgement(w.UNJUDGED, f"{own.id!r} is defined by itself, and nothing says where it ends")
    if isinstance(left, Subscript) and not isinstance(left.base, Name):
        return Judgement(w.UNJUDGED, f"{own.id!r} is neither declared nor defined")
    notation.define(Defined(own.id, items, right))
    return Judgement(w.DEFINITION, f"{own.id} is the writer's own name")


def customary_adjoint(bench: Bench, name: Name) -> Adjoint | None:
    """The derivative of the loss that a name such as δh customarily is; None where it is another name."""
    if name.id in bench.names.values():
        return None
    target = _target_of(name.id, bench)
    losses = total_loss(bench.problem)
    if target is None or not losses or target == losses[0].family:
        return None
    return Adjoint(name.id, Name(losses[0].family, place=name.place), target)


def _target_of(name: str, bench: Bench) -> str | None:
    """The family whose adjoint a name customarily is: δh for ∂L/∂h, dh, h̄."""
    stems = [name.removeprefix(p) for p in ("δ", "delta_", "delta__", "d_", "d", "grad_") if name.startswith(p)]
    stems += [name.removesuffix(p) for p in ("bar", "_bar") if name.endswith(p)]
    return next((stem for stem in stems if stem in bench.names.families), None)


def _adjoints(bench: Bench, own: Name, subscripts: int) -> Iterator[Adjoint]:
    """The adjoints a name may stand for, the customary one first."""
    target = _target_of(own.id, bench)
    if target is None and own.id not in _ADJOINTS:
        return
    losses = [Name(d.family, place=own.place) for d in total_loss(bench.problem)]
    families = [n for n, f in bench.names.families.items() if f.arity == subscripts]
    chosen = [n for n in families if n == target] if target is not None else families
    for loss in losses:
        for family in chosen:
            if family != loss.id:
                yield Adjoint(own.id, loss, family)


# Deciding


def _weighed(
    bench: Bench, equation: Equation, kinds: dict[str, str], loose: Sequence[Name], notation: Notation
) -> Judgement:
    """The verdict by numbers."""
    if loose:
        return _with_unknown(bench, equation, kinds, loose, notation)
    left, right = equation.left, equation.right
    turned = not is_atomic(left) and is_atomic(right)
    if turned:
        left, right = right, left
    derivative = has_derivative(left) or _is_adjoint(left, notation)
    found = _by_readings(bench, left, right, kinds, notation, PLAIN if is_atomic(left) else None)
    if isinstance(found, Judgement):
        return found
    good = _accepted(found, derivative, is_atomic(left), equation)
    if good is not None:
        return good
    rounded = _to_precision(bench, left, right, kinds, notation, equation)
    if rounded is not None:
        return rounded
    if equation.rounded:
        return _approximated(bench, left, right, kinds, notation, found)
    for other in (_as_scalars, _immediately, _under_settings, _for_some_members):
        judged = other(bench, replace(equation, left=left, right=right), kinds, notation, found)
        if judged is not None:
            return judged
    return _rejected(bench, left, right, found, kinds, notation)


def _is_adjoint(tree: Tree, notation: Notation) -> bool:
    base = tree
    while isinstance(base, Subscript):
        base = base.base
    if not isinstance(base, Name):
        return False
    return any(
        isinstance(m, Adjoint) or (isinstance(m, Defined) and has_derivative(m.body))
        for m in notation.names.get(base.id, [])
    )


def _by_readings(
    bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation, truth: Reading | None
) -> list[Trial] | Judgement:
    """The trials under one reading after another, up to the first that holds."""
    trials: list[Trial] = []
    at: list[Point] = []
    trouble: Exception | None = None
    if truth is not None:
        try:
            at = points(bench, left, right, kinds, notation, truth)
        except (Unclear, Misfit) as error:
            return _no_truth(error)
    for reading in readings(right if truth is not None else _both(left, right)):
        if truth is None:
            try:
                at = points(bench, left, right, kinds, notation, reading)
            except (Unclear, Misfit) as error:
                trouble = error
                continue
        if not at:
            continue
        trial = tried(bench, at, right, reading, notation)
        trials.append(trial)
        if trial.holds:
            break
        if trial.outcome is None and "neither declared" in trial.unclear:
            break
    if not trials:
        return _no_truth(trouble) if trouble else Judgement(w.UNJUDGED, "there is no step at which it says anything")
    return trials


def _both(left: Tree, right: Tree) -> Tree:
    return Call(Name("both", place=left.place), (left, right), (), place=left.place)


def _no_truth(error: Exception | None) -> Judgement:
    if isinstance(error, Misfit):
        return Judgement(w.SHAPE_ERROR, f"the left side: {described(error)}")
    return Judgement(w.UNJUDGED, str(error))


def _accepted(trials: list[Trial], derivative: bool, atomic: bool, equation: Equation) -> Judgement | None:
    """The verdict where a reading holds."""
    trial = trials[-1]
    if trial.kinks and not trial.holds:
        return Judgement(
            w.RIGHT_IF, "right everywhere but at a kink, where the derivative is a convention", trial=trial
        )
    if not trial.holds:
        kinked = next((t for t in trials if t.kinks), None)
        if kinked is None:
            return None
        return Judgement(
            w.RIGHT_IF, "right everywhere but at a kink, where the derivative is a convention", trial=kinked
        )
    reading = trial.reading
    notes = "a vector before a derivative is read as its diagonal matrix" if reading.spread else _notes(reading)
    if reading.backwards:
        return Judgement(w.RIGHT_IF, "right if the product over the range is taken in the other order", trial=trial)
    if reading.entries:
        return Judgement(w.RIGHT_IF, "right if * between matrices is taken entry by entry", trial=trial)
    turned = trial.outcome is Outcome.TURNED
    other = turned or reading.loose or reading.gradients == "denominator"
    if reading.gradients == "row" and not trial.formal:
        other = True
    if not other:
        return Judgement(w.RIGHT, notes, trial=trial)
    if derivative:
        said = "the result is transposed: the other layout of derivatives" if turned or reading.loose else ""
        said = said or "the factors stand as in the other layout of derivatives"
        return Judgement(w.OTHER_LAYOUT, "; ".join(filter(None, (said, notes))), trial=trial)
    if turned and atomic:
        return Judgement(w.OTHER_LAYOUT, "right with vectors lying down", trial=trial)
    if not turned and not reading.loose:
        return Judgement(w.RIGHT, notes, trial=trial)
    if reading.loose and not turned:
        return Judgement(
            w.RIGHT_IF, "right if a vector on the left of a product lies down (is transposed)", trial=trial
        )
    return None


def _notes(reading: Reading) -> str:
    match reading.partials:
        case "leaves":
            return "∂ by a parameter is read as the immediate partial ∂⁺"
        case "neighbours" | "immediate":
            return "∂ on the right is read as the immediate partial ∂⁺"
    return ""


def _to_precision(
    bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation, equation: Equation
) -> Judgement | None:
    """A number that agrees as far as it is written out: 0.753 for 58/77."""
    shown = right.operand if isinstance(right, Unary) else right
    if not isinstance(shown, Number):
        return None
    decimals = len(shown.spelling.partition(".")[2])
    if not decimals and not equation.rounded:
        return None
    unit = Fraction(1, 10**decimals)
    sign = -1 if isinstance(right, Unary) and right.op == "-" else 1
    try:
        at = points(bench, left, right, kinds, notation)
    except (Unclear, Misfit):
        return None
    for point in at:
        values = point.truth.data.real.reshape(-1)
        gap = abs(values - float(sign * shown.value)).max()
        if point.truth.order or not gap < float(unit) * (1 - 1e-9):
            return None
        if gap > float(unit) / 2 * (1 + 1e-9) and not abs(values[0]) >= abs(float(shown.value)):
            return None
    if not at:
        return None
    return Judgement(w.TO_PRECISION, f"right to {decimals} decimals: it is {at[0].truth.data.real.reshape(-1)[0]:.8g}")


def _approximated(
    bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation, trials: list[Trial]
) -> Judgement:
    """Wrong where both sides are numbers that no input moves; unjudged otherwise."""
    numbers = not any(isinstance(x, Name) for side in (left, right) for x in _values_in(side))
    if numbers:
        return _rejected(bench, left, right, trials, kinds, notation)
    return Judgement(w.UNJUDGED, "it is an approximation")


def _values_in(tree: Tree) -> Iterator[Tree]:
    """The parts of a tree but for the names of functions."""
    called = {id(x.func) for x in walk(tree) if isinstance(x, Call)}
    return (x for x in walk(tree) if id(x) not in called)


def _as_scalars(
    bench: Bench, equation: Equation, kinds: dict[str, str], notation: Notation, trials: list[Trial]
) -> Judgement | None:
    """Right where every quantity is a number, of lines that have no meaning as matrices."""
    left, right = equation.left, equation.right
    derivative = has_derivative(left) or _is_adjoint(left, notation)
    if not derivative or not equation.scalars or speaks_matrices(right):
        return None
    if any(t.outcome is Outcome.VALUES and not t.reading.loose and not t.kinks for t in trials):
        return None
    trial = scalar_trial(bench, left, right, kinds, notation)
    if trial is None:
        return None
    reason = "right where every quantity is a number; as matrices, " + failure_words(bench, left, trials)
    return Judgement(w.AS_SCALARS, reason, trial=replace(trial, failure=shape_failure(trials)))


def scalar_trial(bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation) -> Trial | None:
    """The trial that holds where every quantity is a number; None where none does."""
    try:
        at = points(bench, left, right, kinds, notation, PLAIN, (bench.scalars,))
    except (Unclear, Misfit):
        return None
    if not any(abs(p.truth.data).max() > 0 for p in at):
        return None
    for reading in readings(right):
        if reading.gradients != "column" or reading.loose or reading.entries or reading.backwards:
            continue
        trial = tried(bench, at, right, reading, notation)
        if trial.holds:
            return trial
    return None


def shape_failure(trials: Sequence[Trial]) -> Failure | None:
    """How a line fails as matrices, in its plainest reading."""
    return next((t.failure for t in trials if t.failure is not None), None)


def failure_words(bench: Bench, left: Tree, trials: Sequence[Trial]) -> str:
    """In words, how a line fails as matrices."""
    failure = shape_failure(trials)
    if failure is None:
        return "it has no value"
    if failure.misfit is not None:
        return described(failure.misfit, failure.point.world if failure.point else None)
    if failure.point is not None and failure.given is not None and failure.given != failure.point.truth.shape:
        shown = shape_words(failure.given, failure.point.world)
        return f"the right side is {shown}, the left side {shape_words(failure.point.truth.shape, failure.point.world)}"
    return "the values differ"


def _immediately(
    bench: Bench, equation: Equation, kinds: dict[str, str], notation: Notation, trials: list[Trial]
) -> Judgement | None:
    """Right where the derivative on the left is the immediate partial."""
    left, right = equation.left, equation.right
    if not (isinstance(left, Call) and left.func.id == "jacobian" and not left.keywords):
        return None
    try:
        at = points(bench, left, right, kinds, notation, Reading(partials="immediate"))
    except (Unclear, Misfit):
        return None
    if not at or not any(abs(p.truth.data).max() > 0 for p in at):
        return None
    for reading in readings(right):
        trial = tried(bench, at, right, reading, notation)
        if trial.holds:
            good = _accepted([trial], True, True, equation)
            if good is not None and good.verdict in (w.RIGHT, w.OTHER_LAYOUT):
                return Judgement(
                    w.RIGHT_IF,
                    "right if ∂ on the left is the immediate partial ∂⁺, not the total derivative",
                    trial=trial,
                )
    return None


def _under_settings(
    bench: Bench, equation: Equation, kinds: dict[str, str], notation: Notation, trials: list[Trial]
) -> Judgement | None:
    """Right where the text around it fixes an input, `when γ = 0`."""
    known = {name: value for name, value in (equation.settings or {}).items() if name in bench.names.families}
    if not known:
        return None
    fixed = bench.at({name: float(value) for name, value in known.items()})
    judged = _by_readings(fixed, equation.left, equation.right, kinds, notation, PLAIN)
    if isinstance(judged, Judgement):
        return None
    good = _accepted(judged, has_derivative(equation.left), True, equation)
    if good is None:
        return None
    said = " and ".join(f"{name} = {value}" for name, value in known.items())
    return Judgement(w.RIGHT_IF, f"right if {said}, as the text says", trial=good.trial)


def _for_some_members(
    bench: Bench, equation: Equation, kinds: dict[str, str], notation: Notation, trials: list[Trial]
) -> Judgement | None:
    """Right for the members of a family that one line of the model defines: q_i for i ≥ 1, where q_0 is another."""
    left = equation.left
    if not (isinstance(left, Subscript) and isinstance(left.base, Name)):
        return None
    definitions = bench.problem.system.family(left.base.id)
    if len(definitions) < 2:
        return None
    at = points(bench, left, equation.right, kinds, notation, most=_MOST_PLACES)
    for d in definitions:
        inside = [p for p in at if _defined_by(bench, p, left, d, notation)]
        trial = tried(bench, inside, equation.right, PLAIN, notation) if inside else None
        if trial is not None and trial.outcome is Outcome.SAME:
            ranges = ", ".join(f"{x.symbol} = {x.lo}, …, {x.hi}" for x in d.ranges) or "the first member"
            return Judgement(w.RIGHT_IF, f"right for {ranges}", trial=trial)
    return None


def _defined_by(bench: Bench, point: Point, left: Subscript, d: Definition, notation: Notation) -> bool:
    """Whether a line of the model defines the member at a point."""
    meaning = Meaning(point.world, PLAIN, bench.names, notation)
    assert isinstance(left.base, Name)
    node = meaning.node(left.base, left.items[: len(d.indices)], point.ints)
    hit = point.world.numbers.system.definition(node) if isinstance(node, Var) else None
    return hit is not None and hit[0].indices == d.indices


def _with_unknown(
    bench: Bench, equation: Equation, kinds: dict[str, str], loose: Sequence[Name], notation: Notation
) -> Judgement:
    """An equation with names that nobody declared, tried as numbers, vectors and matrices."""
    left, right = equation.left, equation.right
    names = " and ".join(repr(n.id) for n in loose[:3])
    inside = [{n.id for n in open_names((side,), bench.names, notation)[1]} for side in (left, right)]
    declared = [*bench.names.values()]
    suggestion = near(loose[0].id, declared) if len(loose) == 1 else None
    others = f" and {len(loose) - 3} others" if len(loose) > 3 else ""
    unknown = f"{names}{others} {'is' if len(loose) == 1 else 'are'} neither declared nor defined"
    unknown += f"; did you mean {suggestion!r}?" if suggestion else ""
    if len(loose) > 3:
        return Judgement(w.UNJUDGED, unknown)
    held: list[Trial] = []
    failed: Trial | None = None
    for reading in unknown_orders(PLAIN, loose):
        trial = _tried_with(bench, left, right, kinds, notation, reading)
        if trial is not None and trial.outcome is Outcome.SAME:
            held.append(trial)
        elif trial is not None and trial.outcome is Outcome.VALUES:
            failed = failed or trial
    if held and failed is None:
        return Judgement(w.RIGHT, trial=held[0], sure=False)
    if held:
        said = ", ".join(f"{n} {_ORDERS[k]}" for n, k in held[0].reading.orders)
        return Judgement(w.RIGHT_IF, f"right if {said}", trial=held[0], sure=False)
    if failed is not None and inside[0] == inside[1]:
        example = counterexample(failed.failure)
        return Judgement(w.WRONG, "the two sides differ", counterexample=example, trial=failed, sure=False)
    return Judgement(w.UNJUDGED, unknown)


def _tried_with(
    bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation, reading: Reading
) -> Trial | None:
    """The trial of an equation whose undeclared names have given orders: the first that holds, or has a value."""
    found: Trial | None = None
    for variant in (reading, replace(reading, gradients="denominator"), replace(reading, loose=True)):
        try:
            at = points(bench, left, right, kinds, notation, variant)
        except (Unclear, Misfit):
            continue
        trial = tried(bench, at, right, variant, notation) if at else None
        if trial is not None and trial.outcome is Outcome.SAME:
            return trial
        found = found or trial
    return found


_MOST_PLACES = 12
_LABELS = frozenset({"t", "i", "true", "c", "k", "y"})
_ONE_TO_ONE = frozenset({"sigmoid", "tanh", "exp", "log"})
_ADJOINTS = frozenset({"delta", "δ", "g", "epsilon", "lambda", "e"})
_ORDERS = ("is a number", "is a vector", "is a matrix")


# Rejecting


def _rejected(
    bench: Bench, left: Tree, right: Tree, trials: list[Trial], kinds: dict[str, str], notation: Notation
) -> Judgement:
    """A wrong line with the point at which it fails, or one whose shapes do not fit, or one without a value."""
    by_value = next((t for t in trials if t.outcome is Outcome.VALUES and not t.reading.loose), None)
    by_value = by_value or next((t for t in trials if t.outcome is Outcome.VALUES), None)
    if by_value is not None and by_value.failure is not None:
        return Judgement(
            w.WRONG, at_point(by_value.failure), counterexample=counterexample(by_value.failure), trial=by_value
        )
    by_shape = next((t for t in trials if t.outcome is Outcome.SHAPE), None)
    if by_shape is not None:
        wrong = _wrong_as_scalars(bench, left, right, kinds, notation)
        if wrong is not None:
            reason = f"wrong even where every quantity is a number: {at_point(wrong.failure)}" if wrong.failure else ""
            return Judgement(w.WRONG, reason, counterexample=counterexample(wrong.failure), trial=wrong)
        return Judgement(w.SHAPE_ERROR, failure_words(bench, left, trials), trial=by_shape)
    if any(t.outcome is Outcome.TURNED for t in trials):
        return Judgement(w.WRONG, "the right side is the transpose of the left one")
    return Judgement(w.UNJUDGED, next((t.unclear for t in trials if t.unclear), "it has no value"))


def _wrong_as_scalars(bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation) -> Trial | None:
    """The trial of a line without the notation of matrices, where it has a wrong value as numbers."""
    if speaks_matrices(right) or not (has_derivative(left) or _is_adjoint(left, notation)):
        return None
    try:
        at = points(bench, left, right, kinds, notation, PLAIN, (bench.scalars,))
    except (Unclear, Misfit):
        return None
    trial = tried(bench, at, right, PLAIN, notation)
    return trial if trial.outcome is Outcome.VALUES else None


def counterexample(failure: Failure | None) -> Counterexample | None:
    """The point at which a line fails, with both numbers."""
    if failure is None or failure.gap is None or failure.point is None:
        return None
    at = {n: k for n, k in failure.point.world.sizes.items() if n != "*"} | dict(failure.point.ints)
    return Counterexample(at, failure.gap.entry, failure.gap.expected, failure.gap.given)
