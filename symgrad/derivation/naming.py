"""Names for what a derivation uses more than once: D_t = diag(1 − h_t ⊙ h_t), e_t = ŷ_t − y_t."""

from collections.abc import Iterable, Sequence

import sympy
from msgspec import Struct, field

from symgrad.derivation.steps import Introduced
from symgrad.derivation.workspace import Workspace, generalise
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Add, Binder, Call, Compare, Deriv, Expr, Mul, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import free_ints, fresh_symbol, reindex
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder, variables


class Names(Struct):
    """The names given so far in one derivation, by what they stand for.

    ``pending`` are those that no printed line has shown yet. Where ``several`` families want a name of the same
    letter, each has the family's name as a subscript.
    """

    work: Workspace
    made: dict[Expr, Var] = field(default_factory=dict)
    families: dict[str, Expr] = field(default_factory=dict)
    pending: list[Introduced] = field(default_factory=list)
    several: bool = False
    deltas: dict[str, str] = field(default_factory=dict)
    found: dict[Expr, Expr] = field(default_factory=dict)

    def diagonal(self, node: Var, weights: Expr) -> Expr:
        """diag(weights), by name where the weights are a formula: the slope of the function that makes ``node``."""
        plain = b.diag(weights)
        if not isinstance(plain, Call) or plain.fn != "diag" or not _is_formula(weights):
            return plain
        return self.name(plain, node, ("D", "Λ", "S"))

    def error(self, node: Var, value: Expr) -> Expr:
        """The difference ŷ − y by name."""
        return self.name(value, node, ("e", "r", "ε"))

    def errors_in(self, value: Expr, node: Var) -> Expr:
        """A value with the difference softmax(V h) − y in it by name, where the softmax itself has none."""

        def rule(x: Expr) -> Expr:
            bare = isinstance(x, Add) and x.order > 0 and len(x.args) == 2 and x is not value
            unnamed = bare and any(isinstance(t, Call) and t.fn == "softmax" for t in x.children)
            if not unnamed or (free_ints(x) and generalise(x, node, self.work.system) is None):
                return x
            return self.error(node, x)

        return transform(value, rule, into=lambda x: not isinstance(x, Deriv))

    def knows(self, value: Expr, node: Var) -> bool:
        """Whether a value has a name, itself or as a member of a family that has one."""
        if value in self.made:
            return True
        general = generalise(value, node, self.work.system)
        return general is not None and general[0] in self.families.values()

    def adjoint(self, of: Expr, node: Var, value: Expr, held: Iterable[Expr] = ()) -> Expr:
        """∂of/∂node by the name δ; ``value`` is what it is found to be, ``held`` what is kept fixed in it."""
        letter = self.deltas.get(node.name)
        if letter is None:
            letter = "δ" if not self.deltas else "δ" + node.name
            self.deltas[node.name] = letter
            hit = self.work.system.definition(node)
            own = tuple(hit[1]) if hit is not None else ()
            own = own or tuple(sympy.Symbol("tsrq"[k], integer=True) for k in range(len(node.subs)))
            taken = set().union(*(free_ints(x) for x in (of, *held)))
            indices = tuple(fresh_symbol(x, taken) for x in own)
            target = Var(node.name, indices, node.shape, node.facts)
            ranges = tuple(Binder(s, -(10**6), 10**6) for s in indices)
            self._introduce(Var(letter, indices, node.shape), b.deriv(of, target, "total", held), ranges)
        name = Var(letter, node.subs, node.shape)
        self.found[name] = value
        return name

    def written_out(self, value: Expr) -> Expr:
        """A value with what the adjoints in it are found to be in place of their names."""
        while any(v in self.found for v in variables(value)):
            value = replace_nodes(value, self.found)
        return value

    def name(self, value: Expr, node: Var, wishes: tuple[str, ...]) -> Expr:
        """A name for a value that belongs to a node; a family of names where the node is a member of one."""
        if value in self.made:
            return self.made[value]
        general = generalise(value, node, self.work.system)
        facts = frozenset({"diagonal"} if isinstance(value, Call) and value.fn == "diag" else ())
        if general is None:
            name = Var(self._letter(wishes, node), (), value.shape, facts)
            self._introduce(name, value, ())
            self.made[value] = name
            return name
        body, indices, ranges = general
        letter = next((n for n, known in self.families.items() if known is body), None)
        target = Var(letter or self._letter(wishes, node), tuple(indices), value.shape, facts)
        if letter is None:
            self.families[target.name] = body
            self._introduce(target, body, ranges)
        hit = self.work.system.definition(node)
        assert hit is not None
        subs = tuple(hit[1][s] for s in indices if isinstance(s, sympy.Symbol))
        made = Var(target.name, subs, value.shape, facts)
        self.made[value] = made
        return made

    def take(self, *shown: Expr) -> list[Introduced]:
        """The names not explained yet: those that stand in what is shown, or all of them."""
        used = {v.name for v in variables(*shown, into_derivatives=True)}
        taken = [x for x in self.pending if not shown or x.name.name in used]
        self.pending = [x for x in self.pending if x not in taken]
        return taken

    def _introduce(self, name: Var, body: Expr, ranges: tuple[Binder, ...]) -> None:
        self.pending.append(self.work.introduce(name, body, ranges))

    def _letter(self, wishes: tuple[str, ...], node: Var) -> str:
        own = [f"{w}_{node.name}" for w in wishes if node.name.isidentifier()]
        return self.work.fresh(*own, *wishes) if self.several else self.work.fresh(*wishes, *own)


def says(sides: Sequence[Expr], named: Introduced) -> bool:
    """Whether an equation at open steps says itself what a name stands for: … = ŷ_t − y_t = e_t."""
    members = [v for v in sides if isinstance(v, Var) and v.name == named.name.name]
    open_ = [v for v in members if not any(isinstance(s, int) for s in v.subs)]
    indices = [s for s in named.name.subs if isinstance(s, sympy.Symbol)]
    return any(reindex(named.body, dict(zip(indices, v.subs, strict=True))) in sides for v in open_)


def _is_formula(weights: Expr) -> bool:
    return any(isinstance(x, Add | Compare) for x in postorder(weights)) or (
        isinstance(weights, Mul) and len(weights.args) > 2
    )
