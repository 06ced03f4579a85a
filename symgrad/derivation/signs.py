"""What can be said of the sign of an expression from what is known of its parts."""

from symgrad.tensor import build as b
from symgrad.tensor.facts import ends
from symgrad.tensor.integers import lifted
from symgrad.tensor.nodes import Add, Apply, Call, Const, Count, Expr, Fold, MatMul, Mul, Pow, Reduce, Transpose, Var


def sign(x: Expr) -> int:
    """1 where x is certain to be positive, −1 negative, else 0."""
    value = b.number_of(x)
    if value is not None:
        return (value > 0) - (value < 0)
    match x:
        case Const(name=name):
            return int(name in ("inf", "pi", "e"))
        case Add(args=args):
            signs = {sign(a) for a in args}
            return signs.pop() if len(signs) == 1 else 0
        case Var(facts=facts):
            low, high = ends(facts)
            above = bool(facts & {"positive", "probability"}) or (low is not None and low > 0)
            return int(above) - int(high is not None and high < 0)
        case Count(value=value):
            return int(lifted(value).is_positive is True)
        case Mul(args=args):
            product = 1
            for a in args:
                product *= sign(a)
            return product
        case Pow(base=base):
            return int(sign(base) == 1)
        case Apply(fn="exp" | "softplus" | "sigmoid"):
            return 1
        case Apply(fn="abs", args=(inside,)):
            return abs(sign(inside))
        case Apply(fn="relu" | "sqrt" | "tanh" | "sign" | "erf", args=(inside,)):
            return max(sign(inside), 0) if x.fn in ("relu", "sqrt") else sign(inside)
    return 0


def never_negative(x: Expr) -> bool:
    """Whether every entry is certain to be 0 or more."""
    value = b.number_of(x)
    if value is not None:
        return value >= 0
    match x:
        case Var(facts=facts):
            low, _ = ends(facts)
            return bool(facts & {"positive", "probability", "one-hot", "density"}) or (low is not None and low >= 0)
        case Apply(fn=fn, args=args):
            return fn in ("exp", "relu", "abs", "sqrt", "softplus", "sigmoid") or (
                fn == "max" and any(never_negative(a) for a in args)
            )
        case Call(fn=fn):
            return fn in ("norm", "spectral_norm", "softmax", "one_hot")
        case Pow(base=base, exponent=e):
            power = b.number_of(e)
            return (power is not None and power.denominator == 1 and power % 2 == 0) or never_negative(base)
        case Add(args=args):
            return all(never_negative(a) for a in args) or _rest_of_one(args)
        case Mul(args=args):
            falling = [a for a in args if not never_negative(a)]
            return len(falling) % 2 == 0 and all(never_positive(a) for a in falling)
        case Reduce(op=op, arg=arg):
            return op != "argmax" and never_negative(arg)
        case Fold(body=body):
            return never_negative(body)
        case MatMul(args=args) if not x.order:
            return _is_square(args)
        case Transpose(arg=arg):
            return never_negative(arg)
    return sign(x) > 0


def _is_square(args: tuple[Expr, ...]) -> bool:
    """Whether a product is vᵀ A₁ᵀ … A₁ v, with a positive-definite matrix or nothing in the middle."""
    half = len(args) // 2
    middle = args[half]
    if len(args) % 2 and not (isinstance(middle, Var) and "positive-definite" in middle.facts):
        return False
    return all(b.transpose(first) is last for first, last in zip(args[:half], args[::-1], strict=False))


def never_positive(x: Expr) -> bool:
    """Whether every entry is certain to be 0 or less."""
    value = b.number_of(x)
    if value is not None:
        return value <= 0
    high = ends(x.facts)[1] if isinstance(x, Var) else None
    return sign(x) < 0 if high is None else high <= 0


def _rest_of_one(args: tuple[Expr, ...]) -> bool:
    """Whether a sum is 1 − p for a p between 0 and 1."""
    numbers = [b.number_of(a) for a in args]
    others = [b.neg(a) for a, n in zip(args, numbers, strict=True) if n is None]
    if len(others) != 1 or sum(n for n in numbers if n is not None) != 1:
        return False
    return probable(others[0])


def probable(x: Expr) -> bool:
    """Whether every entry lies between 0 and 1."""
    match x:
        case Var(facts=facts):
            low, high = ends(facts)
            within = low is not None and high is not None and low >= 0 and high <= 1
            return bool(facts & {"probability", "one-hot"}) or within
        case Apply(fn=fn):
            return fn == "sigmoid"
        case Call(fn=fn):
            return fn in ("softmax", "one_hot")
        case Add(args=args):
            return _rest_of_one(args)
    return False
