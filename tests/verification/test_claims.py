"""Single claims as people write them: the verdict that the mathematics gives each, and the laws of wrong ones.

A correction is right when it is fed back; a wrong value shows the point at which it fails, with both numbers there.
"""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from symgrad.pipeline import load
from symgrad.verification.judging import verdicts as w
from symgrad.verification.marked import Markers

TABLE: dict[str, Any] = YAML(typ="safe").load(Path(__file__).parent / "claims.yaml")
CLAIMS = [
    (problem, claim, verdict)
    for problem, entry in TABLE.items()
    for verdict, claims in entry["claims"].items()
    for claim in claims
]
IDS = [f"{problem}: {claim}" for problem, claim, _ in CLAIMS]


@cache
def markers(problem: str) -> Markers:
    return Markers.of([load(TABLE[problem].get("problem", problem))])


@pytest.mark.parametrize(("problem", "claim", "verdict"), CLAIMS, ids=IDS)
def test_the_verdict_is_that_of_the_mathematics(problem: str, claim: str, verdict: str) -> None:
    assert verdict in w.VERDICTS
    (judged,) = markers(problem).mark(claim, formula=True).claims
    assert judged.verdict == verdict
    if judged.verdict in (w.WRONG, w.SHAPE_ERROR) and judged.correction:
        corrected = f"{judged.quantity} = {judged.correction}"
        assert [c.verdict for c in markers(problem).mark(corrected, formula=True).claims] == [w.RIGHT]
    if judged.counterexample is not None:
        assert judged.counterexample.expected != judged.counterexample.given
