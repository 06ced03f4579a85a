"""Every derivative in the bank as an answer: equal forms of it are accepted, what changes its value is rejected.

Forms and slips are made on the expression graph, not on the text, and the engine's own numbers say which of them change
the value: nothing of the verifier has a part in that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
import pytest
import sympy

from symgrad import pipeline
from symgrad.calculus.numeric import Numbers
from symgrad.derivation.steps import Block, Introduced, Line, Result
from symgrad.derivation.workspace import choose_sizes
from symgrad.errors import SymgradError
from symgrad.notation.latex import latex
from symgrad.problem.bank import bank_names
from symgrad.problem.model import Problem
from symgrad.sheet.reading import Reading
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Add, Binder, Build, Call, Deriv, Entry, Expr, Fold, MatMul, Mul, Pow, Transpose, Var
from symgrad.tensor.rebuild import rebuild
from symgrad.tensor.reindex import reindex
from symgrad.tensor.shapes import ShapeError, same_shape
from symgrad.tensor.stable import Array
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder, variables
from symgrad.verification.diagnosis.diagnose import Doctor
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.verdicts import Judged
from symgrad.verification.marked import Markers

EVERYWHERE: Final = 10**6
TOLERANCE: Final = 1e-6
MOST: Final = 2
"""So many edits of one kind are tried on one result, from both ends of it; one where its names are put in."""
COVERED: Final[dict[str, tuple[int, int, int]]] = {
    "attention_rnn": (6, 26, 48),
    "attention_rnn_all": (1, 2, 6),
    "attention_rnn_k": (2, 6, 16),
    "bptt": (35, 108, 289),
    "conv1d_index": (4, 5, 8),
    "conv_lowered": (4, 3, 6),
    "focal_loss": (2, 8, 8),
    "gated_rnn": (7, 24, 70),
    "loss_at_init": (1, 2, 4),
    "lstm": (15, 44, 132),
    "lstm_step": (11, 25, 66),
    "residual": (6, 9, 35),
    "softmax_ce": (4, 9, 18),
    "transposed_conv": (1, 1, 2),
    "vae_elbo": (2, 2, 4),
}
"""Of each problem with derivatives: how many results, equal forms of them and slips in them are judged, at least."""

SAMPLED: Final = 8
"""Of so many results, one has the diagnosis and the correction of its slips looked at."""

EXCUSED: Final = {
    (
        "lstm.step inlined",
        "without diag",
    ): "a vector before a derivative is customarily its diagonal matrix, as is said",
    ("conv1d_index.by_input", "lost"): "without its condition the entry has no value where they differ",
    ("conv_lowered.taps", "lost"): "the same",
}
"""Slips that are accepted, and why they are none."""

CONDITIONAL: Final = {
    (
        "conv1d_index.loss_by_input",
        "lost",
    ): "without its condition the sum goes beyond the filter, and what is there may be left out",
}
"""Slips that are right under a condition, which the verdict states."""

UNNAMED: Final = {("focal_loss.by_p", "sign"): "1 − p stands there twice, and both have the other sign: two edits"}
"""Slips that are rejected without a name, and why."""


@dataclass(frozen=True, eq=False)
class Answer:
    """A certified result as somebody would hand it in: the names it uses explained before it.

    ``whole`` is the left side, of entries with open indices the array of them, as the value is.
    """

    key: str
    left: Expr
    whole: Expr
    value: Expr
    before: str
    reading: Reading
    markers: Markers
    system: System

    def written(self, value: Expr) -> str:
        """left = value, in LaTeX."""
        try:
            right = latex(self.reading.side(value, self.left))
        except (ShapeError, SymgradError):
            right = latex(self.reading.math(value))
        return f"{latex(self.reading.side(self.left, self.left))} = {right}"

    def marked(self, line: str) -> Judged:
        """The verdict on a line behind the explained names."""
        return self.markers.mark(f"{self.before}$${line}$$\n").claims[-1]

    @property
    def points(self) -> list[Numbers]:
        """The model in numbers, at unequal sizes and at equal ones."""
        choices = choose_sizes(self.system, (self.left, self.value))
        return [Numbers.of(self.system, sizes, points=3, seed=90 + k) for k, sizes in enumerate(choices)]


def _blocks(blocks: tuple[Block, ...]) -> Iterator[Block]:
    for block in blocks:
        yield block
        if isinstance(block, Line):
            yield from _blocks(block.substeps)


def _introduced(value: Expr, results: tuple[Result, ...]) -> list[Introduced]:
    """The names given on the way that the value still needs, the needed ones first."""
    met = [x for r in results for x in (*_blocks(r.blocks), *r.where) if isinstance(x, Introduced)]
    given = {x.name.name: x for x in met}
    out: dict[str, Introduced] = {}

    def need(expr: Expr) -> None:
        for v in variables(expr, into_derivatives=True):
            name = v.name if v.name in given else v.name.removeprefix("δ")
            if name in given and name not in out:
                need(given[name].body)
                out[name] = given[name]

    need(value)
    return list(out.values())


def _adjoints(left: Expr, value: Expr, given: list[Introduced], problem: Problem) -> list[Introduced]:
    """What δx stands for, of the names given on the way and of the problem's own."""
    assert isinstance(left, Deriv)
    own = {x.name.name: x.name for x in given} | {d.family: d.target for d in problem.system.definitions if d.ranges}
    used = {v.name for v in variables(value)} - own.keys()
    hit = [x for name, x in own.items() if f"δ{name}" in used]
    return [Introduced(b.var(f"δ{x.name}", x.subs, x.shape), b.deriv(left.of, x)) for x in hit]


def _definition(x: Introduced) -> Definition:
    ranges = tuple(Binder(s, -EVERYWHERE, EVERYWHERE) for s in x.name.subs if isinstance(s, sympy.Symbol))
    return Definition(x.name.name, x.name.subs, x.body, ranges)


def _whole(left: Expr, value: Expr) -> Expr:
    """∂Y/∂X for ∂Y_ij/∂X_lm where the value is the array of all of its entries."""
    if isinstance(value, Build) and isinstance(left, Deriv):
        of, wrt = (x.arg if isinstance(x, Entry) else x for x in (left.of, left.wrt))
        return b.deriv(of, wrt)
    return left


def inlined(value: Expr, given: list[Introduced]) -> Expr:
    """The value with what its names stand for, but for derivatives, in their places."""
    for x in reversed(given):
        if isinstance(x.body, Deriv):
            continue
        uses = [v for v in variables(value) if v.name == x.name.name]
        at = {v: dict(zip(x.name.subs, v.subs, strict=True)) for v in uses}
        value = replace_nodes(value, {v: reindex(x.body, at[v]) for v in uses})
    return value


def derivatives(problem: Problem) -> list[str]:
    """The questions that ask for a derivative."""
    return [q.id for q in problem.questions if q.ask == "derivative"]


@cache
def answers(name: str) -> tuple[Answer, ...]:
    """The derivatives of a bundled problem, each once."""
    problem = pipeline.load(name)
    reading, markers = Reading.of(problem), Markers.of([problem])
    out: dict[tuple[Expr, Expr], Answer] = {}
    for d in pipeline.derive(problem, derivatives(problem)):
        for r in d.results:
            if r.left is None or r.value is None or (r.left, r.value) in out:
                continue
            given = _introduced(r.value, d.results)
            adjoints = _adjoints(r.left, r.value, given, problem)
            own = [x for x in adjoints if x.name.name.removeprefix("δ") in {y.name.name for y in given}]
            lines = [f"$${latex(reading.math(x.name))} = {latex(reading.math(x.body))}$$\n\n" for x in (*given, *own)]
            base = problem.system if r.code is None else r.code.system
            system = base.extended(_definition(x) for x in (*given, *adjoints) if not base.family(x.name.name))
            key = f"{name}.{d.id}" + (f".{r.wrt}" if len(d.results) > 1 else "")
            value, whole = inlined(r.value, given), _whole(r.left, r.value)
            out[r.left, r.value] = Answer(key, r.left, whole, r.value, "".join(lines), reading, markers, system)
            if value is not r.value:
                out[r.left, value] = Answer(
                    key + " inlined", r.left, whole, value, "".join(lines), reading, markers, system
                )
    return tuple(out.values())


# Edits of a graph: each gives the graphs that come of it at one place or another


Edit = Callable[[Expr], Iterator[Expr]]


def put_in(root: Expr, node: Expr, new: Expr) -> Expr:
    """The graph with one node replaced; where shapes no longer fit it is made all the same, to be printed."""
    memo: dict[Expr, Expr] = {}
    for x in postorder(root):
        children = tuple(memo[c] for c in x.children)
        if x is node:
            memo[x] = new
        elif children == x.children:
            memo[x] = x
        else:
            memo[x] = _remade(x, children)
    return memo[root]


def _remade(x: Expr, children: tuple[Expr, ...]) -> Expr:
    try:
        return rebuild(x, children)
    except ShapeError:
        match x:
            case Add() | Mul() | MatMul():
                return type(x)(children, x.shape, x.is_row)
            case Fold():
                return Fold(x.op, children[0], x.binders, x.conds, x.shape, x.descending)
            case Transpose():
                return Transpose(children[0], x.shape)
            case Pow():
                return Pow(children[0], children[1], x.shape)
        raise


def edited(value: Expr, edit: Edit) -> Iterator[Expr]:
    """The value with each of its nodes edited in each way, where that makes a difference."""
    for node in postorder(value, into=lambda x: not isinstance(x, Deriv)):
        try:
            for new in edit(node):
                made = put_in(value, node, new)
                if made is not value:
                    yield made
        except ShapeError:
            continue


def _replaced(x: Add | Mul | MatMul, args: tuple[Expr, ...]) -> Expr:
    return args[0] if len(args) == 1 else type(x)(args, x.shape, x.is_row)


def reordered(x: Expr) -> Iterator[Expr]:
    """a + b as b + a."""
    if isinstance(x, Add):
        yield Add(x.args[::-1], x.shape, x.is_row)
        yield Add((*x.args[1:], x.args[0]), x.shape, x.is_row)


def commuted(x: Expr) -> Iterator[Expr]:
    """a ⊙ b as b ⊙ a."""
    if isinstance(x, Mul):
        yield Mul(x.args[::-1], x.shape, x.is_row)


def turned_twice(x: Expr) -> Iterator[Expr]:
    """A B as (Bᵀ Aᵀ)ᵀ."""
    if isinstance(x, MatMul) and x.order:
        turned = b.transpose(x)
        yield Transpose(turned, x.shape)


def entrywise(x: Expr) -> Iterator[Expr]:
    """diag(v) x as v ⊙ x."""
    if isinstance(x, MatMul) and x.order == 1 and not x.row and isinstance(x.args[0], Call) and x.args[0].fn == "diag":
        yield b.mul(x.args[0].args[0], b.matmul(*x.args[1:]))


def diagonal(x: Expr) -> Iterator[Expr]:
    """v ⊙ x as diag(v) x."""
    if isinstance(x, Mul) and x.order == 1 and not x.row and all(same_shape(a.shape, x.shape) for a in x.args):
        yield b.matmul(*(b.diag(a) for a in x.args[:-1]), x.args[-1])


def distributed(x: Expr) -> Iterator[Expr]:
    """A (u + v) as A u + A v."""
    if isinstance(x, MatMul):
        for k, a in enumerate(x.args):
            if isinstance(a, Add) and all(same_shape(t.shape, a.shape) for t in a.args):
                yield b.add(*(b.matmul(*x.args[:k], t, *x.args[k + 1 :]) for t in a.args))


def reindexed(x: Expr) -> Iterator[Expr]:
    """A sum over t as one over t + 1."""
    if isinstance(x, Fold) and x.op == "sum" and len(x.binders) == 1 and not x.conds:
        (only,) = x.binders
        body = reindex(x.body, {only.symbol: only.symbol + 1})
        yield b.fold("sum", body, [Binder(only.symbol, only.lo - 1, only.hi - 1)])


def as_exponentials(x: Expr) -> Iterator[Expr]:
    """1 − tanh² as sech², which is (2 / (eˣ + e⁻ˣ))²."""
    if isinstance(x, Add) and len(x.args) == 2 and b.is_one(x.args[0]):
        for p in postorder(x.args[1]):
            if getattr(p, "fn", "") == "tanh":
                (inside,) = p.children
                sech = b.div(b.num(2), b.add(b.apply("exp", inside), b.apply("exp", b.neg(inside))))
                yield b.power(sech, b.num(2))


FORMS: Final[dict[str, Edit]] = {
    "reordered": reordered, "commuted": commuted, "turned twice": turned_twice, "entrywise": entrywise,
    "diagonal": diagonal, "distributed": distributed, "reindexed": reindexed, "sech": as_exponentials,
}  # fmt: skip


def transposed(x: Expr) -> Iterator[Expr]:
    """A factor transposed."""
    if isinstance(x, MatMul):
        for k, a in enumerate(x.args):
            if a.order:
                yield MatMul((*x.args[:k], b.transpose(a), *x.args[k + 1 :]), x.shape, x.is_row)


def sign(x: Expr) -> Iterator[Expr]:
    """A term with the other sign."""
    if isinstance(x, Add):
        for k, t in enumerate(x.args):
            yield _replaced(x, (*x.args[:k], b.neg(t), *x.args[k + 1 :]))
    elif isinstance(x, MatMul):
        yield b.neg(x)


def step(x: Expr) -> Iterator[Expr]:
    """A step one off."""
    if isinstance(x, Var) and x.subs:
        for by in (-1, 1):
            yield Var(x.name, (*x.subs[:-1], x.subs[-1] + by), x.shape, x.facts)


def lost(x: Expr) -> Iterator[Expr]:
    """A factor or a term lost."""
    if isinstance(x, Add | Mul | MatMul):
        for k in range(len(x.args)):
            yield _replaced(x, (*x.args[:k], *x.args[k + 1 :]))


def exchanged(x: Expr) -> Iterator[Expr]:
    """Two neighbouring factors exchanged."""
    if isinstance(x, MatMul):
        for k, (one, two) in enumerate(pairwise(x.args)):
            yield MatMul((*x.args[:k], two, one, *x.args[k + 2 :]), x.shape, x.is_row)


def without_diagonal(x: Expr) -> Iterator[Expr]:
    """diag lost."""
    if isinstance(x, Call) and x.fn == "diag":
        yield x.args[0]


def as_product(x: Expr) -> Iterator[Expr]:
    """A product of matrices for ⊙."""
    if isinstance(x, Mul) and x.order and all(a.order for a in x.args):
        yield MatMul(x.args, x.shape, x.is_row)


def bound(x: Expr) -> Iterator[Expr]:
    """A bound one off."""
    if isinstance(x, Fold):
        for k, y in enumerate(x.binders):
            for lo, hi in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                changed = Binder(y.symbol, y.lo + lo, y.hi + hi)
                yield b.fold(x.op, x.body, (*x.binders[:k], changed, *x.binders[k + 1 :]), x.conds, x.descending)


def slope(x: Expr) -> Iterator[Expr]:
    """A function for its slope: y for 1 − y², y for y (1 − y)."""
    if isinstance(x, Add) and len(x.args) == 2 and b.is_one(x.args[0]):
        for p in postorder(x.args[1]):
            if isinstance(p, Pow) and p.exponent is b.num(2):
                yield p.base


SLIPS: Final[dict[str, Edit]] = {
    "transposed": transposed, "sign": sign, "step": step, "lost": lost, "exchanged": exchanged,
    "without diag": without_diagonal, "product for ⊙": as_product, "bound": bound, "slope": slope,
}  # fmt: skip

UNSEEN_BY_SCALARS: Final = frozenset({"transposed", "exchanged", "without diag", "product for ⊙"})
"""Slips of layout, order and diag, which change nothing where every quantity is a number."""

PAST_THE_ENDS: Final = frozenset({"step", "bound"})
"""Slips that may lead past the last step, where the engine counts a derivative as 0 and nothing need be said."""

NAMED: Final = ("sign", "transposed")


# What the engine's own numbers say


def value_at(numbers: Numbers, expr: Expr) -> Array | None:
    try:
        return np.asarray(numbers.value(expr))
    except (SymgradError, ShapeError, ValueError, IndexError, AssertionError):
        return None


def near(one: Array | None, two: Array | None) -> bool:
    """Whether two values agree to a millionth of their largest entry."""
    if one is None or two is None or one.shape[1:] != two.shape[1:]:
        return False
    one, two = np.broadcast_arrays(one, two)
    known = np.isfinite(one)
    if not known.any() or not np.isfinite(two[known]).all():
        return False
    scale = max(float(np.abs(one[known]).max()), float(np.abs(two[known]).max()), 1e-9)
    return bool(np.abs(one[known] - two[known]).max() <= TOLERANCE * scale)


def transposed_value(value: Array) -> Array:
    """Every matrix of a batch transposed."""
    return np.swapaxes(value, -1, -2) if value.ndim == 3 else value


def told_apart(answer: Answer, edit: Edit) -> Iterator[tuple[str, bool, bool]]:
    """Lines made by an edit: each with whether it is equal by the engine's numbers, and whether it is equal transposed or fits nowhere."""
    points = [p for p in answer.points if near(value_at(p, answer.whole), value_at(p, answer.value))]
    assert points, answer.key
    right = [value_at(p, answer.value) for p in points]
    lines: dict[str, Expr] = {}
    for made in edited(answer.value, edit):
        lines.setdefault(answer.written(made), made)
    chosen = list(lines.items())
    most = 1 if answer.key.endswith("inlined") else MOST
    for line, made in chosen if len(chosen) <= most else (*chosen[: most - 1], chosen[-1]):
        found = [value_at(p, made) for p in points]
        equal = all(near(x, y) for x, y in zip(right, found, strict=True))
        turned = all(y is None or near(x, transposed_value(y)) for x, y in zip(right, found, strict=True))
        yield line, equal, turned


@pytest.fixture
def undiagnosed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts without the search for the slip, which takes most of the time of a wrong line."""
    monkeypatch.setattr(Doctor, "diagnosed", lambda *args: None)


@pytest.mark.parametrize("name", COVERED)
def test_the_printed_line_is_right(name: str) -> None:
    assert [a.key for a in answers(name) if a.marked(a.written(a.value)).verdict != w.RIGHT] == []


def test_every_problem_with_derivatives_is_covered() -> None:
    assert {name for name in bank_names() if derivatives(pipeline.load(name))} == COVERED.keys()


@pytest.mark.parametrize("name", COVERED)
def test_equal_forms_are_right(name: str, undiagnosed: None) -> None:
    refused, tried = [], 0
    for answer in answers(name):
        for kind, edit in FORMS.items():
            for line, equal, _ in told_apart(answer, edit):
                assert equal, (answer.key, kind, line)
                tried += 1
                if answer.marked(line).verdict != w.RIGHT:
                    refused.append((answer.key, kind, line))
    assert refused == []
    results, forms, _ = COVERED[name]
    assert len(answers(name)) >= results
    assert tried >= forms


@pytest.mark.parametrize("name", COVERED)
def test_what_changes_the_value_is_not_right(name: str, undiagnosed: None) -> None:
    mistaken, tried = [], 0
    for answer in answers(name):
        for kind, edit in SLIPS.items():
            for line, equal, turned in told_apart(answer, edit) if (answer.key, kind) not in EXCUSED else ():
                verdict = answer.marked(line).verdict
                tried += 1
                unseen = kind in UNSEEN_BY_SCALARS
                allowed = {w.WRONG, w.SHAPE_ERROR, w.UNJUDGED, w.UNREAD} | ({w.AS_SCALARS} if unseen else set())
                if equal:
                    allowed = {w.RIGHT} if kind not in PAST_THE_ENDS else set(w.VERDICTS)
                elif (answer.key, kind) in CONDITIONAL:
                    allowed |= {w.RIGHT_IF}
                elif turned:
                    allowed |= {w.OTHER_LAYOUT}
                if verdict not in allowed:
                    mistaken.append((answer.key, kind, verdict, line))
    assert mistaken == []
    assert tried >= COVERED[name][2]


@pytest.mark.parametrize("name", COVERED)
def test_the_slip_is_named_and_mended(name: str) -> None:
    unnamed = []
    for answer in answers(name)[::SAMPLED]:
        for kind in NAMED:
            for line, equal, _ in list(told_apart(answer, SLIPS[kind]))[:1]:
                claim = answer.marked(line)
                if equal or claim.verdict != w.WRONG or (answer.key, kind) in UNNAMED:
                    continue
                left = latex(answer.reading.side(answer.left, answer.left))
                if not claim.diagnosis or answer.marked(f"{left} = {claim.correction}").verdict != w.RIGHT:
                    unnamed.append((answer.key, kind, line, claim.diagnosis, claim.correction))
    assert unnamed == []
