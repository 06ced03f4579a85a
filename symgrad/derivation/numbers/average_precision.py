"""Questions of kind average_precision: the area under a precision-recall curve of ranked detections.

Sources: Everingham et al., The Pascal VOC challenge (2010), eleven recall levels until 2009, every hit from 2010;
Lin et al., Microsoft COCO (2014), 101 recall levels.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby

from msgspec import Struct

from symgrad.derivation.numbers.fixed import Fixed, about, cell, fraction, times, total, vector
from symgrad.derivation.steps import Block, Check, Code, Prose, Result, Table
from symgrad.errors import CertificationError, QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.problem.yaml_tree import RawList, RawScalar
from symgrad.tensor import build as b
from symgrad.tensor.integers import index_symbol
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.system import Definition, System

HITS = frozenset({"1", "true", "hit", "tp", "yes"})
MISSES = frozenset({"0", "false", "miss", "fp", "no"})
LEVELS = {"11-point": 10, "coco": 100}
NAME = Var("AP", (), ())


class Row(Struct, frozen=True):
    """One detection: its rank, whether it is a hit, and what has been found up to it."""

    rank: int
    hit: bool
    true: int
    false: int
    precision: Fraction
    recall: Fraction


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """The table of precision and recall by rank, the interpolated precisions, and their exact mean.

    Raises:
        QuestionError: a detection is neither hit nor miss, or there are more hits than positives.
    """
    hits, positives = given(question)
    method = question.word("method") or "all-point"
    table = rows(hits, positives)
    blocks: list[Block] = [Prose(_recall_and_precision(positives)), _table(table)] if table else []
    if not table:
        value, more, run, code = _undetected()
    elif method == "all-point":
        value, more, run, code = _all_points(table, positives)
    else:
        value, more, run, code = _levels(table, positives, LEVELS[method])
    exact = _by_hand(table, method)
    if exact != value:
        raise CertificationError(f"the average precision is {value} and {exact}; this is a fault of symgrad")
    return (
        Result(
            "AP",
            None,
            NAME,
            b.num(value),
            (),
            (*blocks, *more),
            (*run.checks, Check("exact", 0.0, 0)),
            exact=value,
            extra={"table": [_record(r) for r in table]},
            code=code,
        ),
    )


def given(question: Question) -> tuple[tuple[bool, ...], int]:
    """Whether each detection is a hit, by rank, and how many positives there are."""
    node = question.fields.get("detections")
    if not isinstance(node, RawList):
        raise QuestionError("'detections' lists the hits and misses by rank: [1, 0, 1]", question.place)
    found: list[bool] = []
    for item in node.items:
        word = item.text.strip().casefold() if isinstance(item, RawScalar) else ""
        if word not in HITS | MISSES:
            message = f"a detection is a hit (1, true, TP) or a miss (0, false, FP), not {word!r}"
            raise QuestionError(message, question.place)
        found.append(word in HITS)
    positives = question.fields.get("positives")
    if not isinstance(positives, Fraction) or positives.denominator != 1 or positives < 1:
        raise QuestionError("'positives' is how many there are to be found: 1, 2, 3, …", question.place)
    if sum(found) > positives:
        raise QuestionError(f"there are {sum(found)} hits, but only {positives} positives", question.place)
    return tuple(found), int(positives)


def rows(hits: Sequence[bool], positives: int) -> tuple[Row, ...]:
    """The cumulative counts, precision and recall at each rank."""
    out: list[Row] = []
    true = 0
    for rank, hit in enumerate(hits, 1):
        true += hit
        out.append(Row(rank, hit, true, rank - true, Fraction(true, rank), Fraction(true, positives)))
    return tuple(out)


# What the page shows


def _recall_and_precision(positives: int) -> tuple[str, ...]:
    return (
        "Up to each rank, CTP counts the hits and CFP the misses; precision = CTP / (CTP + CFP), "
        f"recall = CTP / {positives}.",
    )


def _table(table: Sequence[Row]) -> Table:
    header = ("rank", "hit", "CTP", "CFP", "precision", "recall")
    return Table(
        header,
        tuple(
            (
                b.num(r.rank),
                "yes" if r.hit else "no",
                b.num(r.true),
                b.num(r.false),
                cell(r.precision),
                cell(r.recall),
            )
            for r in table
        ),
    )


def _record(r: Row) -> dict[str, object]:
    return {
        "rank": r.rank,
        "hit": r.hit,
        "ctp": r.true,
        "cfp": r.false,
        "precision": r.precision,
        "recall": r.recall,
    }


Answer = tuple[Fraction, list[Block], Fixed, Code]
_SOFT = "ptilde"


def _levels(table: Sequence[Row], positives: int, steps: int) -> Answer:
    """AP = 1/(n+1) Σ_i p̃_i over the recall levels i/n, p̃_i the largest precision at a recall of i/n or more."""
    best = [max((r.precision for r in table if r.recall * steps >= i), default=Fraction(0)) for i in range(steps + 1)]
    i, k = index_symbol("i"), index_symbol("k")
    precision, found = vector(r.precision for r in table), vector(r.true for r in table)
    reached = b.compare(">=", b.mul(b.num(steps), b.at(found, k)), b.mul(b.num(positives), b.count(i)))
    body = b.fold("max", b.mul(b.at(precision, k), reached), [b.binder(k, 1, len(table))])
    levels = [b.binder(i, 0, steps)]
    mean = b.mul(b.num(Fraction(1, steps + 1)), b.fold("sum", Var(_SOFT, (i,), ()), levels))
    system = (Definition(_SOFT, (i,), body, tuple(levels)), Definition("AP", (), mean))
    run = Fixed.of(system)
    if not any(best):
        return Fraction(0), [_nothing(run)], run, Code(System(system), NAME)
    groups = [(value, len(list(g))) for value, g in groupby(best)]
    value = sum(best, Fraction(0)) / (steps + 1)
    blocks: list[Block] = [
        Prose(
            (
                "The interpolated precision ",
                Var(_SOFT, (i,), ()),
                f" at the recall level i/{steps} is the largest precision among the ranks whose recall is at least "
                f"i/{steps}, and 0 where the level is not reached:",
            )
        ),
        _level_table(best, steps),
        Prose((f"The average precision is the mean over the {steps + 1} levels:",)),
        run.line(NAME, mean, times(fraction(Fraction(1, steps + 1)), _weighted(groups)), rule="average precision"),
        run.line(NAME, fraction(value), reason=about(value), rule="average precision", boxed=True),
    ]
    return value, blocks, run, Code(System(system), NAME)


def _level_table(best: Sequence[Fraction], steps: int) -> Table:
    """Each level with its value; neighbours with one value share a row where there are many."""
    if steps <= 10:
        cells = tuple((f"{i / steps:.1f}", cell(v)) for i, v in enumerate(best))
        return Table(("recall level", "interpolated precision"), cells)
    out: list[tuple[str | Expr, ...]] = []
    start = 0
    for value, group in groupby(best):
        count = len(list(group))
        span = f"{start / steps:.2f} to {(start + count - 1) / steps:.2f}"
        out.append((span, b.num(count), cell(value)))
        start += count
    return Table(("recall levels", "how many", "interpolated precision"), tuple(out))


def _undetected() -> Answer:
    """AP = 0: the largest precision among no ranks is 0 by definition, at every level."""
    system = (Definition("AP", (), b.ZERO),)
    run = Fixed.of(system)
    block = _nothing(run, "without a detection the interpolated precision is 0 at every recall level")
    return Fraction(0), [block], run, Code(System(system), NAME)


def _nothing(run: Fixed, reason: str = "without a hit every precision is 0") -> Block:
    return run.line(NAME, b.ZERO, reason=(reason,), rule="average precision", boxed=True)


def _weighted(groups: Sequence[tuple[Fraction, int]]) -> Expr:
    """5 · 1 + 4 · 4/7 + 2 · 1/2, not worked out."""
    return total(*(times(*_several(n), fraction(v)) for v, n in groups if v))


def _several(n: int) -> tuple[int, ...]:
    return () if n == 1 else (n,)


def _all_points(table: Sequence[Row], positives: int) -> Answer:
    """AP = 1/P Σ p̃_k over the hits k, p̃_k the largest precision at rank k or later."""
    n = len(table)
    k, j = index_symbol("k"), index_symbol("j")
    precision = vector(r.precision for r in table)
    later = b.fold("max", b.at(precision, j), [b.binder(j, k, n)])
    hit = vector(int(r.hit) for r in table)
    ranks = [b.binder(k, 1, n)]
    mean = b.mul(b.num(Fraction(1, positives)), b.fold("sum", b.mul(b.at(hit, k), Var(_SOFT, (k,), ())), ranks))
    system = (Definition(_SOFT, (k,), later, tuple(ranks)), Definition("AP", (), mean))
    run = Fixed.of(system)
    if not any(r.hit for r in table):
        return Fraction(0), [_nothing(run)], run, Code(System(system), NAME)
    best = [(r, max(x.precision for x in table if x.rank >= r.rank)) for r in table if r.hit]
    value = sum((p for _, p in best), Fraction(0)) / positives
    groups = [(p, len(list(g))) for p, g in groupby(p for _, p in best)]
    blocks: list[Block] = [
        Prose(
            (
                "The interpolated precision at a hit is the largest precision at its rank or later; with every hit the "
                f"recall grows by 1/{positives}:",
            )
        ),
        Table(
            ("rank of the hit", "recall", "interpolated precision"),
            tuple((b.num(r.rank), cell(r.recall), cell(p)) for r, p in best),
        ),
        run.line(NAME, times(fraction(Fraction(1, positives)), _weighted(groups)), rule="average precision"),
        run.line(NAME, fraction(value), reason=about(value), rule="average precision", boxed=True),
    ]
    return value, blocks, run, Code(System(system), NAME)


def _by_hand(table: Sequence[Row], method: str) -> Fraction:
    """The area under the interpolated curve, or the mean over the levels, straight from the definition."""
    if method != "all-point":
        steps = LEVELS[method]
        total = Fraction(0)
        for i in range(steps + 1):
            total += max([r.precision for r in table if r.recall >= Fraction(i, steps)] or [Fraction(0)])
        return total / (steps + 1)
    area, before = Fraction(0), Fraction(0)
    for r in table:
        if r.recall > before:
            area += (r.recall - before) * max(x.precision for x in table if x.recall >= r.recall)
            before = r.recall
    return area
