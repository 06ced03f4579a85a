"""A line beside the ones before it: errors carried forward, lines that do not follow, the first wrong step."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from symgrad.syntax.tree import Binary, Tree
from symgrad.verification.documents.claims import Claim
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.judge import judge
from symgrad.verification.judging.numbers import scalar_trial
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.surgery import PRODUCTS, factors, operators, parts, with_parts
from symgrad.verification.writer import Writer

_MOST_NEAR = 6


class WrongLine(Struct, frozen=True):
    """A wrong line: both sides, and the line of the document."""

    left: Tree | None
    right: Tree
    line: int


class Before(Struct):
    """The claims that were judged so far, and the wrong ones among them."""

    claims: Sequence[Claim]
    writer: Writer
    scalars: bool
    done: dict[int, Judgement] = field(default_factory=dict)
    wrong: list[WrongLine] = field(default_factory=list)

    def beside(self, claim: Claim, judgement: Judgement) -> Judgement:
        """The judgement with what the lines before say: an error carried forward, or a line that does not follow."""
        before = self.done.get(claim.previous) if claim.previous is not None else None
        after_wrong = before is not None and before.verdict in w.BAD
        if judgement.verdict in (w.WRONG, w.SHAPE_ERROR):
            if after_wrong and self._follows(claim):
                return _carried(judgement, "it follows from the wrong line before")
            source = self._source(claim)
            if source is not None:
                return _carried(judgement, f"it follows from the wrong line {source.line}")
            self.wrong.append(WrongLine(claim.left, claim.right, claim.place.line))
        elif judgement.verdict in w.GOOD and after_wrong:
            said = "it does not follow from the line before, which is wrong"
            return replace(judgement, reason="; ".join(filter(None, (judgement.reason, said))))
        return judgement

    def near(self, claim: Claim) -> list[Tree]:
        """The right sides of the lines that this one continues."""
        found: list[Tree] = []
        while claim.previous is not None and len(found) < _MOST_NEAR:
            claim = self.claims[claim.previous]
            found.append(claim.right)
        return found

    def _follows(self, claim: Claim) -> bool:
        """Whether a line says the same as the one before it."""
        assert claim.previous is not None
        before = self.claims[claim.previous].right
        bench, notation = self.writer.bench_for(before, claim.right), self.writer.notation
        kinds, loose = open_names((before, claim.right), bench.names, notation)
        if loose:
            return False
        if self.scalars and scalar_trial(bench, before, claim.right, kinds, notation) is not None:
            return True
        return judge(bench, Equation(before, claim.right, scalars=False), notation.copy()).good

    def _source(self, claim: Claim) -> WrongLine | None:
        """The wrong line whose result this one uses: put right there, it is right here."""
        for line in reversed(self.wrong[-_MOST_NEAR:]):
            if claim.left is None or line.left is None or line.left == claim.left:
                continue
            mended = substituted(claim.right, line.right, line.left)
            if mended is None:
                continue
            equation = Equation(claim.left, mended, self.writer.premises.now)
            if judge(self.writer.bench_for(claim.left, mended), equation, self.writer.notation.copy()).good:
                return line
        return None


def _carried(judgement: Judgement, reason: str) -> Judgement:
    return replace(judgement, verdict=w.CARRIED, reason=reason, diagnosis="", correction="")


def substituted(tree: Tree, old: Tree, new: Tree) -> Tree | None:
    """The tree with another in place of a part, also of some factors of a product; None where it does not occur."""
    if tree == old:
        return new
    if isinstance(tree, Binary) and tree.op in PRODUCTS:
        row, signs, inner = factors(tree), operators(tree), factors(old)
        for k in range(len(row) - len(inner) + 1):
            if len(inner) > 1 and row[k : k + len(inner)] == inner:
                kept = [*row[:k], new, *row[k + len(inner) :]]
                return _product(kept, [*signs[:k], *signs[k + len(inner) - 1 :]])
    inside = parts(tree)
    for k, part in enumerate(inside):
        found = substituted(part, old, new)
        if found is not None:
            return with_parts(tree, [*inside[:k], found, *inside[k + 1 :]])
    return None


def _product(row: Sequence[Tree], signs: Sequence[str]) -> Tree:
    tree = row[0]
    for sign, part in zip(signs, row[1:], strict=True):
        tree = Binary(sign, tree, part, place=part.place)
    return tree
