"""Sums of products over labelled axes, written as ``@`` where two matrices allow it and as einsum elsewhere."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from msgspec import Struct

from symgrad.codegen.text import ATOM, PRODUCT, Code, transposed, widened

Label: TypeAlias = object


class Factor(Struct, frozen=True):
    """An array with a label for each of its axes; a label that occurs twice among factors runs along both."""

    code: Code
    labels: tuple[Label, ...]


def contract(factors: Sequence[Factor], out: tuple[Label, ...]) -> Code:
    """The array over the labels ``out`` of the product of the factors, summed over all other labels."""
    scalars = [f for f in factors if not f.labels]
    arrays = [f for f in factors if f.labels]
    if len(arrays) > 1:
        arrays = [_summed(f, [g for g in arrays if g is not f], out) for f in arrays]
    scalars += [f for f in arrays if not f.labels]
    arrays = [f for f in arrays if f.labels]
    made = _arrays(_merged(arrays), out)
    if not scalars:
        return made
    texts = [f.code.factor for f in scalars]
    if arrays:
        texts.append(made.factor)
    return Code(" * ".join(texts), scalars[0].code.level if len(texts) == 1 else PRODUCT)


def _merged(arrays: list[Factor]) -> list[Factor]:
    """The factors with those over the same axes multiplied, where there are more than two to begin with."""
    if len(arrays) < 3:
        return arrays
    together: dict[tuple[Label, ...], list[Factor]] = {}
    for f in arrays:
        together.setdefault(f.labels, []).append(f)
    return [_product(found) for found in together.values()]


def _product(found: list[Factor]) -> Factor:
    if len(found) == 1:
        return found[0]
    codes = sorted((f.code for f in found), key=lambda c: c.boolean)
    first = _number(codes[0])
    return Factor(Code(" * ".join([first.factor, *(c.factor for c in codes[1:])]), PRODUCT), found[0].labels)


def _arrays(arrays: list[Factor], out: tuple[Label, ...]) -> Code:
    if not arrays:
        return Code("1.0")
    if len(arrays) == 1:
        return _single(arrays[0], out)
    if len(arrays) == 2:
        made = _pair(arrays[0], arrays[1], out)
        if made is not None:
            return made
    return _einsum(arrays, out)


def _summed(f: Factor, others: Sequence[Factor], out: tuple[Label, ...]) -> Factor:
    """The factor summed over labels that nothing else has."""
    alone = [k for k, x in enumerate(f.labels) if x not in out and all(x not in g.labels for g in others)]
    if not alone or len(set(f.labels)) < len(f.labels):
        return f
    number, axis = _number(f.code), _axis(alone, len(f.labels))
    if number.level == ATOM and not number.text.startswith("np."):
        text = f"{number.text}.sum({axis})"
    else:
        text = f"np.sum({number.text}{', ' if axis else ''}{axis})"
    return Factor(Code(text), tuple(x for k, x in enumerate(f.labels) if k not in alone))


def _axis(axes: list[int], order: int) -> str:
    if len(axes) == order:
        return ""
    return f"axis={axes[0]}" if len(axes) == 1 else f"axis={tuple(axes)}"


def _number(code: Code) -> Code:
    """Truth values as numbers."""
    return Code(f"np.where({code.text}, 1.0, 0.0)") if code.boolean else code


def _single(f: Factor, out: tuple[Label, ...]) -> Code:
    if len(set(f.labels)) < len(f.labels):
        return _einsum([f], out)
    kept = _summed(f, [], out)
    if kept.labels == out:
        return kept.code
    axes = [kept.labels.index(x) for x in out]
    text = kept.code.at(ATOM)
    return Code(transposed(text) if axes == [1, 0] else f"{text}.transpose({', '.join(map(str, axes))})")


def _pair(a: Factor, b: Factor, out: tuple[Label, ...]) -> Code | None:
    if len(set(a.labels)) < len(a.labels) or len(set(b.labels)) < len(b.labels):
        return None
    shared = [x for x in a.labels if x in b.labels]
    over = [x for x in shared if x not in out]
    if not over:
        return _elementwise(a, b, out)
    if a.labels == b.labels and (a.code.boolean or b.code.boolean):
        return _single(_product([a, b]), out)
    ways = ((a, b), (b, a))
    if len(over) == 1:
        made = [m for x, y in ways if (m := _matmul(x, y, over[0], out) or _stacked(x, y, over[0], out)) is not None]
        if made:
            return min(made, key=lambda m: m.text.count(".T") + m.text.count(".swapaxes"))
    if len(over) == len(shared):
        return next((m for x, y in ways if (m := _tensordot(x, y, over, out)) is not None), None)
    return None


def _elementwise(a: Factor, b: Factor, out: tuple[Label, ...]) -> Code:
    if a.labels + b.labels == out and len(a.labels) == len(b.labels) == 1:
        return Code(f"np.outer({a.code.text}, {b.code.text})")
    left, right = (_spread(f, out) for f in (a, b))
    if a.code.boolean and b.code.boolean:
        return Code(f"{left.at(PRODUCT + 1)} & {right.at(PRODUCT + 1)}", 0, boolean=True)
    return Code(f"{left.factor} * {right.factor}", PRODUCT)


def _spread(f: Factor, out: tuple[Label, ...]) -> Code:
    """The factor with its axes in the order of ``out`` and axes of length 1 for what it lacks."""
    order = [x for x in out if x in f.labels]
    code = _single(f, tuple(order))
    marks = [":" if x in f.labels else "None" for x in out]
    while marks and marks[0] == "None":
        marks.pop(0)
    while marks and marks[-1] == ":" and "None" not in marks:
        marks.pop()
    if not marks:
        return code
    return Code(widened(code, marks))


def _matmul(a: Factor, b: Factor, over: Label, out: tuple[Label, ...]) -> Code | None:
    """``a @ b`` with the summed axis last in a and first in b, either transposed where it must be."""
    rest_a = tuple(x for x in a.labels if x != over)
    rest_b = tuple(x for x in b.labels if x != over)
    if rest_a + rest_b != out or len(b.labels) > 2:
        return None
    left, right = a.code, b.code
    if a.labels[-1] != over:
        if len(a.labels) != 2:
            return None
        left = Code(transposed(left.at(ATOM)), boolean=left.boolean)
    if b.labels[0] != over:
        right = Code(transposed(right.at(ATOM)), boolean=right.boolean)
    return Code(f"{_number(left).operand} @ {_number(right).at(PRODUCT + 1)}", PRODUCT, matmul=True)


def _stacked(a: Factor, b: Factor, over: Label, out: tuple[Label, ...]) -> Code | None:
    """``a @ b`` for matrices along leading axes, which one of the two may lack."""
    if len(out) < 3 or len(a.labels) < 2 or len(b.labels) < 2:
        return None
    lead = out[:-2]
    if any(f.labels[:-2] not in ((), lead) for f in (a, b)):
        return None
    rows, columns = set(a.labels[-2:]), set(b.labels[-2:])
    if rows != {out[-2], over} or columns != {over, out[-1]}:
        return None
    left = a.code if a.labels[-1] == over else _swapped(a)
    right = b.code if b.labels[-2] == over else _swapped(b)
    return Code(f"{_number(left).operand} @ {_number(right).at(PRODUCT + 1)}", PRODUCT, matmul=True)


def _swapped(f: Factor) -> Code:
    n = len(f.labels)
    text = f.code.at(ATOM)
    return Code(transposed(text) if n == 2 else f"{text}.swapaxes({n - 2}, {n - 1})", boolean=f.code.boolean)


def _tensordot(a: Factor, b: Factor, over: Sequence[Label], out: tuple[Label, ...]) -> Code | None:
    """The product summed over all shared axes, where the others of a come before those of b."""
    if (*(x for x in a.labels if x not in over), *(x for x in b.labels if x not in over)) != out:
        return None
    axes = [tuple(f.labels.index(x) for x in over) for f in (a, b)]
    n = len(over)
    if axes == [tuple(range(len(a.labels) - n, len(a.labels))), tuple(range(n))]:
        shown = str(n)
    else:
        shown = str(tuple(x[0] if n == 1 else x for x in axes))
    return Code(f"np.tensordot({_number(a.code).text}, {_number(b.code).text}, {shown})")


def _einsum(arrays: Sequence[Factor], out: tuple[Label, ...]) -> Code:
    letters: dict[Label, str] = {}
    for f in arrays:
        for x in f.labels:
            if x not in letters:
                letters[x] = _letter(x, letters.values())
    inputs = ",".join("".join(letters[x] for x in f.labels) for f in arrays)
    result = "".join(letters[x] for x in out)
    operands = ", ".join(_number(f.code).text for f in arrays)
    many = len(arrays) > 2 or len(letters) > 3
    return Code(f'np.einsum("{inputs}->{result}", {operands}{", optimize=True" if many else ""})')


_LETTERS = "ijklmnopqrsuvwxyzabcdefghtABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _letter(label: Label, taken: Iterable[str]) -> str:
    used = set(taken)
    name = getattr(label, "name", "")
    if len(name) == 1 and name.isascii() and name.isalpha() and name not in used:
        return str(name)
    return next(c for c in _LETTERS if c not in used)
