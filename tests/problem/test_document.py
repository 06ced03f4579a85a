"""Problem files: the records they become, and everything wrong with one said at once."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from symgrad.errors import ProblemError
from symgrad.problem.document import load_document
from symgrad.syntax.reading import parse_expression
from symgrad.syntax.tree import sexp

WHOLE = r"""
title: Backpropagation through time
about: A vanilla RNN.       # Markdown, $math$ allowed
author: A. Author
symbols:
  I[t]: {shape: d}
  y: {shape: k, is: one-hot}
  on: {shape: [n, 2*m], is: [parameter, symmetric], latex: \Omega}
  h[0]: {shape: n}
  h[1-k..0]: 0
  p(x, z): {is: density}
  D(x): {is: function, range: [0, 1]}
  c: {values: [1, 1/2, 0.5]}
  no:
steps: {t: 1..T, i: 0..k}
model:
  - h[t] = tanh(U @ I[t])
  - 'z_t = \tanh(V h_{t-1})'
  - "L = sum(E[t],
     t=1..3)"
questions:
  - {id: a1, ask: derivative, of: "E[1]", wrt: [W, U], form: factored, points: 2}
  - id: lim
    ask: limit
    of: x
    at: tau -> 0+
    prompt: |
      What happens?
  - {id: sp, ask: special_case, of: x, set: {gamma: 0, "h[0]": 1}}
  - {id: ev, ask: evaluate, of: x, at: {W: [[1, 1/2], [0.5, -3]], b: 1}}
  - {id: ap, ask: average_precision, detections: [1, 0, 1], positives: 4, method: 11-point}
  - {id: io, ask: iou, boxes: {a: [0, 0, 2, 2]}, reference: a, columns: [iou, giou]}
  - {id: s, ask: solve, for: p, where: "size(Y, 2) == 16"}
  - {id: o, ask: optimum, of: first.value, over: x, subject_to: ["sum(x) == 1"], sense: min}
assume: ["sum(Y, axis=1) == 1"]
layout: denominator
index_base: 0
relu_at_zero: 1/2
x-course: anything
"""


def test_symbols() -> None:
    symbols = load_document(WHOLE).symbols
    shapes = [None if s.shape is None else tuple(size.text for size in s.shape) for s in symbols]
    facts = [tuple(fact.text for fact in s.facts) for s in symbols]
    assert list(zip([sexp(s.key) for s in symbols], shapes, facts, strict=True)) == [
        ("([] I t)", ("d",), ()),
        ("y", ("k",), ("one-hot",)),
        ("on", ("n", "2*m"), ("parameter", "symmetric")),
        ("([] h 0)", ("n",), ()),
        ("([] h (.. (- 1 k) 0))", None, ()),
        ("(p x z)", None, ("density",)),
        ("(D x)", None, ("function",)),
        ("c", None, ()),
        ("no", None, ()),
    ]
    assert symbols[2].latex == r"\Omega"
    assert symbols[4].values is not None
    assert symbols[6].range is not None


def test_the_rest() -> None:
    document = load_document(WHOLE)
    assert (document.title, document.about) == ("Backpropagation through time", "A vanilla RNN.")
    assert document.header == (("author", "A. Author"),)
    assert [(step.name, sexp(step.span)) for step in document.steps] == [("t", "(.. 1 T)"), ("i", "(.. 0 k)")]
    assert [text.text for text in document.model] == [
        "h[t] = tanh(U @ I[t])",
        r"z_t = \tanh(V h_{t-1})",
        "L = sum(E[t], t=1..3)",
    ]
    assert [text.text for text in document.assume] == ["sum(Y, axis=1) == 1"]
    assert (document.layout, document.index_base, document.relu_at_zero) == ("denominator", 0, Fraction(1, 2))


def test_questions() -> None:
    first, second, *_ = load_document(WHOLE).questions
    assert (first.id, first.ask, first.text("form")) == ("a1", "derivative", "factored")
    assert [text.text for text in first.sources("wrt")] == ["W", "U"]
    assert first.sources("leave") == ()
    assert second.text("prompt") == "What happens?\n"


def test_defaults() -> None:
    document = load_document("symbols:\n")
    assert (document.layout, document.index_base, document.relu_at_zero) == (None, 1, Fraction(0))
    assert (document.symbols, document.steps, document.model, document.questions) == ((), (), (), ())


@pytest.mark.parametrize(
    ("yaml", "place"),
    [
        ("model:\n  - L = a + b\n", "<problem>:2:13"),
        ("model:\n  - 'L = a + b'\n", "<problem>:2:14"),
        ('model: ["L = a\n    + b"]\n', "<problem>:2:7"),
        ('model: ["L = \\u0061 + b"]\n', "<problem>:1:23"),
        ("model: |\n  L = a\n    + b\n", "<problem>:3:7"),
        ("model: >-\n\n  L = a\n  + b\n", "<problem>:4:5"),
        ("model: !!str L = a + b\n", "<problem>:1:22"),
    ],
)
def test_a_place_in_a_text_is_a_place_in_the_file(yaml: str, place: str) -> None:
    text = load_document(yaml).model[0]
    at = text.text.index("b")
    assert str(text.place(at, at + 1)) == place


def test_an_error_in_an_expression_is_shown_in_the_file() -> None:
    text = load_document("model:\n  - L = a + b\n").model[0]
    tree = parse_expression(text.part(4, len(text.text)))
    assert tree.place.excerpt() == "      - L = a + b\n            ^^^^^"


def errors(path_or_text: str | Path) -> str:
    with pytest.raises(ProblemError) as caught:
        load_document(path_or_text)
    return str(caught.value)


BAD = r"""title: [a]
simbols: {}
symbols:
  W: [n, m]
  V: {shape: [n, "m+"], is: onehot, lattex: V}
  h(: {}
steps: {t: 1:3, q: 3}
model:
  - h = W x
  - {a: 1}
  - "\tau = 3"
questions:
  - {id: a, ask: derivative, of: "h^2", form: chain}
  - {id: a, ask: derivativ}
  - {id: 1a, ask: limit, of: x}
  - foo
W: 1
W: 2
"""

BAD_SAYS = r"""<problem>:1:8: a text is needed here
    title: [a]
           ^^^
<problem>:2:1: a problem has no field 'simbols'
    simbols: {}
    ^^^^^^^
    did you mean 'symbols'?
<problem>:4:6: a shape belongs in braces, {shape: [n, m]}
      W: [n, m]
         ^^^^^^
<problem>:5:21: something is missing behind '+'
      V: {shape: [n, "m+"], is: onehot, lattex: V}
                        ^
<problem>:5:29: one of one-hot, probability, positive, symmetric, orthogonal, diagonal, invertible, \
positive-definite, integer, index, constant, parameter, density, function is needed, not 'onehot'
      V: {shape: [n, "m+"], is: onehot, lattex: V}
                                ^^^^^^
    did you mean 'one-hot'?
<problem>:5:37: a symbol has no field 'lattex'
      V: {shape: [n, "m+"], is: onehot, lattex: V}
                                        ^^^^^^
    did you mean 'latex'?
<problem>:6:4: this '(' is never closed
      h(: {}
       ^
<problem>:7:13: a range is written with two dots, 1..3, and both ends belong to it
    steps: {t: 1:3, q: 3}
                ^
<problem>:7:20: a range is needed here, such as 1..3
    steps: {t: 1:3, q: 3}
                       ^
<problem>:9:11: an operator is missing between 'W' and 'x'; products are written * or @
      - h = W x
              ^
<problem>:10:5: a definition, name = expression, is needed here; quote a text that holds ': '
      - {a: 1}
        ^^^^^^
<problem>:11:6: in double quotes YAML reads \t as one character; use single quotes for LaTeX
      - "\tau = 3"
         ^^
<problem>:13:5: a 'derivative' question needs the field 'wrt': by what it is differentiated
      - {id: a, ask: derivative, of: "h^2", form: chain}
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
<problem>:13:36: '^' cannot be read: use ** for powers
      - {id: a, ask: derivative, of: "h^2", form: chain}
                                       ^
<problem>:14:10: 'a' is the id of two questions; the first is in line 13
      - {id: a, ask: derivativ}
             ^
<problem>:14:18: there is no question of kind 'derivativ'
      - {id: a, ask: derivativ}
                     ^^^^^^^^^
    did you mean 'derivative'?
<problem>:15:5: a 'limit' question needs at or set
      - {id: 1a, ask: limit, of: x}
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^
<problem>:15:10: an id is an identifier: letters, digits and _
      - {id: 1a, ask: limit, of: x}
             ^^
<problem>:16:5: a question is a mapping, {id: a1, ask: derivative, ...}
      - foo
        ^^^
<problem>:17:1: a problem has no field 'W'
    W: 1
    ^
<problem>:18:1: 'W' stands here twice; the first is in line 17
    W: 2
    ^"""


def test_everything_wrong_is_said_at_once() -> None:
    assert errors(BAD) == BAD_SAYS.replace("\\\n", "")


FLOW = "inside [...] and {...}, quote a text that holds [ ] { } , or :"


@pytest.mark.parametrize(
    ("yaml", "says"),
    [
        (
            "a: {of: h[t]}\n",
            "<problem>:1:10: not YAML: while parsing a flow mapping expected ',' or '}', but got '['; "
            f"{FLOW}\n    a: {{of: h[t]}}\n             ^",
        ),
        (
            "model: L = E: x\n",
            "<problem>:1:13: not YAML: mapping values are not allowed here; quote a text that holds ': '\n"
            "    model: L = E: x\n                ^",
        ),
        (
            'a: "\\lambda"\n',
            "<problem>:1:6: not YAML: while scanning a double-quoted scalar found unknown escape character "
            "'l'; write LaTeX in single quotes\n    a: \"\\lambda\"\n         ^",
        ),
        (
            "a: !!python/object/apply:os.system [x]\n",
            "<problem>:1:4: the type tag tag:yaml.org,2002:python/object/apply:os.system is not read; "
            "a problem holds texts and numbers only\n"
            "    a: !!python/object/apply:os.system [x]\n       " + "^" * len("!!python/object/apply:os.system ["),
        ),
        ("--- 1\n--- 2\n", "<problem>:2:1: a file holds one problem\n    --- 2\n    ^^^"),
        ("x: &a [*a]\n", "<problem>:1:8: nothing above is marked &a\n    x: &a [*a]\n           ^^"),
        (
            "- 1\n- 2\n",
            "<problem>:1:1: a problem is a mapping: title, symbols, model, questions\n    - 1\n    ^^^",
        ),
        ("\n", "<problem>:1:1: a problem is a mapping: title, symbols, model, questions\n    \n    ^"),
    ],
)
def test_bad_yaml(yaml: str, says: str) -> None:
    assert errors(yaml) == says


def test_aliases_may_repeat_a_little() -> None:
    document = load_document("symbols:\n  W: &square {shape: [n, n]}\n  V: *square\n")
    assert [size.text for size in document.symbols[1].shape or ()] == ["n", "n"]


def test_aliases_must_not_grow_out_of_hand() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    assert "*a2 repeats too much; the file would grow out of hand" in errors("\n".join(lines))


def test_deep_nesting_is_refused() -> None:
    assert "nested more than 40 deep" in errors("a:\n " + "[" * 50_000)
    assert "nested more than 40 deep" in errors("\n".join(" " * i + "a:" for i in range(100)))


def test_large_files_are_refused() -> None:
    assert errors("\n" * 1_000_001) == ("<problem>:1:1: the file has 1000001 characters; at most 1000000 are read")


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    assert errors(path) == f"{path}:1:1: cannot be opened: No such file or directory"
    path.write_bytes(b"title: \xff\n")
    assert errors(path) == f"{path}:1:1: not UTF-8 text: byte 0xff in line 1"
    path.write_bytes(b"\xef\xbb\xbftitle: a\r\nabout: b\r\nW: 1\r\n")
    assert errors(path) == f"{path}:3:1: a problem has no field 'W'\n    W: 1\n    ^"
