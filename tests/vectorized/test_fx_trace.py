"""What is written down is the function: same values, for every shape, with every other number."""

import torch

from bench.vectorized.fx_trace import TracedFunction, structure


def penalised(weights, inputs, power):
    """Mean of |grad f|^p with f(x) = tanh(x . w)."""
    slopes = torch.func.grad(lambda x: (x @ weights).tanh().sum())(inputs)
    return slopes.square().sum(1).pow(power / 2).mean()


def test_a_traced_function_follows_its_arguments_and_their_shapes(generator):
    mapped = torch.vmap(torch.func.grad_and_value(penalised))
    traced = TracedFunction(mapped)
    for rows in (5, 5, 8):
        weights = torch.randn(3, 2, 4, generator=generator, dtype=torch.float64)
        inputs = torch.randn(3, rows, 2, generator=generator, dtype=torch.float64)
        powers = torch.rand(3, generator=generator, dtype=torch.float64) + 1
        for found, wanted in zip(
            traced(weights, inputs, powers), mapped(weights, inputs, powers), strict=True
        ):
            assert torch.equal(found, wanted) and not found.requires_grad
    assert len(traced.graphs) == 2


def test_steps_that_do_nothing_are_left_out():
    def turned(x):
        return x.view(2, 3).expand(2, 3).transpose(0, 1).transpose(0, 1) + x.transpose(0, 1).sum()

    traced, x = TracedFunction(turned), torch.arange(6.0).reshape(2, 3)
    assert torch.equal(traced(x), x + 15)
    (graph,) = traced.graphs.values()
    names = [node.target.__name__ for node in graph.graph.nodes if node.op == "call_function"]
    assert sorted(names) == ["add.Tensor", "sum.default", "transpose.int"]


def test_arguments_of_other_names_are_traced_anew():
    """With shapes alone as the key, {"r2": x} would run the graph of {"r1": x}."""

    def double_or_square(terms):
        ((name, x),) = terms.items()
        return 2 * x if name == "r1" else x.square()

    traced = TracedFunction(double_or_square)
    x = torch.tensor([1.0, 3.0])
    assert traced({"r1": x}).tolist() == [2.0, 6.0]
    assert traced({"r2": x}).tolist() == [1.0, 9.0]
    assert traced({"r1": x + 1}).tolist() == [4.0, 8.0]
    assert len(traced.graphs) == 2
    assert structure([x, {"a": (x, None)}]) == ((2,), (("a", ((2,), None)),))
