"""A tree's text parses to the same tree; no text breaks the parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad.errors import ProblemError
from symgrad.source import Source
from symgrad.syntax.reading import parse_definition, parse_expression, parse_key, parse_limit, parse_range
from symgrad.syntax.tree import (
    Binary,
    Call,
    Compare,
    Distributed,
    Given,
    Keyword,
    ListTree,
    Member,
    Name,
    Span,
    Subscript,
    Transpose,
    Tree,
    Unary,
)
from symgrad.syntax.unparse import unparse

NOWHERE = Source("f", "").place()


@pytest.mark.parametrize(
    "text",
    [
        "tanh(U @ I[t] + W @ h[t - 1])",
        "-x**2",
        "(-x)**2",
        "(a**b)**c**-d",
        "a - (b - c) - d",
        "a @ (b * c) / d",
        "sum(max(0, s[j] - s[c] + 1), j != c, j=1..K)",
        "E(f(z), z ~ q(z | x))",
        "(1 < a) + [b == c, 0.10]",
        "(a + b).T[:, 1..m]",
        "first.value",
    ],
)
def test_text_is_written_as_a_person_would(text: str) -> None:
    assert unparse(parse_expression(text)) == text


@pytest.mark.parametrize("text", ["q[i, t] = Q[i] @ h[t - i], i=1..k, i != t", "f(u) = u"])
def test_definition(text: str) -> None:
    assert unparse(parse_definition(text)) == text


@pytest.mark.parametrize("text", ["tau -> 0+", "x -> -inf"])
def test_limit(text: str) -> None:
    assert unparse(parse_limit(text)) == text


names = st.sampled_from(["x", "W", "yhat", "ŷ", "h_1"]).map(lambda name: Name(name, place=NOWHERE))
numbers = st.sampled_from(["0", "3", "0.10", "1e-3"]).map(lambda text: parse_expression(text))


def larger(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    several = st.lists(trees, min_size=1, max_size=3).map(tuple)
    spans = st.builds(Span, trees.filter(no_compare), trees.filter(no_compare), place=st.just(NOWHERE))
    everything = st.just(Span(None, None, place=NOWHERE))
    places = st.just(NOWHERE)
    keywords = st.lists(st.builds(Keyword, names, trees | spans, place=places), max_size=2).map(tuple)
    given_args = st.builds(Given, several, several, place=places).map(lambda tree: (tree,))
    drawn = st.builds(Distributed, trees, trees, place=places).map(lambda tree: (tree,))
    items = st.lists(trees | spans | everything, min_size=1, max_size=3).map(tuple)
    ops = st.sampled_from(["+", "-", "*", "/", "@", "**"])
    relations = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    return st.one_of(
        st.builds(Unary, st.sampled_from("+-"), trees, place=places),
        st.builds(Binary, ops, trees, trees, place=places),
        st.builds(Transpose, trees, place=places),
        st.builds(Subscript, trees, items, place=places),
        st.builds(ListTree, several, place=places),
        st.builds(Member, names, st.sampled_from(["at", "value"]), place=places),
        st.builds(Call, names, several | given_args | drawn, keywords, place=places),
        st.tuples(relations, relations, trees, trees, trees).map(lambda t: Compare(t[:2], t[2:], place=NOWHERE)),
    )


def no_compare(tree: Tree) -> bool:
    return not isinstance(tree, Compare)


trees = st.recursive(names | numbers, larger, max_leaves=25)


@given(trees)
def test_a_trees_text_parses_to_the_tree(tree: Tree) -> None:
    assert parse_expression(unparse(tree)) == tree


@given(st.text(max_size=60) | st.text(alphabet="abT1.0[](),=<>+-*/@|~:! \t\n'^_é·", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_expression, parse_definition, parse_key, parse_range, parse_limit):
        try:
            tree: Tree = parse(text)
        except ProblemError:
            continue
        assert parse(unparse(tree)) == tree
