"""One formula after another read into claims, each going on from the ones before."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from msgspec.structs import replace

from symgrad.errors import AnswerError, ProblemError
from symgrad.syntax.latex.lexer import tokenize
from symgrad.syntax.latex.names import Vocabulary
from symgrad.syntax.latex.signs import FUNCTIONS
from symgrad.syntax.plain import PLAIN
from symgrad.syntax.tokens import Kind
from symgrad.syntax.tree import Call, Compare, ListTree, Name, Number, Subscript, Tree
from symgrad.verification.documents.claims import Claim, Formula, Unread
from symgrad.verification.documents.claims import Kind as ClaimKind
from symgrad.verification.documents.index_conditions import (
    as_condition,
    compares_indices,
    is_about,
    is_ranged,
    stands_before,
    stands_behind,
)
from symgrad.verification.documents.intervals import within_interval
from symgrad.verification.documents.parts import (
    family_at_index,
    is_numeric,
    is_size,
    lines_of,
    own_name,
    place_of,
    whole_of,
    written_sizes,
)
from symgrad.verification.documents.shape_words import measured, sizes_of, tells_shape, tells_space
from symgrad.verification.documents.sides import Sides
from symgrad.verification.documents.statements import INEQUALITIES, STATING, Statement, Tokens, rows, statements
from symgrad.verification.documents.typeset import as_typeset

_PLAIN_SIGNS: Final = ("@", ".T", "**")
_LIKEWISE: Final = re.compile(
    r"\b(?:similarly|likewise|analogously|in the same way)\b[^.$]*?\b(?:for|to)\s*(?P<name>\w+)?[\s,:]*$", re.IGNORECASE
)
_DERIVATIVE: Final = re.compile(r"\bd\^?\w+(?:\[[^\]]*\])?\s*/\s*d\w")
MOST_CLAIMS = 100_000


def _is_plain(text: str) -> bool:
    """Whether a formula is in the notation of the problem language, in which no derivative is written."""
    foreign = "\\" in text or "∂" in text or _DERIVATIVE.search(text) is not None
    return not foreign and any(sign in text for sign in _PLAIN_SIGNS)


@dataclass(slots=True)
class Reader:
    """The claims so far, and what the next formula may go on from.

    ``families`` are the names that the writer explains at an index, D_k, with their number of indices.
    """

    vocabulary: Vocabulary
    claims: list[Claim] = field(default_factory=list)
    sides: Sides = field(init=False)
    formulas: int = 0
    terms: int = 0
    families: dict[str, int] = field(default_factory=dict)
    row: int = 0
    before: int = 0
    head: Tree | None = None
    last: int | None = None
    given: tuple[Compare, ...] = ()
    term: tuple[Tree, str] | None = None
    """What stands alone in the formula just before, with the words before it."""

    def __post_init__(self) -> None:
        self.sides = Sides(self.vocabulary)

    def formula(self, formula: Formula) -> None:
        """Read one formula."""
        self.formulas += 1
        if _is_plain(formula.source.text):
            self.plain(formula)
            return
        try:
            tokens = tokenize(formula.source, self.vocabulary.pieces)
        except ProblemError as error:
            lines = lines_of(formula)
            if len(lines) > 1:
                for line in lines:
                    self.formula(line)
                self.formulas -= len(lines)
                return
            self.sides.refuse(error, formula.source.place(), formula)
            return
        given, claims = self.given, len(self.claims)
        for row in rows(as_typeset(tokens) if formula.typeset else tokens):
            self.row = len(self.claims)
            for statement in statements(row):
                self.statement(statement, formula)
        if len(self.claims) > claims:
            self.before = claims
            if given:
                self.claims[claims:] = [replace(c, where=(*c.where, *given)) for c in self.claims[claims:]]
                self.given = ()

    def plain(self, formula: Formula) -> None:
        """A formula in the notation of the problem language."""
        try:
            tokens = tuple(t for t in PLAIN.tokenize(formula.source) if t.kind is not Kind.END)
        except ProblemError as error:
            self.sides.refuse(error, formula.source.place(), formula)
            return
        kept, self.sides.dialect = self.sides.dialect, PLAIN
        for statement in statements(tokens):
            self.statement(statement, formula)
        self.sides.dialect = kept

    # Statements

    def statement(self, statement: Statement, formula: Formula) -> None:
        """Read one statement by its relations."""
        if len(self.claims) + len(self.sides.unread) >= MOST_CLAIMS:
            raise AnswerError(f"a document has at most {MOST_CLAIMS} formulas", formula.source.place(0, 0))
        relations = set(statement.relations)
        term, self.term = self.term, None
        if self.is_condition(statement, formula) or self.told(statement, formula, term):
            return
        if statement.words:
            formula = replace(formula, context=statement.words)
        if not relations and all(token.kind is Kind.OPERATOR for token in statement.sides[0]):
            self.terms += 1
        elif not relations:
            self.alone(statement.sides[0], formula)
        elif "∈" in relations:
            self.shape(statement, formula)
        elif relations & INEQUALITIES:
            self.inequality(statement, formula)
        elif relations <= STATING:
            self.chain(statement, formula)
        else:
            for side in statement.sides:
                if side:
                    self.sides.tree(side, formula, ())
            self.terms += 1

    def is_condition(self, statement: Statement, formula: Formula) -> bool:
        """Note a condition on an index: behind what stands before it in the row, or in words before or behind it."""
        behind = self.row < len(self.claims) and is_ranged(statement)
        spoken = not formula.display and (stands_behind(formula.context) or stands_before(formula.context))
        if not behind and not spoken:
            return False
        found = as_condition(statement, self.sides, formula.source.place())
        if found is None or (spoken and not behind and not compares_indices(found, self.vocabulary)):
            return False
        if spoken and not behind and not stands_behind(formula.context):
            self.given = (*self.given, found)
            self.terms += 1
            return True
        first = self.row if behind else self.before
        if not is_about(found, self.claims[first:]):
            return False
        self.claims[first:] = [replace(c, where=(*c.where, found)) for c in self.claims[first:]]
        self.terms += 1
        return True

    def chain(self, statement: Statement, formula: Formula) -> None:
        """left = right = right; an empty left side goes on from the statement before."""
        first, *others = statement.sides
        refused = len(self.sides.unread)
        if not first:
            self.head = self.likewise(formula)
        else:
            self.head = self.sides.tree(first, formula, ())
            self.last = None
        if self.measured(statement, formula):
            return
        for relation, side in zip(statement.relations, others, strict=True):
            if not side:
                self.terms += 1
                continue
            place = place_of(side)
            kind: ClaimKind = "definition" if self.defines(first, self.last) else "equation"
            base = Claim(
                self.head, Number(Fraction(0), "0", place=place), place, whole_of(statement, side).text, kind, relation,
                formula.context, self.last, formula.question,
            )  # fmt: skip
            tree = self.sides.tree(side, formula, (base,))
            if tree is None:
                continue
            if first and self.head is None and side is others[0]:
                self.offer_left(refused, replace(base, right=tree))
                continue
            self.claims.append(replace(base, right=tree, offers=tuple(self.sides.offers(side, base))))
            self.last = len(self.claims) - 1
            if kind == "definition":
                self.define()

    def likewise(self, formula: Formula) -> Tree | None:
        """The left side that a line goes on from; behind "Similarly, for U" the same derivative by U."""
        found = _LIKEWISE.search(formula.context)
        return (self.by_another(found["name"]) if found is not None and found["name"] else None) or self.head

    def by_another(self, name: str) -> Tree | None:
        """The derivative on the left side, by another parameter; None where there is none, or no such parameter."""
        match self.head:
            case Call(Name("jacobian"), (of, wrt), keywords) if self.vocabulary.arities.get(name) == 0:
                self.last = None
                return self.head.replaced(args=(of, Name(name, place=wrt.place)), keywords=keywords)
        return None

    def offer_left(self, refused: int, claim: Claim) -> None:
        """What an equation would say if its left side, which cannot be read, were mended."""
        found = self.sides.unread[refused]
        offers = tuple(replace(claim, left=o.right, repaired=o.repaired) for o in found.offers)
        self.sides.unread[refused] = replace(found, offers=offers)

    def defines(self, first: Tokens, last: int | None) -> bool:
        """Whether the left side is a name that was not known."""
        name = own_name(self.head)
        if name is None or not first or last is not None:
            return False
        builtin = isinstance(self.head, Call) and name.rstrip("'") in FUNCTIONS.values()
        vocabulary = self.vocabulary
        return not (builtin or name in vocabulary.arities or name in vocabulary.integers | vocabulary.functions)

    def define(self) -> None:
        """Know the name that the last claim defines; D_k beside an open k is the member of a family at k."""
        family = family_at_index(self.head, self.claims[-1].right, self.vocabulary)
        if family is not None:
            self.head = family
            self.claims[-1] = replace(self.claims[-1], left=family)
            self.families[str(own_name(family))] = len(family.items)
        match self.head:
            case Name(name):
                self.vocabulary.know(name, 0)
            case Subscript(Name(name), items):
                self.vocabulary.know(name, len(items))
            case Call(func, _, _):
                self.vocabulary.know_function(func.id)

    def inequality(self, statement: Statement, formula: Formula) -> None:
        """`a <= b`, or a chain of them as one comparison."""
        if not all(statement.sides[1:]):
            self.sides.refuse(ProblemError("something is missing behind a sign"), formula.source.place(), formula)
            return
        sides = [self.sides.tree(side, formula, ()) if side else self.head for side in statement.sides]
        trees = [side for side in sides if side is not None]
        if len(trees) < len(sides):
            return
        place = place_of(statement.sides[-1])
        whole = whole_of(statement, statement.sides[-1])
        if len(trees) == 2:
            left, right, relation = trees[0], trees[1], statement.relations[0]
        else:
            ops = tuple("==" if op == "=" else op for op in statement.relations)
            left, right, relation = None, Compare(ops, tuple(trees), place=whole), statement.relations[0]
        self.claims.append(
            Claim(left, right, place, whole.text, "inequality", relation, formula.context, None, formula.question)
        )
        self.head, self.last = None, None

    def shape(self, statement: Statement, formula: Formula) -> None:
        r"""`x_t, h_t \in \mathbb{R}^{n}`, the names before it included."""
        *before, right = statement.sides
        if self.interval(statement, formula):
            return
        sizes = self.stated_sizes(right, formula)
        if sizes is None:
            return
        names = [*statement.lead, *(side for side in before if side)]
        trees: list[Tree | None] = [self.sides.tree(side, formula, ()) for side in names] or [None]
        whole = whole_of(statement, right)
        for tree in trees:
            name = own_name(tree)
            if name is not None and name not in self.vocabulary.arities and not isinstance(tree, Call):
                arity = len(tree.items) if isinstance(tree, Subscript) else 0
                self.vocabulary.know(name, arity, len(sizes.items))
            self.claims.append(
                Claim(tree, sizes, place_of(right), whole.text, "shape", "∈", formula.context, None, formula.question)
            )

    def interval(self, statement: Statement, formula: Formula) -> bool:
        """Note `x ∈ (a, b)` as a < x < b."""
        found = within_interval(statement, lambda side: self.sides.tree(side, formula, ()))
        if found is None:
            return False
        right = statement.sides[-1]
        place, text = place_of(right), whole_of(statement, right).text
        for left, tree, sign in found:
            self.claims.append(
                Claim(left, tree, place, text, "inequality", sign, formula.context, None, formula.question)
            )
        self.head = self.last = None
        return True

    def told(self, statement: Statement, formula: Formula, term: tuple[Tree, str] | None) -> bool:
        """Note sizes or a space that the words before them give to the quantity in the formula before."""
        side = statement.sides[-1]
        alone = not statement.relations or (statement.relations == ("∈",) and not statement.sides[0])
        if term is None or not alone or statement.lead:
            return False
        quantity, words = term
        space = written_sizes(side)
        if space is not None and (statement.relations or tells_space(words, formula.context)):
            sizes = self.stated_sizes(side, formula)
        elif space is None and tells_shape(words, formula.context) and not statement.relations:
            sizes = sizes_of(self.sides.tree(side, formula, ()))
        else:
            return False
        if sizes is not None:
            self.add_shape(quantity, sizes, side, formula)
        return True

    def measured(self, statement: Statement, formula: Formula) -> bool:
        """Note sizes that stand behind dim(x) = or shape(x) =."""
        quantity = measured(self.head)
        trees = [self.sides.parsed(side) for side in statement.sides[1:] if side] if quantity is not None else []
        found = [sizes_of(tree) for tree in trees]
        if quantity is None or not found or None in found:
            return False
        for side, sizes in zip(statement.sides[1:], found, strict=False):
            if sizes is not None:
                self.add_shape(quantity, sizes, side, formula)
        return True

    def add_shape(self, quantity: Tree | None, sizes: ListTree, side: Tokens, formula: Formula) -> None:
        """Note that a quantity has some sizes."""
        place, text = place_of(side), place_of(side).text
        self.claims.append(Claim(quantity, sizes, place, text, "shape", "∈", formula.context, None, formula.question))

    def stated_sizes(self, side: Tokens, formula: Formula) -> ListTree | None:
        """n and m of ℝ^{n × m}; nothing for a number."""
        written = written_sizes(side)
        if written is None:
            reason = "a set is not read"
            place = place_of(side) if side else formula.source.place()
            self.sides.unread.append(Unread(place, place.text, reason, place, formula.context, (), formula.question))
            return None
        found = [self.sides.tree(part, formula, ()) for part in written]
        known = tuple(tree for tree in found if tree is not None)
        return ListTree(known, place=place_of(side)) if len(known) == len(found) else None

    def alone(self, side: Tokens, formula: Formula) -> None:
        """A term without a relation: the left side of what follows, a condition, or a value."""
        tree = self.sides.tree(side, formula, ())
        if tree is None:
            self.head = self.last = None
            return
        other = self.by_another(tree.id) if isinstance(tree, Name) and _LIKEWISE.search(formula.context) else None
        if other is not None:
            self.head = other
            self.terms += 1
            return
        if isinstance(tree, Compare):
            self.claims.append(
                Claim(None, tree, place_of(side), place_of(side).text, "inequality", tree.ops[0], formula.context)
            )
            return
        operates = not isinstance(tree, Number | ListTree) and (is_numeric(tree) or is_size(tree, self.vocabulary))
        if operates or (formula.question is not None and formula.display):
            claim = Claim(None, tree, place_of(side), place_of(side).text, "value", "", formula.context)
            self.claims.append(replace(claim, question=formula.question))
            self.last = len(self.claims) - 1
        else:
            self.terms += 1
            self.last = None
            self.term = (tree, formula.context)
        self.head = tree
