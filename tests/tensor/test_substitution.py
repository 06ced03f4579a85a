"""What is put in keeps its free indices: no sum catches them."""

from symgrad.tensor import build as b
from symgrad.tensor.integers import index_symbol, size_symbol
from symgrad.tensor.nodes import Fold
from symgrad.tensor.reindex import free_ints
from symgrad.tensor.substitution import replace_nodes

i, j = index_symbol("i"), index_symbol("j")
n = size_symbol("n")
g, x, y = (b.var(name, (), (n,)) for name in "gxy")


def test_an_index_that_arrives_is_not_caught() -> None:
    total = b.fold("sum", b.mul(b.at(g, i), b.at(x, i)), [b.binder(i, 1, n)])
    put_in = b.call("one_hot", (b.count(i),), (n,))
    made = replace_nodes(total, {g: put_in})
    assert isinstance(made, Fold)
    (bound,) = (x.symbol for x in made.binders)
    assert bound != i
    assert free_ints(made) == {i, n}
    assert made.body is b.mul(b.at(put_in, bound), b.at(x, bound))


def test_a_name_at_a_running_index_is_replaced_where_the_index_is_bound() -> None:
    state, gate = b.var("h", (i,)), b.var("q", (i,))
    total = b.fold("sum", state, [b.binder(i, 1, n)])
    assert replace_nodes(total, {state: gate}) is b.fold("sum", gate, [b.binder(i, 1, n)])


def test_only_the_sum_that_would_catch_it_is_renamed() -> None:
    total = b.fold("sum", b.at(g, j), [b.binder(j, 1, n)])
    assert replace_nodes(total, {g: b.mul(b.count(i), x)}) is b.fold(
        "sum", b.at(b.mul(b.count(i), x), j), [b.binder(j, 1, n)]
    )
