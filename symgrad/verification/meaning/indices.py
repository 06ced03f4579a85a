"""The open indices of a line, and the values at which it is tried."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from symgrad.problem.model import Problem
from symgrad.problem.names import Names
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Binary, Call, Keyword, Name, Span, Subscript, Tree, children
from symgrad.tensor.comparisons import HOLDS
from symgrad.tensor.integers import Int, evaluate_int
from symgrad.tensor.nodes import Rel
from symgrad.verification.meaning.readings import Adjoint, Defined, Notation
from symgrad.verification.meaning.subscripts import entry_names
from symgrad.verification.meaning.world import World, step_values

_ENTRIES = (1, 2, 3)
_STEPS = (2, 1, 3, 4)
_MOST = 60
_CONSTANTS = ("pi", "inf")
_BEHIND_STEPS = "behind steps"
"""Where the letter of a gate i_t is an index: i in h_{t,i}."""
_GAPS = (2, 1, 3, 0)


def open_names(trees: Iterable[Tree], names: Names, notation: Notation) -> tuple[dict[str, str], list[Name]]:
    """The open indices, each a "step" or an "entry", and the names that nobody declared."""
    found: dict[str, str] = {}
    loose: dict[str, Name] = {}
    places = {x for density in names.densities.values() for x in density.arguments}
    for tree in trees:
        for name, role in _free(tree, frozenset(), "value", names, notation):
            if role == _BEHIND_STEPS:
                found.setdefault(name.id, "entry")
                continue
            if name.id in names.families or name.id in notation.settings:
                continue
            if name.id in places:
                found.setdefault(name.id, "entry")
                continue
            if name.id in names.sizes:
                if role == "entry":
                    found.setdefault(name.id, "entry")
                continue
            if name.id in notation.names or name.id in names.functions or name.id in names.densities:
                continue
            if name.id in _CONSTANTS:
                continue
            if role == "value" and name.id not in names.indices:
                loose.setdefault(name.id, name)
            elif found.get(name.id) != "step":
                found[name.id] = "step" if name.id in {s.name for s in names.steps} else role
    return {n: "step" if role == "value" else role for n, role in found.items()}, [
        name for key, name in loose.items() if key not in found
    ]


def _free(tree: Tree, bound: frozenset[str], role: str, names: Names, notation: Notation) -> Iterator[tuple[Name, str]]:
    """The free names of a tree, each with the place at which it stands: a value, a step, or an entry."""
    match tree:
        case Name():
            if tree.id not in bound:
                yield tree, role
        case Subscript(base, items):
            inner: Tree = base
            depth = 0
            while isinstance(inner, Subscript):
                depth += len(inner.items)
                inner = inner.base
            arity = _arity(inner.id, names, notation) - depth if isinstance(inner, Name) else 0
            own = frozenset(entry_names(tree)) - names.indices.keys()
            yield from _free(base, bound | own, role, names, notation)
            for k, item in enumerate(items if not own else ()):
                yield from _free(item, bound, _role(item, k, arity, names), names, notation)
        case Call(func, args, keywords):
            args = args[:1] if func.id == "norm" else args
            own = frozenset(k.name.id for k in keywords if isinstance(k.value, Span))
            for arg in args:
                yield from _free(arg, bound | own, role, names, notation)
            for keyword in keywords:
                if isinstance(keyword.value, Span):
                    yield from _free(keyword.value, bound, "step", names, notation)
        case Span(lo, hi):
            for end in (lo, hi):
                if end is not None:
                    inner_role = "step" if role == "step" else "end"
                    inside = _free(end, bound, inner_role, names, notation)
                    yield from ((n, r) for n, r in inside if n.id not in names.sizes)
        case Keyword():
            return
        case Binary(_, left, right) if role == "entry":
            for child in (left, right):
                if not (isinstance(child, Name) and child.id in names.sizes):
                    yield from _free(child, bound, role, names, notation)
        case _:
            for child in children(tree):
                yield from _free(child, bound, role, names, notation)


def _arity(name: str, names: Names, notation: Notation) -> int:
    """How many of the subscripts of a name are steps, also of one of the writer's: δ_T for ∂L/∂h_T."""
    if name in names.families:
        return names.families[name].arity
    meanings = notation.names.get(name)
    if not meanings:
        return 0
    match meanings[-1]:
        case Adjoint(family=family):
            return names.families[family].arity if family in names.families else 0
        case Defined(pattern=pattern):
            steps = {s.name for s in names.steps}
            return next((k for k, item in enumerate(pattern) if not _is_among(item, steps)), len(pattern))


def _is_among(tree: Tree, found: Collection[str]) -> bool:
    return isinstance(tree, Name) and tree.id in found


def _role(item: Tree, place: int, arity: int, names: Names) -> str:
    """What a subscript is: a step, an entry, or an entry with the letter of a quantity that has steps."""
    if place < arity:
        return "step"
    family = names.families.get(item.id) if isinstance(item, Name) and arity > 0 else None
    return _BEHIND_STEPS if family is not None and family.arity > 0 else "entry"


def axes(trees: Iterable[Tree], names: Names) -> dict[str, list[Int]]:
    """The lengths of the axes at which an index stands by itself, i in W_ij and j in ∂L/∂x_j."""
    found: dict[str, list[Int]] = {}
    for x in (node for tree in trees for node in walk(tree) if isinstance(node, Subscript)):
        base: Tree = x
        items: tuple[Tree, ...] = ()
        while isinstance(base, Subscript):
            items = (*base.items, *items)
            base = base.base
        family = names.families.get(base.id) if isinstance(base, Name) else None
        shape = next((m.shape for m in family.members if m.shape is not None), ()) if family is not None else ()
        for item, size in zip(items[family.arity :] if family is not None else (), shape, strict=False):
            if isinstance(item, Name):
                found.setdefault(item.id, []).append(size)
    return found


def choices(
    kinds: dict[str, str], problem: Problem, world: World, lengths: Mapping[str, Sequence[Int]] | None = None
) -> list[dict[str, int]]:
    """Values of the open indices to try, the most telling first: steps from the middle of their range, and apart.

    ``lengths`` are those of the axes at which entries stand; their ends come early.
    """
    if not kinds:
        return [{}]
    ranges = [_range(name, kind, problem, world, (lengths or {}).get(name, ())) for name, kind in kinds.items()]
    places = [[(rank, value) for rank, value in enumerate(r)] for r in ranges]
    found = sorted(itertools.islice(itertools.product(*places), 4000), key=lambda row: sum(rank for rank, _ in row))
    chosen = [dict(zip(kinds, (value for _, value in row), strict=True)) for row in found]
    conditions = _conditions(kinds, problem)
    held = [c for c in chosen if _hold(conditions, c, world)]
    steps = [name for name, kind in kinds.items() if kind == "step"]
    return (_apart(held, steps) if len(steps) > 1 else held)[:_MOST]


def _apart(rows: list[dict[str, int]], steps: list[str]) -> list[dict[str, int]]:
    """Rows in turn by how far steps are apart, two first: a product of one factor does not tell its order."""
    groups: dict[int, list[dict[str, int]]] = {gap: [] for gap in _GAPS}
    for row in rows:
        values = [row[name] for name in steps]
        groups.setdefault(max(values) - min(values), []).append(row)
    return [row for turn in itertools.zip_longest(*groups.values()) for row in turn if row is not None]


def _range(name: str, kind: str, problem: Problem, world: World, lengths: Sequence[Int]) -> Sequence[int]:
    for symbol in problem.steps:
        if symbol.name == name:
            return step_values(problem, world, symbol)
    if kind == "entry":
        return _entries(problem, world, lengths) if lengths else _ENTRIES
    for symbol in problem.steps:
        return step_values(problem, world, symbol)
    return _STEPS


def _entries(problem: Problem, world: World, lengths: Sequence[Int]) -> list[int]:
    """Entries of an axis, the ends among them; the second one comes first, since it has two neighbours."""
    low = problem.document.index_base
    last = low + min(evaluate_int(size, world.numbers.sizes) for size in lengths) - 1
    order = (low + 1, last, low, last - 1, low + 2, last - 2, low + 3)
    return [k for k in dict.fromkeys(order) if low <= k <= last]


def _conditions(kinds: dict[str, str], problem: Problem) -> list[Rel]:
    """The conditions on open indices that the questions state."""
    found = [c for q in problem.questions for c in q.where if isinstance(c, Rel)]
    named = [(c, {s.name for e in (c.left, c.right) for s in getattr(e, "free_symbols", ())}) for c in found]
    return [c for c, symbols in named if len(symbols & set(kinds)) > 1 and symbols <= set(kinds)]


def _hold(conditions: list[Rel], chosen: dict[str, int], world: World) -> bool:
    for c in conditions:
        env = {s: chosen[s.name] for e in (c.left, c.right) for s in getattr(e, "free_symbols", ()) if s.name in chosen}
        left, right = evaluate_int(c.left, env), evaluate_int(c.right, env)
        if not HOLDS[c.op](left, right):
            return False
    return True
