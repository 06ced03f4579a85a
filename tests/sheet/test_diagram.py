"""Diagrams: what is drawn, that boxes keep their distance, and that no line runs through one."""

import json
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest

import symgrad
from symgrad import pipeline
from symgrad.derivation.reading_order import members
from symgrad.derivation.structure.diagram import graphs
from symgrad.notation.plain import plain
from symgrad.notation.tree import Row
from symgrad.notation.typst import typst
from symgrad.problem.bank import templates_dir
from symgrad.sheet.diagram import drawings, model_drawings
from symgrad.sheet.draw import TEXT_WIDTH
from symgrad.sheet.draw_svg import svg
from symgrad.sheet.drawing import FONT_SIZE, NOTE_SIZE, Arrow, Box, Drawing, scaled
from symgrad.sheet.layered import spread
from symgrad.sheet.pdf import typst_query
from symgrad.sheet.reading import Reading

RNN = """
symbols:
  x[t]: {shape: d}
  h[0]: {shape: n}
  U: {shape: [n, d]}
  W: {shape: [n, n]}
steps: {t: 1..LAST}
model:
  - h[t] = tanh(U @ x[t] + W @ h[t-1])
  - L = loss(h[t], t=1..LAST)
questions:
  - {id: g, ask: diagram, of: L}
"""
TWO_WAYS = """
symbols: {"x[t]": {shape: n}, "f[0]": {shape: n}, "b[4]": {shape: n}, "y[t]": {shape: n, is: one-hot}}
steps: {t: 1..3}
model:
  - f[t] = tanh(x[t] + f[t-1])
  - b[t] = tanh(x[t] + b[t+1])
  - c[t] = cross_entropy(y[t], softmax(f[t] + b[t]))
  - L = sum(c[t], t=1..3)
questions:
  - {id: g, ask: diagram, of: L}
"""
MODELS = ["gated_rnn", "attention_rnn", "attention_rnn_all", "lstm", "residual", "bptt", "softmax_ce", TWO_WAYS]
MODELS += [RNN.replace("LAST", n) for n in ("3", "12", "40", "T")]


def drawn(text: str) -> tuple[Drawing, ...]:
    problem = pipeline.load(text)
    return model_drawings(problem, Reading.of(problem))


@pytest.fixture(scope="module", params=MODELS, ids=lambda m: m.strip().split("\n")[0][:20])
def made(request: pytest.FixtureRequest) -> tuple[Drawing, ...]:
    return drawn(request.param)


def inside(b: Box, x: float, y: float, margin: float) -> bool:
    return abs(x - b.x) < b.width / 2 - margin and abs(y - b.y) < b.height / 2 - margin


def points(a: Arrow) -> list[tuple[float, float]]:
    out = []
    (x0, y0) = a.start
    for (x1, y1), (x2, y2), (x3, y3) in a.curves:
        for k in range(21):
            t = k / 20
            w = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            out.append((w[0] * x0 + w[1] * x1 + w[2] * x2 + w[3] * x3, w[0] * y0 + w[1] * y1 + w[2] * y2 + w[3] * y3))
        x0, y0 = x3, y3
    return out


def test_boxes_keep_their_distance(made: tuple[Drawing, ...]) -> None:
    assert made
    for d in made:
        for a, b in combinations(d.boxes, 2):
            apart = abs(a.x - b.x) - (a.width + b.width) / 2, abs(a.y - b.y) - (a.height + b.height) / 2
            assert max(apart) >= 5.0


def test_everything_lies_in_the_frame(made: tuple[Drawing, ...]) -> None:
    for d in made:
        for a in d.arrows:
            assert all(0 <= x <= d.width and 0 <= y <= d.height for x, y in points(a))


def test_no_line_runs_through_a_box(made: tuple[Drawing, ...]) -> None:
    for d in made:
        for a in d.arrows:
            assert not any(inside(b, x, y, 4.5) for b in d.boxes for x, y in points(a))


def test_the_svg_has_a_title_and_a_description(made: tuple[Drawing, ...]) -> None:
    for d in made:
        root = ET.fromstring(svg(d))
        assert [c.tag.rpartition("}")[2] for c in root][:2] == ["title", "desc"]
        assert root[0].text
        assert root[1].text


TEN = "1 2 3 4 5 6 7 8 9 10"


@pytest.mark.parametrize(
    ("last", "steps"), [("3", "1 2 3"), ("12", f"{TEN} 11 12"), ("40", f"{TEN} … 40"), ("T", "1 2 3 … T")]
)
def test_long_recurrences_are_elided(last: str, steps: str) -> None:
    made = json.loads(symgrad.load(RNN.replace("LAST", last)).solve().text("json"))["questions"][0]
    assert made["status"] == "certified"
    result = made["results"][0]
    assert result["steps"] == []
    assert " ".join(str(s) for s in result["unrolled"]) == steps
    shown = [n["step"] for n in result["nodes"] if n["kind"] == "state"]
    assert " ".join(str(s) for s in shown) == steps.replace("… ", "")
    assert {"from": "h[1]", "to": "h[2]", "kind": "recurrent"} in result["edges"]


def test_nodes_and_edges() -> None:
    result = json.loads(symgrad.load("residual").solve().text("json"))
    problem = pipeline.load("residual")
    whole, cell = graphs(problem.system, members(problem.node("e")))
    assert cell is None
    assert result["problem"] == "residual"
    assert {(e.source.name, e.target.name) for e in whole.edges} == {
        ("x", "x_0"), ("x", "x_1"), ("H", "x_2"), ("x_1", "x_2"), ("x_2", "x_3"), ("v", "x_3"), ("x_3", "x_4"),
        ("x_0", "y"), ("x_4", "y"), ("y", "e"),
    }  # fmt: skip


def test_skips_of_a_second_order_recurrence() -> None:
    problem = pipeline.load("attention_rnn")
    (step, through_time) = drawings(*graphs(problem.system, members(problem.node("l"))), Reading.of(problem))
    assert {a.kind for a in through_time.arrows} == {"forward", "recurrent", "skip", "adjoint"}
    assert len(step.boxes) == 17


@pytest.mark.parametrize(
    ("wanted", "spans", "found"),
    [([0, 0], [10], [-5, 5]), ([0, 20], [10], [0, 20]), ([5, 0, 40], [4, 4], [0.5, 4.5, 40]), ([], [], [])],
)
def test_places_nearest_to_the_wanted_ones(wanted: list[float], spans: list[float], found: list[float]) -> None:
    assert spread(wanted, spans) == pytest.approx(found)


def test_labels_are_no_larger_than_their_boxes(made: tuple[Drawing, ...]) -> None:
    """The width of every label and note, measured by the compiler, and their heights together."""
    cells = [
        f"(${typst(tree)}$, {size}pt)"
        for d in made
        for b in d.boxes
        for tree, size in ((b.label, FONT_SIZE), (b.note or Row(()), NOTE_SIZE))
    ]
    source = (
        '#set document(title: "t")\n#set text(font: "New Computer Modern")\n'
        + (templates_dir() / "notation.typ").read_text()
        + f"#context for (body, size) in ({', '.join(cells)}) {{ let m = measure(text(size: size, body))\n"
        "[#metadata((m.width / 1pt, m.height / 1pt)) <size>] }"
    )
    found = iter(typst_query(source, "<size>"))
    for d in made:
        for b in d.boxes:
            label, note = next(found), next(found)
            assert max(label[0], note[0]) <= b.width - 2
            assert label[1] + note[1] <= b.height - 2


@pytest.mark.parametrize(("last", "least"), [("12", 6.0), ("40", 6.0), ("T", 9.0)])
def test_twelve_steps_can_be_read_on_a_page(last: str, least: float) -> None:
    (_, through_time) = drawn(RNN.replace("LAST", last))
    assert FONT_SIZE * scaled(through_time, TEXT_WIDTH) >= least


def test_what_carries_on_stands_level() -> None:
    """h, z, ŷ and the loss of a plain recurrent network on one line, every loss straight above its state."""
    (step, through_time) = drawn("bptt")
    at = {plain(b.label): b for b in step.boxes}
    assert max(abs(at[x].y - at["hₜ"].y) for x in ("zₜ", "ŷₜ", "Eₜ")) < 0.5
    at = {plain(b.label): b for b in through_time.boxes}
    assert [at[f"E{k}"].x - at[f"h{k}"].x for k in "₁₂₃"] == [0, 0, 0]


def test_weights_decide_who_gives_way() -> None:
    assert spread([0, 0], [10], [1000, 1]) == pytest.approx([0, 10], abs=0.1)
