"""Trace a function of tensors with torch.fx and run the recorded operations.

`vmap`, `grad` and `functional_call` cost more than the arithmetic of a small network. A trace holds
only the operations that they lead to, and takes a third to a half of the time. It is valid for one
structure of the arguments, and for functions whose operations do not depend on values: numbers that
change from call to call must be tensors.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

ATEN = torch.ops.aten
RESHAPES = (ATEN.expand.default, ATEN.view.default, ATEN._unsafe_view.default)


class TracedFunction:
    """Trace a function at its first call with each structure of its arguments; run it after."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.graphs: dict[tuple, GraphModule] = {}

    @torch.no_grad()
    def __call__(self, *arguments: Any) -> Any:
        """Return what the function returns, without a graph of autograd."""
        shapes = structure(arguments)
        if shapes not in self.graphs:
            graph = make_fx(lambda inputs: self.function(*inputs))(arguments)
            remove_no_ops(graph)
            self.graphs[shapes] = graph
        return self.graphs[shapes](arguments)


def structure(tree: Any) -> Any:
    """Return the shapes of a tree's tensors with the names that lead to them, as a key.

    Names count: a function may do with {"r1": t} what it does not with {"r2": t}.
    """
    if isinstance(tree, torch.Tensor):
        return tree.shape
    if isinstance(tree, Mapping):
        return tuple([(name, structure(each)) for name, each in tree.items()])
    if isinstance(tree, tuple | list):
        return tuple([structure(each) for each in tree])
    return tree


def remove_no_ops(module: GraphModule) -> None:
    """Remove reshapes to the same shape, and pairs of transpositions that cancel."""
    for node in list(module.graph.nodes):
        if node.target in RESHAPES:
            (source, *_) = node.args
            if node.meta["val"].shape == source.meta["val"].shape:
                node.replace_all_uses_with(source)
        elif node.target is ATEN.transpose.int:
            (source, *axes) = node.args
            if source.target is ATEN.transpose.int and list(source.args[1:]) == axes:
                node.replace_all_uses_with(source.args[0])
    module.graph.eliminate_dead_code()
    module.recompile()
