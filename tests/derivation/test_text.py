"""Prose of the author goes through as it is, and is marked as unchecked."""

from symgrad.derivation.solve import solve_problem
from symgrad.problem.elaborate import load_problem


def test_the_answer_is_the_authors() -> None:
    problem = load_problem("""
title: Prose
symbols: {x: {}}
model: [y = x]
questions:
  - {id: a, ask: text, answer: " Because $x$ is **skipped**. "}
  - {id: b, ask: text, answer: ""}
""")
    first, second = solve_problem(problem)
    assert (first.status, first.results[0].extra["text"]) == ("unchecked", "Because $x$ is **skipped**.")
    assert first.results[0].checks == ()
    assert (second.status, second.message) == ("failed", "the question has no answer to print")
