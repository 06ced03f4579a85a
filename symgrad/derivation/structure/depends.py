"""Questions of kind depends: whether a quantity changes with another, and through which path."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from symgrad.calculus.dependency import lags
from symgrad.calculus.numeric import Numbers
from symgrad.derivation.certify import Certifier
from symgrad.derivation.differentiation.derivative import as_node
from symgrad.derivation.reading_order import inputs, own_step, statements
from symgrad.derivation.reasons import listed
from symgrad.derivation.steps import Block, Check, Introduced, Prose, Reason, Result
from symgrad.derivation.structure.shortest import Endless, OpenPath, open_path, shortest_path
from symgrad.derivation.workspace import Workspace, choose_sizes
from symgrad.errors import QuestionError
from symgrad.problem.model import Asked, Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.nodes import At, Cut, Entry, Expr, Rel, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.stable import Array
from symgrad.tensor.system import System

MOST_LINES = 12
VANISHES = 1e-12
UNCHANGED = "agrees with the values at random points, which do not change"


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """Whether ``of`` depends on each of ``on``.

    A path through the definitions is the reason why it may; that the value changes at random points shows that it
    does. Without a path it does not.

    Raises:
        QuestionError: ``on`` is not a named node or an entry of one, or the paths have no end.
    """
    return tuple(_one(problem, question, on) for on in question.several("on"))


def _one(problem: Problem, question: Question, on: Asked) -> Result:
    system, of = as_node(problem.system, question.of.expr, problem)
    start, target = _node(of), _node(on.expr)
    if start is None or target is None:
        raise QuestionError("'on' is a named node or an entry of one", on.place)
    conds = [c for c in (*question.conditions("where"), *problem.assumptions) if isinstance(c, Rel)]
    work = _workspace(problem, question, system, [of, on.expr], conds)
    blocks: list[Block] = []
    if start is not question.of.expr and not isinstance(of, Entry):
        blocks.append(Introduced(start, question.of.expr))
    path, chain = _path(work, system, start, target, bool(conds))
    if path is None and chain is None:
        blocks += _why_not(work, system, of, start, on.expr, target)
        check = _unchanged(work, of, on.expr, target)
        return _result(question, on, False, blocks, [*work.certifier.checks, check])
    changes, words = _changes(work, of, on.expr, target)
    if chain is not None:
        blocks += _through_many(work, system, chain, changes)
    elif path is not None:
        blocks += _through(work, system, of, on.expr, path, changes)
    return _result(question, on, changes, blocks, [*work.certifier.checks, _changed(work, words)])


def _path(
    work: Workspace, system: System, of: Var, on: Var, conditions: bool
) -> tuple[tuple[Var, ...] | None, OpenPath | None]:
    """The path from ``on`` to ``of``, or one of a length that open steps decide."""
    try:
        return shortest_path(system, of, on), None
    except Endless:
        return None, open_path(system, of, on, [n.sizes for n in work.certifier.instances], conditions)


def _workspace(
    problem: Problem, question: Question, system: System, exprs: Sequence[Expr], conds: Sequence[Rel]
) -> Workspace:
    """A workspace whose sizes hold every entry that is named."""
    items = [i for x in exprs if isinstance(x, Entry) for i in x.items]
    indices = [i.index for i in items if isinstance(i, At)] + [i.hi for i in items if isinstance(i, Cut)]
    least = max((i for i in indices if isinstance(i, int)), default=0)
    choices = [
        {s: max(v, least) if s.is_positive else v for s, v in sizes.items()}
        for sizes in choose_sizes(system, exprs, conds)
    ]
    return Workspace(problem, question, system, Certifier.of(system, choices))


def _result(question: Question, on: Asked, answer: bool, blocks: list[Block], checks: list[Check]) -> Result:
    return Result(
        question.of.text, on.text, None, None, (), tuple(blocks), tuple(checks), exact=answer, extra={"depends": answer}
    )


def _node(x: Expr) -> Var | None:
    if isinstance(x, Var):
        return x
    return x.arg if isinstance(x, Entry) and isinstance(x.arg, Var) else None


# With a path


def _through(
    work: Workspace, system: System, of: Expr, on: Expr, path: tuple[Var, ...], changes: bool, lead: str = ""
) -> list[Block]:
    if len(path) == 1:
        return [Prose((of, " is ", on, " itself." if of is on else ", as far as its entries meet."))]
    arrows: list[str | Expr] = []
    for v in path:
        arrows += [" → ", v] if arrows else [v]
    if not changes:
        words: Reason = (of, " does not depend on ", on, ", though it is computed from it through ", *arrows, ":")
        ending: Reason = ("Its value stays the same whatever ", on, " is.")
    else:
        through: Reason = (" through ", *arrows) if len(path) > 2 or not lead else ()
        words = (of, " depends on ", on, *through, ":")
        ending = ()
    blocks: list[Block] = [Prose((lead, *words) if lead else words)]
    for before, node in pairwise(path):
        body = system.body(node)
        assert body is not None
        blocks.append(work.certifier.line(node, body, reason=("reads ", before), rule="path"))
    if ending:
        blocks.append(Prose(ending))
    return blocks


def _through_many(work: Workspace, system: System, path: OpenPath, changes: bool) -> list[Block]:
    """on → first → ⋯ → ends, and the definitions that read the one before."""
    *_, of = path.ends
    arrows: list[str | Expr] = [path.on, " → ", path.first, " → ⋯"]
    for v in path.ends:
        arrows += [" → ", v]
    if changes:
        words: Reason = (of, " depends on ", path.on, " through ", *arrows, ":")
    else:
        words = (of, " does not depend on ", path.on, ", though it is computed from it through ", *arrows, ":")
    blocks: list[Block] = [Prose(words)]
    for before, node in ((path.on, path.first), *pairwise(path.ends)):
        body = system.body(node)
        if body is None:
            raise QuestionError(f"what {node.name} is at an open step is not defined; ask at a step that is a number")
        blocks.append(work.certifier.line(node, body, reason=("reads ", before), rule="path"))
    return blocks


def _changed(work: Workspace, words: str) -> Check:
    return Check(words, 0.0, work.certifier.instances[0].points, len(work.certifier.instances))


def _changes(work: Workspace, of: Expr, on: Expr, target: Var) -> tuple[bool, str]:
    """Whether ``of`` changes with ``on`` at some random point, and how that was seen."""
    instances = work.certifier.instances
    derivative = b.deriv(of, on)
    if any(_largest(n.value(derivative)) > VANISHES for n in instances):
        return True, "agrees with the derivative at random points, which is not zero"
    if any(_moved(n, of, on, target) > VANISHES for n in instances):
        return True, "agrees with the values at random points, which change; the derivative is zero"
    return False, UNCHANGED


def _unchanged(work: Workspace, of: Expr, on: Expr, target: Var) -> Check:
    instances = work.certifier.instances
    worst = max(_moved(n, of, on, target) for n in instances)
    if worst > VANISHES:
        raise QuestionError("the value changes, though no path was found; this is a fault of symgrad")
    return Check(UNCHANGED, worst, instances[0].points, len(instances))


def _largest(value: Array) -> float:
    return float(np.abs(value).max()) if value.size else 0.0


def _moved(numbers: Numbers, of: Expr, on: Expr, target: Var) -> float:
    """By how much ``of`` changes when ``on`` takes other values, one of which is far away."""
    node = reindex(target, numbers.sizes)
    assert isinstance(node, Var)
    base = numbers.value(node)
    worst = 0.0
    for scale in (1.0, -10.0):
        other = np.array(np.broadcast_to(base, (numbers.points, *base.shape[1:])))
        other[_place(on, numbers)] += scale
        given = {**numbers.given, (node.name, node.subs): other}
        moved = Numbers(numbers.system, numbers.sizes, numbers.points, numbers.seed, given)
        gap = moved.value(of) - numbers.value(of)
        worst = max(worst, _largest(gap[np.isfinite(gap)]))
    return worst


def _place(on: Expr, numbers: Numbers) -> tuple[int | slice, ...]:
    if not isinstance(on, Entry):
        return (slice(None),)
    items = (evaluate_int(i.index, numbers.sizes) - 1 if isinstance(i, At) else slice(None) for i in on.items)
    return (slice(None), *items)


# Without a path


def _why_not(work: Workspace, system: System, of: Expr, start: Var, on: Expr, target: Var) -> list[Block]:
    """What ``of`` is computed from, step by step where that is short, and that the node is not among it."""
    nodes, states = own_step(system, [start])
    if states and any(not isinstance(s, int) for s in start.subs):
        blocks = _at_its_step(work, system, of, on, nodes, states)
    else:
        blocks = _all_behind(work, system, of, start, on)
    back = shortest_path(system, target, start)
    if back is not None:
        blocks += _through(work, system, on, of, back, True, lead="The other way round, ")
    return blocks


def _at_its_step(
    work: Workspace, system: System, of: Expr, on: Expr, nodes: Sequence[Var], states: Sequence[Var]
) -> list[Block]:
    """The definitions at the step of a node in a recurrence, and what they read of other steps."""
    blocks: list[Block] = [Prose((of, " does not depend on ", on, "."))]
    for node in nodes:
        body = system.body(node)
        if body is not None:
            blocks.append(work.certifier.line(node, body, rule="definition"))
    signs = frozenset(sign for v in nodes for sign in lags(system).sign.get(v.name, ()))
    where = "of the steps before" if signs == {-1} else "of the steps after" if signs == {1} else "of other steps"
    given = [v for v in nodes if system.body(v) is None]
    other: Reason = (where, ", from ", *listed(states))
    words: Reason = (*listed(given), " and, ", *other) if given else other
    return [*blocks, Prose(("All of it is computed from ", *words, "; ", on, " is not among them."))]


def _all_behind(work: Workspace, system: System, of: Expr, start: Var, on: Expr) -> list[Block]:
    """The definitions behind a node, and the inputs that they come down to."""
    blocks: list[Block] = [Prose((of, " does not depend on ", on, "."))]
    try:
        found = statements(system, [start], unroll=True, most=MOST_LINES)
    except QuestionError:
        found = statements(system, [start])
    for s in found:
        blocks.append(work.certifier.line(s.node, s.body, rule="definition", ranges=s.ranges))
    read = inputs(system, found, [start])
    if not found:
        blocks.append(Prose((of, " is given; nothing computes it.")))
    elif read:
        words: Reason = ("All of it is computed from ", *listed(read), "; ", on, " is not among them.")
        blocks.append(Prose(words))
    return blocks
