"""A short plain spelling of a node for messages."""

from symgrad.tensor.nodes import Deriv, Expr, Var


def describe_node(x: Expr) -> str:
    """A named node as h[t-1], a derivative as ∂E/∂h, anything else by its kind."""
    match x:
        case Var(name=name, subs=subs):
            return f"{name}[{', '.join(str(s) for s in subs)}]" if subs else name
        case Deriv(of=of, wrt=wrt):
            return f"∂{describe_node(of)}/∂{describe_node(wrt)}"
    return f"the {type(x).__name__.lower()} beside it"
