"""Names in LaTeX with a meaning of their own: functions, ones, unit vectors, the identity, Kronecker's δ."""

from __future__ import annotations

from symgrad.syntax.latex.functions import FunctionReader
from symgrad.syntax.latex.names import Scanned, items
from symgrad.syntax.latex.signs import FUNCTIONS
from symgrad.syntax.tokens import Kind, Token
from symgrad.syntax.tree import Call, Compare, Name, Tree


class SpecialNames(FunctionReader):
    """Reads them."""

    def special(self, found: Scanned, parts: list[str], above: str, start: Token) -> Tree | None:
        """Functions, ones, unit vectors, the identity, Kronecker's δ; None for any other name."""
        base = found.base
        if base == "D" and parts == ["KL"]:
            self.at = found.end
            return self.call_of("KL", start)
        if base in FUNCTIONS:
            return self.function(found, start)
        switch = self.switch(found, start) if base in ("𝟏", "𝐈", "I") else None
        if switch is not None:
            return switch
        if base == "𝟏":
            return self.ones(found, start)
        if base in ("𝐞", "𝐈", "I"):
            return self.unit(found, start)
        if base == "delta" and found.below is not None and not above:
            below = items(self.tokens, found.below)
            first, last = below[0]
            numbered = len(below) == 1 and last - first == 2 and self.begins(last - 1).kind is Kind.NUMBER
            sides = self.indices([(first, first + 1), (first + 1, last)] if numbered else below)
            if len(sides) == 2:
                self.at = found.end
                equal = Compare(("==",), sides, place=self.since(start))
                return Call(Name("indicator", place=start.place), (equal,), (), place=self.since(start))
        return None

    def switch(self, found: Scanned, start: Token) -> Tree | None:
        """I_{0,1} and I{0,1}, the diagonal matrix of zeros and ones; None for anything else."""
        below, end = found.below, found.end
        if below is None and self.begins(found.end).says("{", r"\{") and found.end in self.partner:
            below, end = (found.end + 1, self.partner[found.end]), self.partner[found.end] + 1
        inside = [t.text for t in self.tokens[slice(*(below or (0, 0)))] if not t.says("{", "}", r"\{", r"\}")]
        if inside not in (["0", ",", "1"], ["0", "/", "1"], ["0", "|", "1"], ["0", "-", "1"]) or found.above:
            return None
        self.at = end
        return Call(Name("switch", place=start.place), (), (), place=self.since(start))

    def ones(self, found: Scanned, start: Token) -> Tree:
        """1[condition], the vector 1 or 1_n, and a blackboard I without a condition, which is the identity."""
        if found.below is None:
            self.at += 1
            if self.token.says("[", "(", r"\{") and self.compares(self.at):
                return self.indicator(start)
            name = "identity" if "I" in start.place.text else "ones"
            return Call(Name(name, place=start.place), (), (), place=start.place)
        self.at = found.end
        if self.relates(found.below):
            tree = self.indicated(found.below, start)
        else:
            name = "identity" if "I" in start.place.text else "ones"
            tree = Call(Name(name, place=start.place), self.sizes(found.below), (), place=self.since(start))
        return self.raised(tree, found.above, start) if found.above else tree

    def unit(self, found: Scanned, start: Token) -> Tree | None:
        """I, I_n and the unit vector e_i."""
        if found.base == "𝐞" and found.below is None:
            return None
        if found.below is not None and self.relates(found.below):
            self.at = found.end
            inner = self.indicated(found.below, start)
            return Call(Name("diag", place=start.place), (inner,), (), place=self.since(start))
        name, below = ("one_hot" if found.base == "𝐞" else "identity"), tuple[Tree, ...]()
        if found.below is not None:
            vector = name == "one_hot"
            below = self.indices(items(self.tokens, found.below)) if vector else self.sizes(found.below)
        self.at = found.end
        tree: Tree = Call(Name(name, place=start.place), below, (), place=self.since(start))
        return self.raised(tree, found.above, start) if found.above else tree
