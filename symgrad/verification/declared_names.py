"""Claims with the names that the problem has: its subscripts, labels as parts of names, u_t for what is called c̃_t."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from symgrad.problem.texts import walk
from symgrad.syntax.latex.names import PREFIXES
from symgrad.syntax.tree import Name, Subscript, Tree
from symgrad.verification.documents.claims import Claim
from symgrad.verification.documents.parts import own_parts
from symgrad.verification.judging.trials import is_atomic
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.extension import Extensions
from symgrad.verification.normal_laws import with_normal_laws
from symgrad.verification.surgery import put_names, put_trees


@dataclass(eq=False)
class DeclaredNames:
    """How one writer's claims are put into the names of the problem.

    ``others`` are his names for what the problem calls otherwise, each with the name that it has there.
    """

    bench: Bench
    extensions: Extensions
    others: dict[str, str] = field(default_factory=dict)

    def read_all(self, claims: Sequence[Claim]) -> tuple[Claim, ...]:
        """The claims of an answer in the problem's names; a line that explains c̃_t = tanh(…) stays as it is written."""
        labelled = [self._labelled(c) for c in claims]
        explained = set(self._learn_others(labelled))
        return tuple(c if at in explained else _with_names(c, self.others) for at, c in enumerate(labelled))

    def read(self, claim: Claim) -> Claim:
        """A claim in the problem's names."""
        return _with_names(self._labelled(claim), self.others)

    def _learn_others(self, claims: Sequence[Claim]) -> Iterator[int]:
        """Learn what the problem calls otherwise, and its adjoint; which lines explain such a name."""
        steps = {s.name for s in self.bench.names.steps}
        known = set(self.bench.names.values())
        for at, claim in enumerate(claims):
            if claim.left is None or claim.previous is not None or claim.relation != "=" or is_atomic(claim.right):
                continue
            name, items = own_parts(claim.left)
            step = items[0] if len(items) == 1 else None
            if name is None or name in known | self.others.keys() or not isinstance(step, Name) or step.id not in steps:
                continue
            family = self.extensions.same_as(self.bench, name, step, claim.right)
            if family is not None:
                self.others |= {mark + name: mark + family for mark in ("", *PREFIXES.values())}
                yield at

    def _labelled(self, claim: Claim) -> Claim:
        """The claim with subscripts as the problem has them; δa_{o,t} is the name δa_o at t, where o is a quantity."""
        names, settle = self.bench.names, self.bench.subscripts.settled
        left, right = None if claim.left is None else settle(claim.left), settle(claim.right)
        found: dict[Tree, Tree] = {}
        for side in (left, right):
            for x in walk(side) if side is not None else ():
                if not (isinstance(x, Subscript) and isinstance(x.base, Name)) or len(x.items) < 2:
                    continue
                label, known = x.items[0], x.base.id in names.families or x.base.id in names.sizes
                if not known and isinstance(label, Name) and label.id in names.families:
                    base = Name(f"{x.base.id}_{label.id}", place=x.base.place)
                    found[x] = Subscript(base, x.items[1:], place=x.place)
        whole = None if left is None else with_normal_laws(self.bench, put_trees(left, found))
        return replace(claim, left=whole, right=with_normal_laws(self.bench, put_trees(right, found)))


def _with_names(claim: Claim, names: Mapping[str, str]) -> Claim:
    if not names:
        return claim
    left = None if claim.left is None else put_names(claim.left, names)
    return replace(claim, left=left, right=put_names(claim.right, names))
