"""What a solver works with: the problem, the model with the names introduced so far, and the certifier."""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence

import sympy
from msgspec import Struct, field

from symgrad.calculus.dependency import lags, reach
from symgrad.derivation.assuming import Imposed
from symgrad.derivation.certify import POINTS, Certifier
from symgrad.derivation.reading_order import members
from symgrad.derivation.sizes import derived_sizes, fitting
from symgrad.derivation.steps import Introduced, Reason
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.dependence import dependence
from symgrad.tensor.integers import Int, difference, evaluate_int, symbols_of
from symgrad.tensor.nodes import At, Binder, Entry, Expr, Rel, Var
from symgrad.tensor.reindex import free_ints, reindex
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder, variables

SIZE_CHOICES = ((2, 3, 4, 5), (3, 2, 2, 4), (2, 2, 2, 2))
SINGLE_SIZES = ((2,), (3,), (4,))
"""Three choices for a single size, which the others would give one number twice."""
STEP_CHOICES = (3, 2, 4)
"""Ends of the steps; longer by up to MOST_LONGER where conditions, or what is asked for, need more of them."""
MOST_LONGER = 4
FEW_STEPS = 64
"""Up to a step of that number, every end between is tried."""
MOST_STEPS = 2_000
"""A step beyond that is not looked for."""


class Workspace(Struct):
    """The state of one derivation.

    ``system`` grows by what the derivation names; ``introduced`` are those names in order.
    """

    problem: Problem
    question: Question
    system: System
    certifier: Certifier
    introduced: list[Introduced] = field(default_factory=list)

    def define(self, definitions: Iterable[Definition]) -> None:
        """Add definitions to the model and to every numeric instance."""
        definitions = tuple(definitions)
        self.system = self.system.extended(definitions)
        self.certifier.know(definitions)

    def fresh(self, *wishes: str) -> str:
        """The first wish that no symbol of the problem has; with a number behind it when all are taken."""
        return first_free(wishes, names_in_use(self.problem, self.system))

    def starred(self, name: str) -> str:
        """A name for the optimal value of something: h*, or CE_opt where the name is no single letter."""
        return self.fresh(f"{name}star", f"{name}_opt") if len(name) == 1 else self.fresh(f"{name}_opt", f"{name}_best")

    def introduce(self, name: Var, body: Expr, ranges: tuple[Binder, ...] = (), reason: Reason = ()) -> Introduced:
        """Give a name to an expression."""
        indices = name.subs
        self.define([Definition(name.name, indices, body, ranges, facts=name.facts)])
        made = Introduced(name, body, reason)
        self.introduced.append(made)
        return made


def first_free(wishes: Sequence[str], taken: Collection[str]) -> str:
    """The first wish that is not taken; with a number behind the first when all are."""
    numbered = (f"{wishes[0]}_{n}" for n in itertools.count(1))
    return next(name for name in itertools.chain(wishes, numbered) if name not in taken)


def names_in_use(problem: Problem, system: System) -> set[str]:
    """Every name of the problem: symbols, sizes, steps, defined and introduced nodes."""
    used = set(problem.declarations) | set(problem.sizes) | {s.name for s in problem.steps}
    for d in system.definitions:
        used.add(d.family)
        used |= {v.name for v in variables(d.body, into_derivatives=True)}
    return used


def integer_symbols(system: System, exprs: Iterable[Expr]) -> set[sympy.Symbol]:
    """The free sizes, steps and indices of a model and of expressions."""
    found: set[sympy.Symbol] = set()
    for d in system.definitions:
        bound = {x.symbol for x in d.ranges}
        found |= dependence(d.body).symbols - bound
        for x in d.ranges:
            found |= (symbols_of(x.lo) | symbols_of(x.hi)) - bound
        for i in d.indices:
            found |= symbols_of(i) - bound
    for e in exprs:
        found |= dependence(e).symbols
    return found


def choose_sizes(
    system: System, exprs: Iterable[Expr], conds: Iterable[Rel] = (), free: Mapping[sympy.Symbol, Binder] | None = None
) -> list[dict[sympy.Symbol, int]]:
    """Sizes, ends of steps and open indices for three numeric instances: unequal, others unequal, all equal.

    Raises:
        QuestionError: no small numbers satisfy the conditions.
    """
    exprs = tuple(exprs)
    symbols = sorted(
        integer_symbols(system, exprs) | {s for c in conds for s in symbols_of(c.left) | symbols_of(c.right)}, key=str
    )
    named = [v for e in exprs for v in variables(e, into_derivatives=True)]
    named += _at_numbers(system, named)
    numbers = {s for v in named for s in v.subs if isinstance(s, int)}
    steps = {**system.steps, **(free or {})}
    ends = set().union(*(symbols_of(x.lo) | symbols_of(x.hi) for x in steps.values())) - set(steps)
    open_steps = [s for s in symbols if s in steps]
    loose = [s for s in symbols if s not in steps and s not in ends and not s.is_positive]
    sizes = [s for s in symbols if s.is_positive and s not in ends]
    axes = _axes(exprs, loose)
    out: list[dict[sympy.Symbol, int]] = []
    needed = derived_sizes(system, exprs)
    choices = SINGLE_SIZES if len(sizes) == 1 else SIZE_CHOICES
    for row, length in zip(choices, STEP_CHOICES, strict=True):
        for end in _ends(length, numbers):
            env = {s: row[k % len(row)] for k, s in enumerate(sizes)}
            env.update(dict.fromkeys(ends, end))
            env = fitting(env, sizes, needed)
            found = _with_indices(env, open_steps, axes, steps, list(conds), len(out), named=(system, named))
            if found is not None:
                out.append(found)
                break
        else:
            far = max(numbers, default=0)
            beyond = f"step {far} is too far to be worked out in numbers" if far > MOST_STEPS else ""
            raise QuestionError(beyond or "no small steps satisfy the conditions of the question")
    return out


def _ends(shortest: int, numbers: Iterable[int]) -> list[int]:
    """How many steps are tried: from a few on, and a few more than each step that is named by its number.

    Those come first that leave as many steps behind the last number as there are without one.
    """
    found = set(range(shortest, shortest + MOST_LONGER + 1))
    for number in sorted(x for x in numbers if shortest < x <= MOST_STEPS):
        found.update(range(shortest if number <= FEW_STEPS else number, number + MOST_LONGER + 1))
    last = max((x for x in numbers if shortest < x <= MOST_STEPS), default=0)
    first = last + shortest - min(STEP_CHOICES) if last else shortest
    return sorted(found, key=lambda end: (end < first, end))


def _at_numbers(system: System, named: Iterable[Var]) -> list[Var]:
    """The members at numeric steps that the definitions behind nodes read, as L = Σ_{t=1}^{3} E_t does."""
    behind = set().union(*(reach(v.name, lags(system).reads) for v in named))
    bodies = [d.body for d in system.definitions if not d.ranges and d.family in behind]
    return [v for v in members(*bodies) if any(isinstance(s, int) for s in v.subs)]


def _with_indices(
    env: dict[sympy.Symbol, int],
    open_steps: list[sympy.Symbol],
    axes: Mapping[sympy.Symbol, tuple[Int, Int] | None],
    steps: Mapping[sympy.Symbol, Binder],
    conds: list[Rel],
    turn: int,
    named: tuple[System, Sequence[Var]],
) -> dict[sympy.Symbol, int] | None:
    ranges = []
    for s in open_steps:
        lo, hi = evaluate_int(steps[s].lo, env), evaluate_int(steps[s].hi, env)
        values = list(range(lo, hi + 1))
        ranges.append(values[len(values) // 2 :] + values[: len(values) // 2])
    for k, axis in enumerate(axes.values()):
        if axis is None:
            ranges.append([2, 1, 3, 4] if turn != 1 else [1, 2, 3, 4])
            continue
        values = list(range(evaluate_int(axis[0], env), evaluate_int(axis[1], env) + 1))
        # Two indices are equal in one instance only: a δ of them must be seen at 0 and at 1.
        start = (len(values) // 2 + (k if turn < 2 else 0)) % max(1, len(values))
        ranges.append(values[start:] + values[:start])
    names = [*open_steps, *axes]
    for chosen in itertools.product(*ranges):
        full = {**env, **dict(zip(names, chosen, strict=True))}
        if all(_true(c, full) for c in conds) and all(_exists(v, full, named[0]) for v in named[1]):
            return full
    return None


def _axes(exprs: Iterable[Expr], loose: Iterable[sympy.Symbol]) -> dict[sympy.Symbol, tuple[Int, Int] | None]:
    """The first and the last value of open indices: as far as the axis goes in which one stands, if in any."""
    found: dict[sympy.Symbol, tuple[Int, Int]] = {}
    for x in (n for e in exprs for n in postorder(e)):
        if isinstance(x, Entry):
            for item, size in zip(x.items, x.arg.shape, strict=False):
                for s in symbols_of(item.index) if isinstance(item, At) else ():
                    shift = difference(item.index, s) if isinstance(item, At) else None
                    if isinstance(shift, int):
                        found.setdefault(s, (1 - shift, size - shift))
    return {s: found.get(s) for s in loose}


def _exists(node: Var, env: Mapping[sympy.Symbol, int], system: System) -> bool:
    """Whether a member of a defined family is defined at these steps, or a boundary value that a definition reads."""
    defined = system.family(node.name)
    place = {s: x for s, x in lags(system).position.get(node.name, {}).items() if x < len(node.subs)}
    if not defined or not place:
        return True
    for step, k in place.items():
        if not symbols_of(node.subs[k]) <= env.keys():
            return True
        ranges = [x for d in defined for x in d.ranges if x.symbol == step]
        read = [v for d in system.definitions for v in variables(d.body) if v.name == node.name]
        gaps = [difference(v.subs[k], step) for v in read if step in symbols_of(v.subs[k])]
        near = [g for g in gaps if isinstance(g, int)]
        if not ranges or not gaps or len(near) < len(gaps):
            return True
        at = evaluate_int(node.subs[k], env)
        if any(d.indices[k] == at for d in defined):
            continue
        lo = min(evaluate_int(x.lo, env) for x in ranges) + min([0, *near])
        hi = max(evaluate_int(x.hi, env) for x in ranges) + max([0, *near])
        if not lo <= at <= hi:
            return False
    return True


def _true(c: Rel, env: Mapping[sympy.Symbol, int]) -> bool:
    known = b.holds(b.rel(c.op, evaluate_int(c.left, env), evaluate_int(c.right, env)))
    return bool(known)


def generalise(
    expr: Expr, node: Var, system: System
) -> tuple[Expr, tuple[sympy.Symbol, ...], tuple[Binder, ...]] | None:
    """An expression around a member of a family, at a symbolic step: e_2 = ŷ_2 − y_2 as e_t = ŷ_t − y_t.

    Returns:
        The expression at the family's own index symbols, those symbols, and their ranges; None where the node is
        not a member of a family with a range.
    """
    hit = system.definition(node)
    if hit is None or not hit[1]:
        return None
    d, mapping = hit
    if all(isinstance(v, sympy.Symbol) and v == s for s, v in mapping.items()):
        return expr, tuple(mapping), d.ranges
    if len(mapping) != 1:
        return None
    ((step, value),) = mapping.items()
    position = lags(system).position
    memo: dict[Expr, Expr] = {}
    for v in variables(expr):
        read = (k for k, s in enumerate(v.subs) if symbols_of(value) & symbols_of(s))
        k = position.get(v.name, {}).get(step, next(read, None))
        if k is not None and k < len(v.subs):
            shifted = step + difference(v.subs[k], value)
            memo[v] = Var(v.name, (*v.subs[:k], shifted, *v.subs[k + 1 :]), v.shape, v.facts)
    general = replace_nodes(expr, memo)
    if reindex(general, {step: value}) is not expr or (symbols_of(value) - {step}) & free_ints(general):
        return None
    return general, (step,), d.ranges


def workspace(
    problem: Problem, question: Question, system: System, exprs: Iterable[Expr], conds: Iterable[Rel] = ()
) -> Workspace:
    """A fresh workspace over a model, with numeric instances for the sizes and open indices of the question."""
    choices = choose_sizes(system, exprs, conds)
    return Workspace(problem, question, system, certifier(problem, question, system, choices))


def certifier(
    problem: Problem,
    question: Question,
    system: System,
    choices: Sequence[Mapping[sympy.Symbol, int]],
    points: int = POINTS,
) -> Certifier:
    """A certifier at values for which what is assumed holds."""
    made = Certifier.of(system, choices, points)
    imposed = Imposed.of(problem, question)
    made.instances = [imposed.on(n) for n in made.instances]
    return made


def relations(problem: Problem, question: Question) -> list[Rel]:
    """The conditions of a question and of its problem that are relations of integers."""
    return [c for c in (*question.where, *question.assume, *problem.assumptions) if isinstance(c, Rel)]


def names_in(work: Workspace, value: Expr) -> tuple[Introduced, ...]:
    """The names given on the way that a value still contains."""
    used = {v.name for v in variables(value, into_derivatives=True)}
    return tuple(x for x in work.introduced if x.name.name in used)
