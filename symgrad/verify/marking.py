"""A whole answer marked: claim after claim, each beside the one before it, with the writer's names and letters."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

from symgrad.errors import SymgradError
from symgrad.problem.model import Problem
from symgrad.problem.texts import walk
from symgrad.source import Place
from symgrad.syntax.tree import Binary, Call, Compare, ListTree, Name, Number, Subscript, Tree
from symgrad.tensor.nodes import Expr, Rel
from symgrad.tensor.shapes import ShapeError
from symgrad.verify import conditions as cond
from symgrad.verify import verdicts as w
from symgrad.verify.answers import Answer, answers, flat, stated, unknowns
from symgrad.verify.claims import Claim, Document, Unread
from symgrad.verify.derivatives import node_of
from symgrad.verify.diagnose import Doctor, adjoint_derivative
from symgrad.verify.errors import Outside, Unclear
from symgrad.verify.extension import Extensions
from symgrad.verify.extract import read_document, read_formula
from symgrad.verify.indices import open_names
from symgrad.verify.judge import Equation, customary_adjoint, declared_as, judge, scalar_trial
from symgrad.verify.meaning import Meaning
from symgrad.verify.readings import PLAIN, Adjoint, Defined, Notation
from symgrad.verify.shapes import Shapes
from symgrad.verify.surgery import PRODUCTS, factors, operators, parts, put_trees, with_parts
from symgrad.verify.trials import Bench, has_derivative, speaks_matrices
from symgrad.verify.values import Misfit
from symgrad.verify.verdicts import Judged, Judgement

_MOST_NEAR = 6
_HEADING = re.compile(r"^#{1,6} |^\*\*\(|\\(?:sub)*section\b", re.MULTILINE)
_AVERAGE_PRECISION = re.compile(r"^m?AP(_.*)?$")


@dataclass(eq=False)
class Marker:
    """A problem made ready for marking: everything that is found once for any number of answers."""

    problem: Problem
    bench: Bench
    extensions: Extensions = field(default_factory=Extensions)
    _doctors: dict[int, Doctor] = field(default_factory=dict)

    @classmethod
    def of(cls, problem: Problem) -> Marker:
        """The marker of a problem."""
        return cls(problem, Bench.of(problem))

    def doctor(self, bench: Bench) -> Doctor:
        """Who diagnoses on a bench."""
        found = self._doctors.get(id(bench))
        if found is None:
            found = self._doctors[id(bench)] = Doctor(bench)
        return found

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """The exact results of the questions."""
        return answers(self.problem)

    @cached_property
    def unknowns(self) -> dict[str, tuple[str, tuple[Rel, ...]]]:
        """The integers that questions ask for."""
        return unknowns(self.problem)

    def read(self, text: str, formula: bool = False) -> Document:
        """The claims of a document, or of one formula, in the names of the problem."""
        vocabulary = self.bench.names.vocabulary
        return read_formula(text, vocabulary) if formula else read_document(text, vocabulary)

    def mark(self, document: Document) -> list[Judged]:
        """The verdicts on everything a document claims, in the order of writing."""
        return _Marking(self, document).run()


@dataclass(eq=False)
class _Marking:
    """The state of marking one document."""

    marker: Marker
    document: Document
    notation: Notation = field(default_factory=Notation)
    shapes: Shapes = field(default_factory=Shapes)
    settings: dict[str, Fraction] = field(default_factory=dict)
    heading: int = 0
    headings: list[int] = field(default_factory=list)
    done: dict[int, Judgement] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    fixed: dict[Tree, Tree] = field(default_factory=dict)
    formulas: dict[str, Call] = field(default_factory=dict)
    indices: set[str] = field(default_factory=set)
    early: Notation = field(default_factory=Notation)
    anew: dict[int, dict[str, list[Defined | Adjoint]]] = field(default_factory=dict)
    wrong: list[tuple[Tree, Tree, int]] = field(default_factory=list)
    scalars: bool = True
    bench: Bench = field(init=False)
    wide: Bench = field(init=False)
    defined_under: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bench = self.wide = self.marker.bench
        self.headings = [found.start() for found in _HEADING.finditer(self.document.source.text)]

    def run(self) -> list[Judged]:
        """Every claim and everything unread, in the order of writing."""
        claims = tuple(self.labelled(c) for c in self.document.claims)
        self.document = replace(self.document, claims=claims)
        self.scalars = not any(
            has_derivative(c.left) and speaks_matrices(c.right)
            for c in claims
            if c.left is not None and c.kind == "equation"
        )
        self.take_names(claims)
        items: list[tuple[int, int, Claim | Unread]] = [(c.place.resolved().start, k, c) for k, c in enumerate(claims)]
        items += [(u.place.resolved().start, -1, u) for u in self.document.unread]
        out: list[Judged] = []
        for _, k, item in sorted(items, key=lambda row: (row[0], row[1])):
            judgement = self.claim(item, k) if isinstance(item, Claim) else self.unread(item)
            out.append(self.judged(item, judgement))
        return with_points(self.marker.problem, out)

    def enter(self, heading: int) -> None:
        """Go on under another heading: what is defined anew there is forgotten, and what was supposed for a while."""
        self.heading, self.settings = heading, {}
        for name, meanings in self.anew.get(heading, {}).items():
            if not any(isinstance(m, Adjoint) for m in self.notation.names.get(name, ())):
                self.notation.names.pop(name, None)
                self.early.names[name] = list(meanings)

    def suppose(self, claim: Claim, meaning: Defined) -> None:
        """Note a definition, for what stands before it under the same heading, and where there is no other."""
        heading = bisect_right(self.headings, claim.place.resolved().start)
        self.anew.setdefault(heading, {}).setdefault(meaning.name, []).append(meaning)
        if (
            meaning.name not in self.early.names
            or self.anew[heading][meaning.name][0] in self.early.names[meaning.name]
        ):
            self.early.define(meaning)

    def take_names(self, claims: Sequence[Claim]) -> None:
        """Learn the names that the writer gives, also those explained behind their use: `…, where D_t = …`."""
        known = self.bench.names
        indices = self.indices = _index_names(claims)
        self.take_adjoints(claims)
        for claim in claims:
            base = claim.left.base if isinstance(claim.left, Subscript) else claim.left
            if claim.previous is not None or claim.kind not in ("equation", "definition") or not isinstance(base, Name):
                continue
            if base.id in self.notation.names:
                continue
            if (
                claim.relation != "="
                or base.id in known.values()
                or base.id in known.functions
                or base.id in known.densities
            ):
                continue
            if (
                base.id in known.indices
                or base.id in indices
                or (isinstance(claim.left, Subscript) and not isinstance(claim.left.base, Name))
            ):
                continue
            pattern = claim.left.items if isinstance(claim.left, Subscript) else ()
            body = self.last_number(claims, claim)
            bench = (
                None
                if body is not None
                else self.marker.extensions.of(self.wide, base.id, pattern, claim.right, self.notation)
            )
            if bench is not None:
                self.wide = bench
                self.own.add(base.id)
            else:
                self.suppose(claim, Defined(base.id, pattern, body or claim.right))

    def take_adjoints(self, claims: Sequence[Claim]) -> None:
        """Learn what δh stands for, where h is a quantity and the model has a loss: ∂L/∂h."""
        for claim in claims:
            for side in (claim.left, claim.right):
                for x in walk(side) if side is not None else ():
                    if isinstance(x, Name) and x.id.startswith(("δ", "d")) and x.id not in self.notation.names:
                        adjoint = customary_adjoint(self.marker.bench, x)
                        if adjoint is not None and self.is_bare(claims, x.id, adjoint.family):
                            self.notation.define(adjoint)

    def is_bare(self, claims: Sequence[Claim], name: str, family: str) -> bool:
        """Whether a name bears as many subscripts as the family whose adjoint it may be."""
        arity = self.marker.bench.names.families[family].arity
        left = [c.left for c in claims if c.left is not None]
        given = {len(x.items) for x in left if isinstance(x, Subscript) and _base_name(x) == name}
        given |= {0 for x in left if isinstance(x, Name) and x.id == name}
        return not given or given == {arity}

    def labelled(self, claim: Claim) -> Claim:
        """The claim with labels as parts of names: δa_{o,t} is the name δa_o at t, where o is a quantity."""
        known = self.marker.bench.names
        found: dict[Tree, Tree] = {}
        for side in (claim.left, claim.right):
            for x in walk(side) if side is not None else ():
                if isinstance(x, Subscript) and isinstance(x.base, Name) and x.base.id not in known.values():
                    label = x.items[0]
                    if len(x.items) > 1 and isinstance(label, Name) and label.id in known.families:
                        base = Name(f"{x.base.id}_{label.id}", place=x.base.place)
                        found[x] = Subscript(base, x.items[1:], place=x.place)
        if not found:
            return claim
        left = None if claim.left is None else put_trees(claim.left, found)
        return replace(claim, left=left, right=put_trees(claim.right, found))

    def last_number(self, claims: Sequence[Claim], first: Claim) -> Tree | None:
        """The number at the end of a chain, A = B = 0, which every writer's name in it stands for; None without one."""
        chain = [first]
        at = next(k for k, c in enumerate(claims) if c is first)
        for claim in claims[at + 1 :]:
            if claim.previous is None or claims[claim.previous] is not chain[-1]:
                break
            chain.append(claim)
        last = chain[-1].right
        if len(chain) < 2 or not isinstance(last, Number):
            return None
        for claim in chain[:-1]:
            base, items = _own_parts(claim.right)
            if base is not None and base not in self.bench.names.families:
                self.suppose(claim, Defined(base, items, last))
        return last

    def bench_for(self, *trees: Tree | None) -> Bench:
        """The bench on which what is written has a meaning: the model, with the writer's nodes where they are named."""
        for tree in trees:
            if tree is not None and any(isinstance(x, Name) and x.id in self.own for x in walk(tree)):
                return self.wide
        return self.marker.bench

    # Claims

    def claim(self, claim: Claim, index: int) -> Judgement:
        """The verdict on one claim; a fault of ours leaves it unjudged."""
        heading = bisect_right(self.headings, claim.place.resolved().start)
        if heading != self.heading:
            self.enter(heading)
        try:
            judgement = self.decided(claim)
        except (SymgradError, ShapeError, Unclear, Misfit, Outside) as error:
            message = error.message if isinstance(error, SymgradError) else str(error)
            judgement = Judgement(w.UNJUDGED, message or "it has no value")
        except Exception as error:  # one line's fault, even ours, must not cost a writer the marks for the others
            judgement = Judgement(w.UNJUDGED, f"symgrad cannot judge this: {error}")
        judgement = self.beside_previous(claim, judgement)
        self.done[index] = judgement
        return judgement

    def decided(self, claim: Claim) -> Judgement:
        """The verdict on one claim by itself."""
        condition = self.condition(claim)
        if condition is not None:
            return condition
        if claim.kind == "shape" and isinstance(claim.right, ListTree):
            return self.shapes.judge(self.bench, claim.left, claim.right, self.notation)
        if claim.kind == "inequality":
            return Judgement(w.UNJUDGED, "an inequality")
        fixed = self.by_fixed(claim)
        if fixed is not None:
            return fixed
        by_value = self.by_value(claim)
        if by_value is not None:
            return by_value
        left = self.left_of(claim)
        if left is None:
            return Judgement(w.UNJUDGED, "it is not said what this is")
        if isinstance(left, Name) and left.id in self.indices and left.id not in self.bench.names.families:
            return Judgement(w.DEFINITION, f"it fixes {left.id}")
        equation = Equation(left, claim.right, self.settings, claim.relation == "≈", self.scalars)
        self.bench = self.bench_for(left, claim.right)
        judgement = self.judge(equation)
        judgement = self.named_at_end(claim, left, judgement)
        if _base_name(left) in self.own and claim.previous is None and judgement.good:
            judgement = Judgement(w.DEFINITION, f"{_base_name(left)} is the writer's own name")
        self.note_setting(claim, judgement)
        self.note_formula(claim, left, judgement)
        if judgement.verdict in (w.WRONG, w.SHAPE_ERROR, w.AS_SCALARS):
            judgement = self.diagnosed(left, claim, judgement)
        return judgement

    def left_of(self, claim: Claim) -> Tree | None:
        """What a claim is about: its left side, behind an approximation the side before it, or what is asked for."""
        before = claim
        while before.previous is not None:
            before = self.document.claims[before.previous]
            if before.relation == "≈":
                assert claim.previous is not None
                return self.document.claims[claim.previous].right
        return claim.left if claim.left is not None else self.asked(claim)

    def named_at_end(self, claim: Claim, left: Tree, judgement: Judgement) -> Judgement:
        """A definition where a line ends in a name that is new, or was defined under another heading: `… = δ_2`."""
        base, items = _own_parts(claim.right)
        if base is None or base in self.bench.names.values() or judgement.verdict in w.GOOD:
            return judgement
        if claim.previous is None or self.defined_under.get(base) == self.heading:
            return judgement
        if judgement.verdict == w.UNJUDGED and base in self.notation.names:
            return judgement
        self.notation.define(Defined(base, items, left))
        self.defined_under[base] = self.heading
        return Judgement(w.DEFINITION, f"{base} is the writer's own name")

    def judge(self, equation: Equation) -> Judgement:
        """The verdict on an equation; names that are explained only later are tried where it has none without them."""
        judgement = judge(self.bench, equation, self.notation)
        if judgement.verdict != w.UNJUDGED or not self.early.names:
            return judgement
        notation = self.notation.copy()
        for name, meanings in self.early.names.items():
            if name not in notation.names:
                notation.names[name] = list(meanings)
        again = judge(self.bench, equation, notation)
        if again.verdict in (w.UNJUDGED, w.DEFINITION):
            return judgement
        self.notation = notation
        return again

    def condition(self, claim: Claim) -> Judgement | None:
        """The verdict on a condition on an integer that is asked for; None for any other claim."""
        if claim.kind == "shape":
            return None
        tree = claim.right
        if claim.left is not None:
            op = "==" if claim.relation in ("=", "≈") else claim.relation
            tree = Compare((op,), (claim.left, claim.right), place=claim.right.place)
        if not isinstance(tree, Compare):
            return None
        unknown = cond.unknown_in(self.bench, tree, self.marker.unknowns)
        if unknown is None:
            return None
        question, conditions = self.marker.unknowns[unknown]
        judgement = cond.judge(self.bench, tree, unknown, conditions)
        return None if judgement is None else replace(judgement, question=question)

    def note_formula(self, claim: Claim, left: Tree, judgement: Judgement) -> None:
        """Remember what the writer puts in for an input or a state, and how a quantity is made from them."""
        if (
            judgement.verdict == w.DEFINITION
            and isinstance(left, Subscript)
            and _base_name(left) in self.bench.names.families
        ) or (judgement.verdict == w.UNJUDGED and f"it fixes {_base_name(left)} for one" in judgement.reason):
            self.fixed[left] = claim.right
        elif judgement.good and isinstance(claim.right, Call):
            self.formulas[claim.right.func.id] = claim.right

    def by_fixed(self, claim: Claim) -> Judgement | None:
        """The verdict on a value σ(…) of a formula of the answer, at the inputs that were put in; None otherwise."""
        value = claim.right
        if claim.kind != "value" or not isinstance(value, Call) or len(value.args) != 1 or not self.fixed:
            return None
        repeated = next((r for _, r, _ in self.wrong if r == value), None)
        if repeated is not None:
            return Judgement(w.CARRIED, "it repeats a wrong value")
        formula = self.formulas.get(value.func.id)
        if formula is None or len(formula.args) != 1:
            return None
        inside = put_trees(formula.args[0], self.fixed)
        if inside is formula.args[0]:
            return None
        judgement = judge(self.bench, Equation(inside, value.args[0]), self.notation.copy())
        if judgement.verdict not in (w.RIGHT, w.WRONG):
            return None
        said = " and ".join(f"{a.place.text} = {b.place.text}" for a, b in self.fixed.items())
        reason = f"with {said}; before {value.func.id}, {judgement.reason}" if judgement.reason else f"with {said}"
        return replace(judgement, reason=reason)

    def by_value(self, claim: Claim) -> Judgement | None:
        """The verdict on a number without a left side, or of a quantity only a question knows; None otherwise."""
        own = claim.left.id if isinstance(claim.left, Name) else None
        precise = own is not None and _AVERAGE_PRECISION.match(own) and own not in self.bench.names.families
        if claim.left is not None and not precise:
            return None
        asked = [a for a in self.marker.answers if claim.question in (None, a.question)]
        if precise:
            asked = [a for a in asked if a.ask == "average_precision"]
        if not asked:
            return None if precise else Judgement(w.UNJUDGED, "no question asks for a number")
        given = self.number(claim.right)
        if given is None:
            return None if precise else Judgement(w.UNJUDGED, "it is not said what this is")
        decimals = len(claim.right.spelling.partition(".")[2]) if isinstance(claim.right, Number) else 0
        for answer in asked:
            if answer.value == given or flat(answer.value) == (given if isinstance(given, tuple) else (given,)):
                return Judgement(w.RIGHT, f"the answer to {answer.question}", question=answer.question)
        for answer in asked:
            if not (decimals and isinstance(answer.value, Fraction) and isinstance(given, Fraction)):
                continue
            if abs(answer.value - given) <= Fraction(1, 2 * 10**decimals):
                return Judgement(w.TO_PRECISION, f"right to {decimals} decimals: the answer is {answer.value}")
        if claim.question is not None or precise:
            shown = " or ".join(_shown(a.value) for a in asked)
            return Judgement(w.WRONG, f"the answer is {shown}")
        return Judgement(w.UNJUDGED, "no question has this number as its answer")

    def number(self, tree: Tree) -> Fraction | tuple[Fraction, ...] | None:
        """The number or the sizes that a tree without names states."""
        numbers = stated(tree)
        if numbers is not None:
            return flat(numbers) if isinstance(numbers, tuple) else numbers
        kinds, loose = open_names((tree,), self.bench.names, self.notation)
        if kinds or any(n.id not in self.notation.names for n in loose):
            return None
        try:
            return Meaning(self.bench.worlds[0], PLAIN, self.bench.names, self.notation).value(tree, {}).exact
        except (Unclear, Misfit, Outside):
            return None

    def asked(self, claim: Claim) -> Tree | None:
        """The left side that a question gives to a claim without one."""
        if claim.question is None or claim.question not in self.marker.problem.ids:
            return None
        question = self.marker.problem.question(claim.question)
        wrt = question.several("wrt")
        if not question.several("of"):
            return None
        of = question.of.tree
        if question.ask == "derivative" and len(wrt) == 1:
            return Call(Name("jacobian", place=of.place), (of, wrt[0].tree), (), place=of.place)
        return of if question.ask in ("evaluate",) else None

    def note_setting(self, claim: Claim, judgement: Judgement) -> None:
        """Remember a number that the writer gives to a scalar input, `γ = 0`."""
        if (
            judgement.verdict != w.DEFINITION
            or not isinstance(claim.left, Name)
            or claim.left.id not in self.bench.names.families
        ):
            return
        value = self.number(claim.right)
        if isinstance(value, Fraction):
            self.settings[claim.left.id] = value

    # What is wrong

    def diagnosed(self, left: Tree, claim: Claim, judgement: Judgement) -> Judgement:
        """The judgement with the one edit that makes the line right."""
        scalar = judgement.verdict == w.WRONG and judgement.trial is not None and self.in_scalars(judgement)
        kinds, loose = open_names((left, claim.right), self.bench.names, self.notation)
        if loose:
            return judgement
        target = adjoint_derivative(left, self.notation)
        near = [c.right for c in self.near(claim)]
        partly = judgement.verdict == w.AS_SCALARS
        found = self.marker.doctor(self.bench).diagnosed(target, claim.right, kinds, self.notation, False, near, partly)
        if found is None and scalar:
            found = self.marker.doctor(self.bench).diagnosed(target, claim.right, kinds, self.notation, True, near)
        if found is None:
            return judgement
        return replace(judgement, diagnosis=f"{found.slip}: {found.said}", correction=found.text)

    def in_scalars(self, judgement: Judgement) -> bool:
        """Whether a line was found wrong where every quantity is a number."""
        failure = judgement.trial.failure if judgement.trial is not None else None
        return failure is not None and failure.point is not None and failure.point.world.scalars

    def near(self, claim: Claim) -> list[Claim]:
        """The claims that this one continues."""
        found: list[Claim] = []
        while claim.previous is not None and len(found) < _MOST_NEAR:
            claim = self.document.claims[claim.previous]
            found.append(claim)
        return found

    def beside_previous(self, claim: Claim, judgement: Judgement) -> Judgement:
        """The judgement with what the line before says: an error carried forward, or a line that does not follow."""
        before = self.done.get(claim.previous) if claim.previous is not None else None
        if judgement.verdict in (w.WRONG, w.SHAPE_ERROR):
            if before is not None and before.verdict in w.BAD and self.follows(claim):
                return replace(
                    judgement,
                    verdict=w.CARRIED,
                    reason="it follows from the wrong line before",
                    diagnosis="",
                    correction="",
                )
            source = self.carried(claim)
            if source is not None:
                line = self.document.claims[source].place.line
                return replace(
                    judgement,
                    verdict=w.CARRIED,
                    reason=f"it follows from the wrong line {line}",
                    diagnosis="",
                    correction="",
                )
            self.wrong.append((claim.left or claim.right, claim.right, self.document.claims.index(claim)))
        elif judgement.verdict in w.GOOD and before is not None and before.verdict in w.BAD:
            said = "it does not follow from the line before, which is wrong"
            return replace(judgement, reason="; ".join(filter(None, (judgement.reason, said))))
        return judgement

    def follows(self, claim: Claim) -> bool:
        """Whether a line says the same as the one before it."""
        assert claim.previous is not None
        before = self.document.claims[claim.previous].right
        self.bench = self.bench_for(before, claim.right)
        kinds, loose = open_names((before, claim.right), self.bench.names, self.notation)
        if loose:
            return False
        scalar = scalar_trial(self.bench, before, claim.right, kinds, self.notation) if self.scalars else None
        if scalar is not None:
            return True
        return judge(self.bench, Equation(before, claim.right, scalars=False), self.notation.copy()).verdict in w.GOOD

    def carried(self, claim: Claim) -> int | None:
        """The wrong line whose result this one uses: put right there, it is right here."""
        for left, right, index in reversed(self.wrong[-_MOST_NEAR:]):
            if claim.left is None or left == claim.left:
                continue
            mended = substituted(claim.right, right, left)
            if mended is None:
                continue
            equation = Equation(claim.left, mended, self.settings, False, self.scalars)
            if judge(self.bench, equation, self.notation.copy()).verdict in w.GOOD:
                return index
        return None

    # What is unread

    def unread(self, item: Unread) -> Judgement:
        """The verdict on what cannot be read: right if a fault is mended, else unread."""
        for offer in item.offers:
            if offer.left is None and offer.kind != "value":
                continue
            judgement = self.decided(offer)
            if judgement.verdict in w.GOOD:
                reason = "; ".join(filter(None, (f"right if {offer.repaired}", judgement.reason)))
                return Judgement(w.RIGHT_IF, reason, trial=judgement.trial)
        return Judgement(w.UNREAD, item.reason)

    # Results

    def judged(self, item: Claim | Unread, judgement: Judgement) -> Judged:
        """The verdict with its place, and what it is about."""
        left = item.left if isinstance(item, Claim) else (item.offers[0].left if item.offers else None)
        question = item.question or judgement.question
        if question is None and left is not None:
            question = self.question_of(left)
        place = item.place
        text = left.place.text if left is not None else ""
        return Judged(
            place, place, item.latex, text, question, self.marker.problem.name, judgement.verdict, judgement.reason,
            judgement.diagnosis, judgement.correction, judgement.counterexample, None,
            judgement.sure and self.knows(item),
        )  # fmt: skip

    def knows(self, item: Claim | Unread) -> bool:
        """Whether a statement has names of the problem in it, or none at all."""
        if isinstance(item, Unread):
            return True
        inside = [
            x.id for side in (item.left, item.right) if side is not None for x in walk(side) if isinstance(x, Name)
        ]
        called = {x.func.id for s in (item.left, item.right) if s is not None for x in walk(s) if isinstance(x, Call)}
        own = set(inside) - called
        known = self.marker.bench.names
        return own <= known.sizes.keys() or any(
            x in known.families or x in known.functions or x in known.densities or declared_as(self.marker.bench, x)
            for x in own
        )

    def question_of(self, left: Tree) -> str | None:
        """The question whose quantity a left side is."""
        key = self.key(left)
        return self.keys.get(key) if key is not None else None

    @cached_property
    def keys(self) -> dict[tuple[object, ...], str]:
        """The questions by what they ask for, the first of each."""
        found: dict[tuple[object, ...], str] = {}
        for q in self.marker.problem.questions:
            for of in q.several("of"):
                wrts = q.several("wrt") or (None,)
                for wrt in wrts:
                    tree = of.tree
                    if wrt is not None:
                        tree = Call(Name("jacobian", place=of.place), (of.tree, wrt.tree), (), place=of.place)
                    key = self.key(tree)
                    if key is not None:
                        found.setdefault(key, q.id)
        return found

    def key(self, tree: Tree) -> tuple[object, ...] | None:
        """What a quantity is, whatever it is called: the nodes of the model at one step."""
        tree = adjoint_derivative(tree, self.notation)
        if isinstance(tree, Call) and tree.func.id == "jacobian":
            inner = [self.key(x) for x in tree.args]
            return None if None in inner else ("d", *inner)
        if not isinstance(tree, Name | Subscript):
            return None
        kinds, _ = open_names((tree,), self.bench.names, self.notation)
        meaning = Meaning(self.bench.worlds[0], PLAIN, self.bench.names, self.notation)
        ints = dict.fromkeys(kinds, 2)
        try:
            node: Expr | None = node_of(meaning, tree, ints)
        except (Outside, Unclear, Misfit):
            return None
        return None if node is None else (node, tuple(sorted(kinds)))


def _index_names(claims: Sequence[Claim]) -> set[str]:
    """The names that stand among subscripts somewhere in a document."""
    found: set[str] = set()
    for claim in claims:
        for tree in (claim.left, claim.right):
            for node in walk(tree) if tree is not None else ():
                if isinstance(node, Subscript):
                    found |= {x.id for item in node.items for x in walk(item) if isinstance(x, Name)}
    return found


def _own_parts(tree: Tree) -> tuple[str | None, tuple[Tree, ...]]:
    """A name with its subscripts; None for anything else."""
    match tree:
        case Name(name):
            return name, ()
        case Subscript(Name(name), items):
            return name, items
    return None, ()


def _base_name(tree: Tree) -> str:
    """The name at the bottom of a name with subscripts."""
    while isinstance(tree, Subscript):
        tree = tree.base
    return tree.id if isinstance(tree, Name) else ""


def _shown(value: object) -> str:
    return " × ".join(map(_shown, value)) if isinstance(value, tuple) else str(value)


def substituted(tree: Tree, old: Tree, new: Tree) -> Tree | None:
    """The tree with another in place of a part, also of some factors of a product; None where it does not occur."""
    if tree == old:
        return new
    if isinstance(tree, Binary) and tree.op in PRODUCTS:
        row, signs = factors(tree), operators(tree)
        inner = factors(old)
        for k in range(len(row) - len(inner) + 1):
            if len(inner) > 1 and row[k : k + len(inner)] == inner:
                kept = [*row[:k], new, *row[k + len(inner) :]]
                left_signs = [*signs[:k], *signs[k + len(inner) - 1 :]]
                return _product(kept, left_signs)
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


def with_points(problem: Problem, judged: Sequence[Judged]) -> list[Judged]:
    """The verdicts with points: those of a question shared among its lines; a wrong line loses its share, once."""
    points = {q.id: q.points for q in problem.questions if q.points is not None}
    counted: dict[str, int] = {}
    for x in judged:
        if x.question in points and (x.good or x.bad):
            counted[str(x.question)] = counted.get(str(x.question), 0) + 1
    out: list[Judged] = []
    for x in judged:
        if x.question in points and (x.good or x.bad):
            share = points[x.question] / counted[x.question]
            out.append(replace(x, points=share if x.good or x.verdict == w.CARRIED else Fraction(0)))
        else:
            out.append(x)
    return out


def marks(place: Place) -> tuple[int, int]:
    """Where a place is in its file."""
    found = place.resolved()
    return found.start, found.end
