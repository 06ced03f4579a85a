"""A whole answer marked: claim after claim, each beside the one before it, with the writer's names and letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symgrad.errors import SymgradError
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Call, Tree
from symgrad.tensor.shapes import ShapeError
from symgrad.verification.deciding import decided
from symgrad.verification.documents.claims import Claim, Document, Unread
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.spellings import declared_as
from symgrad.verification.judging.verdicts import Judged, Judgement
from symgrad.verification.marker import Marker
from symgrad.verification.meaning.values import Misfit
from symgrad.verification.progress import Progress
from symgrad.verification.tables.rows import judged_rows
from symgrad.verification.writer import names_in


def mark(marker: Marker, document: Document) -> list[Judged]:
    """The verdicts on everything a document claims, in the order of writing."""
    return _Marking(document, Progress.of(marker, document)).run()


@dataclass(eq=False)
class _Marking:
    """One document and the state of marking it."""

    document: Document
    progress: Progress

    def run(self) -> list[Judged]:
        """Every claim and everything unread, in the order of writing."""
        claims = self.progress.before.claims
        items: list[tuple[int, int, Claim | Unread]] = [(c.place.resolved().start, k, c) for k, c in enumerate(claims)]
        items += [(u.place.resolved().start, -1, u) for u in self.document.unread]
        out: list[Judged] = []
        for _, k, item in sorted(items, key=lambda row: (row[0], row[1])):
            judgement = self.claim(item, k) if isinstance(item, Claim) else self.unread(item)
            out.append(self.judged(item, judgement))
        return sorted([*out, *self.rows()], key=lambda x: x.place.resolved().start)

    def rows(self) -> Iterator[Judged]:
        """The rows of tables."""
        for table in self.document.tables:
            for row in judged_rows(self.progress.bench, table, self.progress.marker.answers, self.progress.notation):
                x, problem = row.judgement, self.progress.marker.problem.name
                yield Judged(row.place, row.place.text, "", x.question, problem, x.verdict, x.reason, row=True)

    def claim(self, claim: Claim, index: int) -> Judgement:
        """The verdict on one claim; a fault of ours leaves it unjudged."""
        self.progress.writer.go_to(claim, index)
        judgement = self.safely(claim)
        if judgement.bad or judgement.verdict == w.UNJUDGED:
            judgement = self.mended(claim.offers) or judgement
        judgement = self.progress.before.beside(claim, judgement)
        self.progress.before.done[index] = judgement
        return judgement

    def safely(self, claim: Claim) -> Judgement:
        """The verdict on one claim by itself, whatever happens."""
        try:
            return decided(self.progress, claim)
        except (SymgradError, ShapeError, Unclear, Misfit, Outside) as error:
            message = error.message if isinstance(error, SymgradError) else str(error)
            return Judgement(w.UNJUDGED, message or "it has no value")
        except RecursionError:
            return Judgement(w.UNJUDGED, "it rests on too many definitions, one inside the other")
        except Exception as error:  # one line's fault, even ours, must not cost a writer the marks for the others
            return Judgement(w.UNJUDGED, f"symgrad cannot judge this: {error}")

    def unread(self, item: Unread) -> Judgement:
        """The verdict on what cannot be read: right if a fault is mended, else unread."""
        return self.mended(item.offers) or Judgement(w.UNREAD, item.reason)

    def mended(self, offers: Sequence[Claim]) -> Judgement | None:
        """The verdict on the first of what may have been meant that is right; None where none is."""
        for offer in offers:
            if offer.left is None and offer.kind != "value":
                continue
            judgement = self.safely(self.progress.declared.read(offer))
            if judgement.good:
                reason = "; ".join(filter(None, (f"right if {offer.repaired}", judgement.reason)))
                return Judgement(w.RIGHT_IF, reason, trial=judgement.trial)
        return None

    def judged(self, item: Claim | Unread, judgement: Judgement) -> Judged:
        """The verdict with its place, and what it is about."""
        left = item.left if isinstance(item, Claim) else (item.offers[0].left if item.offers else None)
        question = item.question or judgement.question
        if question is None and left is not None:
            question = self.progress.marker.asked.question(left, self.progress.notation)
        known = isinstance(item, Unread) or self.knows(item) or judgement.question is not None
        sure = judgement.sure and known
        quantity = left.place.text if left is not None else ""
        return Judged(
            item.place, item.latex, quantity, question, self.progress.marker.problem.name, judgement.verdict,
            judgement.reason, judgement.diagnosis, judgement.correction, judgement.counterexample, None, sure,
        )  # fmt: skip

    def knows(self, claim: Claim) -> bool:
        """Whether a statement has names of the problem in it, or none at all."""
        bench = self.progress.bench
        known = bench.names
        called = {x.func.id for side in (claim.left, claim.right) for x in _calls(side)}
        own = {x.id for x in names_in(claim)} - called
        families = known.families.keys() | known.functions.keys() | known.densities.keys()
        return own <= known.sizes.keys() or any(x in families or declared_as(bench, x) for x in own)


def _calls(tree: Tree | None) -> list[Call]:
    return [] if tree is None else [x for x in walk(tree) if isinstance(x, Call)]
