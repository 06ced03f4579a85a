"""A problem made ready for marking: what is found once for any number of answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from symgrad.problem.model import Problem
from symgrad.tensor.nodes import Rel
from symgrad.verification.asked import Asked
from symgrad.verification.diagnosis.diagnose import Doctor
from symgrad.verification.judging.answers import Answer, answers, unknowns
from symgrad.verification.judging.optima import Optimum, optima, sought_optima
from symgrad.verification.judging.size_formulas import Sought, sought
from symgrad.verification.judging.supposed import Supposition, suppositions
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.extension import Extensions


@dataclass(eq=False)
class Marker:
    """A problem with its bench, the benches of what writers name, who diagnoses on each, and what its questions ask."""

    problem: Problem
    bench: Bench
    extensions: Extensions = field(default_factory=Extensions)
    _doctors: dict[Bench, Doctor] = field(default_factory=dict)

    @classmethod
    def of(cls, problem: Problem) -> Marker:
        """The marker of a problem."""
        return cls(problem, Bench.of(problem))

    def doctor(self, bench: Bench) -> Doctor:
        """Who diagnoses on a bench."""
        found = self._doctors.get(bench)
        if found is None:
            found = self._doctors[bench] = Doctor(bench)
        return found

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """The exact results of the questions."""
        return answers(self.problem)

    @cached_property
    def unknowns(self) -> dict[str, tuple[str, tuple[Rel, ...]]]:
        """The integers that questions ask for."""
        return unknowns(self.problem)

    @cached_property
    def suppositions(self) -> tuple[Supposition, ...]:
        """What the questions suppose."""
        return tuple(suppositions(self.bench))

    @cached_property
    def sought_optima(self) -> frozenset[str]:
        """The names of variables for whose best values questions ask."""
        return sought_optima(self.problem)

    @cached_property
    def optima(self) -> tuple[Optimum, ...]:
        """Where the questions have their optima."""
        return tuple(optima(self.bench))

    @cached_property
    def sought(self) -> tuple[Sought, ...]:
        """The shapes in symbols that questions ask for."""
        return sought(self.problem)

    @cached_property
    def asked(self) -> Asked:
        """The questions by the quantity that each asks for."""
        return Asked(self.bench)
