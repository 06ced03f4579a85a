"""The first look at many edits at once loses none that makes a line right, and values that are kept are those found anew."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from symgrad.pipeline import load
from symgrad.source import Source
from symgrad.syntax.latex.notation import latex
from symgrad.syntax.reading import parse_expression
from symgrad.syntax.tree import Tree
from symgrad.tensor.shapes import ShapeError
from symgrad.verification.diagnosis.diagnose import Doctor
from symgrad.verification.diagnosis.edits import each
from symgrad.verification.diagnosis.every_edit import offers, sites
from symgrad.verification.diagnosis.hands import hand_of
from symgrad.verification.diagnosis.screening import Screens
from symgrad.verification.diagnosis.slips import SLIPS
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging.trials import Point, points, tried
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.compare import Outcome
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.meaning.layouts import essential
from symgrad.verification.meaning.readings import PLAIN, Adjoint, Defined, Notation, Reading
from symgrad.verification.meaning.values import Misfit
from symgrad.verification.surgery import put

WRONG = [
    ("bptt", r"\frac{\partial E_t}{\partial h_t}", r"V^\top(\hat y_t + y_t)"),
    ("bptt", r"\frac{\partial h_t}{\partial h_{t-1}}", r"\operatorname{diag}(1 - h_t) W^\top"),
    ("bptt", r"\frac{\partial E_2}{\partial h_1}", r"\left(\frac{\partial h_1}{\partial h_2}\right)^\top V^\top e"),
    ("bptt", r"\frac{\partial E}{\partial V}", r"\sum_{t=1}^{2} (\hat y_t - y_t) h_t^\top"),
    ("bptt", r"\frac{\partial E_3}{\partial h_1}",
     r"\left(\prod_{j=3}^{2} \operatorname{diag}(1 - h_{j-1}^2) W\right)^\top V^\top (\hat y_3 - y_3)"),
    ("focal_loss", r"\frac{\partial FL}{\partial p}", r"\gamma (p - 1)^{\gamma - 1} \log p - \frac{(1-p)^\gamma}{p}"),
    ("residual", r"\frac{\partial e}{\partial x}", r"H^\top \frac{\partial e}{\partial y}"),
    ("lstm", r"\frac{\partial c_t}{\partial c_{t-1}}", r"\operatorname{diag}(f_t) \frac{\partial c_t}{\partial u_t}"),
]  # fmt: skip
READINGS = (PLAIN, Reading(partials="leaves"), Reading("row"), Reading("column", "neighbours"))


def bench_of(name: str) -> Bench:
    return Bench.of(load(name))


def parsed(bench: Bench, text: str) -> Tree:
    return parse_expression(Source("line", text), latex(bench.names.vocabulary))


@pytest.mark.parametrize(("name", "left", "right"), WRONG)
def test_no_edit_that_makes_a_line_right_is_lost(name: str, left: str, right: str) -> None:
    bench, notation = bench_of(name), Notation()
    if "e" in right.split():
        notation.define(Defined("e", (), parsed(bench, r"\hat y_2 - y_2")))
    truth, line = parsed(bench, left), parsed(bench, right)
    kinds, _ = open_names((truth, line), bench.names, notation)
    at = points(bench, truth, line, kinds, notation)
    context = Doctor(bench).remedies.context(truth, line, (), hand_of(right), ())
    meanings = [bench.meaning(at[0].world, reading, notation) for reading in READINGS]
    screens = Screens(line, meanings, at[0].ints, at[0].truth)
    seen = 0
    for site in sites(line, bench.names):
        offered = list(offers(site, enumerate(SLIPS), context))
        hopeful = screens.hopeful(site, [x.edit for x in offered]) if offered else {}
        for n, offer in enumerate(offered):
            for i, (new, said, _) in enumerate(itertools.islice(each(offer.edit), 40)):
                tree, seen = put(line, site.path, new), seen + 1
                accepted = [r for r in READINGS if _right(bench, at, tree, r, notation)]
                assert not accepted or (n, i) in hopeful, (said, accepted)
                assert not accepted or any(_right(bench, at, tree, r, notation) for r in hopeful[n, i]), said
    assert seen > 30


def _right(bench: Bench, at: list[Point], tree: Tree, reading: Reading, notation: Notation) -> bool:
    """Whether a line is right, also at the first place by itself: what has no value there is no line to propose."""
    return all(tried(bench, there, tree, reading, notation).outcome is Outcome.SAME for there in (at[:1], at))


def kept_lines(bench: Bench) -> list[Tree]:
    """Expressions of everything that values may rest on: indices, definitions, adjoints, ranges that are not stated."""
    texts = [
        r"\frac{\partial E_t}{\partial h_t}", r"\frac{\partial h_t}{\partial h_{t-1}} h_k", r"\delta h_t", r"D_t h_k",
        r"\sum_{k=1}^{t} D_k W", r"\sum_{j} D_j h_k", r"\prod_{j=t}^{k+1} D_j W", r"\frac{\partial E_t}{\partial W}", r"g_k",
        r"\frac{\partial^+ h_t}{\partial W} + 0",
    ]  # fmt: skip
    return [parsed(bench, text) for text in texts]


def test_values_that_are_kept_are_those_found_anew() -> None:
    bench = bench_of("bptt")
    notation = Notation()
    notation.define(Adjoint("δh", parsed(bench, "E"), "h"))  # as a name of its own
    notation.define(Defined("D", (parsed(bench, "t"),), parsed(bench, r"\operatorname{diag}(1 - h_t^2)")))
    notation.define(Defined("g", (parsed(bench, "k"),), parsed(bench, r"D_k h_t")))
    lines = kept_lines(bench)
    found = 0
    for reading in (*READINGS, Reading("denominator"), Reading("row", "immediate")):
        for ints in ({"t": 3, "k": 1}, {"t": 2, "k": 1}, {"t": 3, "k": 2}, {"k": 1, "t": 3}):
            for line in lines:
                kept = worth(bench, reading, notation, line, ints)
                anew = worth(
                    Bench(bench.problem, bench.names, bench.worlds, bench.scalars), reading, notation, line, ints
                )
                assert (kept is None) == (anew is None), (line, reading, ints)
                if kept is not None and anew is not None:
                    np.testing.assert_array_equal(kept, anew)
                    found += 1
    assert found > 100


def worth(bench: Bench, reading: Reading, notation: Notation, line: Tree, ints: dict[str, int]) -> np.ndarray | None:
    try:
        return bench.meaning(bench.worlds[0], reading, notation).value(line, ints).data
    except (Unclear, Outside, Misfit, ShapeError):
        return None


def test_a_name_that_comes_to_mean_something_else_is_read_anew() -> None:
    bench, notation = bench_of("bptt"), Notation()
    line, world = parsed(bench, "a"), bench.worlds[0]
    for number in (1, 2, 3):
        notation.let("a", (Defined("a", (), parsed(bench, str(number))),))
        copy = notation.copy()
        assert bench.meaning(world, PLAIN, notation).value(line, {}).exact == number
        copy.let("a", (Defined("a", (), parsed(bench, "7")),))
        assert bench.meaning(world, PLAIN, copy).value(line, {}).exact == 7
        assert bench.meaning(world, PLAIN, notation).value(line, {}).exact == number


@pytest.mark.parametrize("name", ["bptt", "residual", "softmax_ce", "lstm"])
def test_readings_that_are_said_to_make_no_difference_make_none(name: str) -> None:
    bench, notation = bench_of(name), Notation()
    families = {n: f for n, f in bench.names.families.items() if f.arity <= 1 and f.members}
    members = [n if f.arity == 0 else f"{n}[2]" for n, f in families.items()]
    letters = bench.meaning(bench.worlds[0], PLAIN, notation).letters
    for of, wrt in itertools.islice(itertools.product(members, members), 0, 60, 4):
        line = parse_expression(Source("line", f"jacobian({of}, {wrt})"))
        for reading in (*READINGS, Reading("denominator"), Reading("row", "immediate")):
            plainest = essential(reading, letters.of(line))
            if plainest == reading:
                continue
            one, other = (
                worth(Bench(bench.problem, bench.names, bench.worlds, bench.scalars), r, notation, line, {})
                for r in (reading, plainest)
            )
            assert (one is None) == (other is None), (of, wrt, reading)
            if one is not None and other is not None:
                np.testing.assert_array_equal(one, other)
