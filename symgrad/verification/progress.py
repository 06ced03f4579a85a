"""How far the marking of one answer has come: what its writer has defined, supposed, put in and got wrong so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from symgrad.syntax.tree import Tree
from symgrad.verification.asked import left_side
from symgrad.verification.beside import Before
from symgrad.verification.composed import Composed
from symgrad.verification.declared_names import DeclaredNames
from symgrad.verification.documents.claims import Claim, Document
from symgrad.verification.judging.shapes import Shapes
from symgrad.verification.judging.stated_values import PutIn
from symgrad.verification.judging.trials import has_derivative, speaks_matrices
from symgrad.verification.marker import Marker
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.readings import Notation
from symgrad.verification.passages import Passages
from symgrad.verification.writer import Writer


@dataclass(eq=False)
class Progress:
    """The state of marking one answer.

    Attributes:
        marker: the problem that it answers.
        writer: the names of its writer, and what they mean so far.
        declared: how his claims are put into the names of the problem.
        before: its claims, and the verdicts on those that were judged.
        shapes: what is known of sizes.
        put_in: the numbers put in for names.
        passages: where in the text the questions are answered.
        composed: the inputs that the writer makes from others.
    """

    marker: Marker
    writer: Writer
    declared: DeclaredNames
    before: Before
    passages: Passages
    shapes: Shapes = field(default_factory=Shapes)
    put_in: PutIn = field(default_factory=PutIn)
    composed: Composed = field(default_factory=Composed)

    @classmethod
    def of(cls, marker: Marker, document: Document) -> Progress:
        """The state before the first line, with what the whole answer says of its names and sizes."""
        writer = Writer(marker.bench, marker.extensions, document.source)
        declared = DeclaredNames(marker.bench, marker.extensions)
        claims = declared.read_all(document.claims)
        derived = [c for c in claims if c.left is not None and c.kind == "equation" and has_derivative(c.left)]
        before = Before(claims, writer, scalars=not any(speaks_matrices(c.right) for c in derived))
        made = cls(marker, writer, declared, before, Passages(marker.problem, document.source))
        writer.learn(claims)
        made.shapes.learn(marker.bench, claims, writer.notation)
        return made

    @property
    def bench(self) -> Bench:
        """The bench of the problem."""
        return self.marker.bench

    @property
    def notation(self) -> Notation:
        """What the writer's names mean so far."""
        return self.writer.notation

    def left_of(self, claim: Claim) -> Tree | None:
        """What a claim is about: its left side, behind an approximation the side before it, or what is asked for."""
        claims, before = self.before.claims, claim
        while before.previous is not None:
            before = claims[before.previous]
            if before.relation == "≈" and claim.previous is not None:
                return claims[claim.previous].right
        return claim.left if claim.left is not None else left_side(self.marker.problem, claim.question)
