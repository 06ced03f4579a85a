"""Errors: what they print, whose they are, and near names."""

from __future__ import annotations

import pickle

import pytest

from symgrad.errors import (
    AnswerError,
    CertificationError,
    Diagnostic,
    InternalError,
    MachineError,
    ProblemError,
    QuestionError,
    SymgradError,
    near,
)
from symgrad.source import Source


def test_a_diagnostic_shows_the_place_and_the_near_name() -> None:
    place = Source("rnn.yaml", "model:\n  - z = V @ ht\n").place(17, 19)
    assert Diagnostic("unknown name 'ht'", place, "h[t]").render() == (
        "rnn.yaml:2:11: unknown name 'ht'\n      - z = V @ ht\n              ^^\n    did you mean 'h[t]'?"
    )


def test_a_diagnostic_without_a_place_is_its_message() -> None:
    assert Diagnostic("no TeX on this computer").render() == "no TeX on this computer"


def test_all_diagnostics_are_shown() -> None:
    error = ProblemError([Diagnostic("first"), Diagnostic("second")])
    assert str(error) == "first\nsecond"
    assert error.message == "first; second"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (ProblemError, 2),
        (AnswerError, 2),
        (MachineError, 2),
        (QuestionError, 1),
        (CertificationError, 1),
        (InternalError, 1),
    ],
)
def test_each_class_knows_its_exit_code(kind: type[SymgradError], code: int) -> None:
    assert kind("x").exit_code == code


def test_errors_cross_process_borders() -> None:
    error = QuestionError("cannot", Source("f", "abc").place(1, 2), "can")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is QuestionError
    assert again.diagnostics == error.diagnostics


@pytest.mark.parametrize(
    ("name", "expected"),
    [("yhta", "yhat"), ("w", "W"), ("W", None), ("quite other", None), ("sigmiod", "sigmoid")],
)
def test_near(name: str, expected: str | None) -> None:
    assert near(name, ["yhat", "W", "sigmoid"]) == expected
