"""The settings of convolutions and pooling: stride 2, padding 1×0; as problems write them, stride=2, padding=[1, 0]."""

from symgrad.notation.integers import integer_source
from symgrad.tensor.functions.layers import AXES, setting
from symgrad.tensor.integers import Int, symbols_of
from symgrad.tensor.nodes import Call

_USUAL = {"stride": "1", "padding": "0", "dilation": "1", "output_padding": "0"}


def _settings(expr: Call) -> dict[str, tuple[Int, ...]]:
    """The settings that are not what they are when nothing is said; the window of a pooling first."""
    names = dict(expr.params)
    usual = dict(_USUAL)
    found = {}
    if "kernel0" in names:
        found["kernel"] = setting(expr, "kernel")
        usual["stride"] = _list(found["kernel"])
    for name, value in usual.items():
        if f"{name}0" in names and _list(setting(expr, name)) != value:
            found[name] = setting(expr, name)
    if names.get("groups", 1) != 1:
        found["groups"] = (names["groups"],)
    return found


def _list(values: tuple[Int, ...]) -> str:
    texts = [integer_source(v) for v in values]
    return texts[0] if len(set(texts)) == 1 else f"[{', '.join(texts)}]"


def _sides(values: tuple[Int, ...]) -> str:
    texts = [integer_source(v) for v in values]
    return texts[0] if len(set(texts)) == 1 else "×".join(texts)


def settings_in_words(expr: Call) -> str:
    """What stands at a layer's name: stride 2, padding 1×0; the output's size where that settles a padding."""
    words = []
    for name, values in _settings(expr).items():
        if name == "kernel":
            words.append(_sides(values))
        elif name == "groups":
            words.append(f"{_sides(values)} groups")
        elif name == "output_padding" and any(symbols_of(v) for v in values):
            words.append(f"to {_sides(expr.shape[expr.order - AXES[expr.fn] :])}")
        else:
            words.append(f"{name.replace('_', ' ')} {_sides(values)}")
    return ", ".join(words)


def layer_arguments(expr: Call, operands: list[str]) -> list[str]:
    """Operands and settings as problems write them: x, W, bias=b, stride=2."""
    out = operands[:2]
    settings = _settings(expr)
    if "kernel" in settings:
        out.append(_list(settings.pop("kernel")))
    out += [f"bias={a}" for a in operands[2:]]
    return [*out, *(f"{name}={_list(values)}" for name, values in settings.items())]
