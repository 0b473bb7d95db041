"""Functions of a discriminator's outputs, which ask for them by parameter name."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from bench.core.batch import Batch, Critic
from bench.core.contracts import ContractError, argument_names, describe_part, require_shape
from bench.core.coupling import is_coupled
from bench.core.parts import SIDES, Rows, identity, initial_state


def upcast(logits: Tensor) -> Tensor:
    """Return bfloat16 logits as float32: a loss is never summed with 8 bits of mantissa."""
    return logits.float() if logits.dtype == torch.bfloat16 else logits


def logits_of(outputs: Any) -> Tensor:
    """Return the logits [B] of what a discriminator returned."""
    return outputs if isinstance(outputs, Tensor) else outputs["logits"]


def is_function_of_outputs(part: Any) -> bool:
    """Return whether a function asks for outputs of the discriminator, as `real_logits`."""
    return any(name.partition("_")[0] in SIDES and "_" in name for name in argument_names(part))


@dataclass(frozen=True)
class OutputFunction:
    """A pure function of the discriminator's outputs, which asks for them by parameter name.

    Args:
        function: parameters named `real_NAME` and `fake_NAME` get the output NAME of the
            discriminator on real and on generated samples, [B, ...]: "logits", or what else it
            gives by name; `real_labels` and `fake_labels` the labels [B]; `state` the tensors that
            began as its `initial_state`. It returns a scalar, with state (scalar, next state).

    Raises:
        ValueError: it asks for something that nobody gives.
    """

    function: Callable[..., Any]

    def __post_init__(self) -> None:
        for name in self.names:
            if name != "state" and name.partition("_")[0] not in SIDES:
                asked = f"{describe_part(self.function)} asks for {name!r}"
                given = "real_logits, fake_logits, other outputs of the discriminator, state"
                raise ContractError(f"{asked}; losses and terms are given {given}")
        if ("state" in self.names) != bool(initial_state(self.function)):
            wanted = "an attribute initial_state, name -> number, and a parameter `state`"
            raise ContractError(f"{describe_part(self.function)} has one of two: {wanted}")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The parameters that are asked for, in order."""
        return argument_names(self.function)

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        """The parameters but for the state."""
        return tuple(name for name in self.names if name != "state")

    @cached_property
    def sides(self) -> tuple[str, ...]:
        """Which of "real" and "fake" the discriminator has to see."""
        read = [n for n in self.names if not n.endswith("_labels")]
        return tuple(side for side in SIDES if any(n.startswith(f"{side}_") for n in read))

    @cached_property
    def couples_samples(self) -> bool:
        """Whether a sample's share depends on the others', so that processes gather outputs."""
        return is_coupled(self.function) or "state" in self.names

    def __call__(
        self, outputs: Mapping[str, Tensor], state: Mapping[str, Tensor], gather: Rows
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the scalar and the next state.

        Args:
            outputs: by name, "real_logits" [B] ...
            gather: rows of this process -> those of all, for functions that couple samples.
        """
        asked = self.output_names
        if missing := [name for name in asked if name not in outputs]:
            has = ", ".join(sorted(outputs)) or "nothing"
            asks = f"{describe_part(self.function)} asks for {missing[0]}"
            raise ContractError(f"{asks}, and this model's discriminator and data give {has}")
        given = {name: outputs[name] for name in asked}
        if self.couples_samples:
            given = {name: gather(rows) for name, rows in given.items()}
        if len(asked) == len(self.names):
            value, after = self.function(**given), {}
        else:
            found = self.function(**given, state=state)
            pair = isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], Mapping)
            if not (pair and found[1].keys() == state.keys()):
                wanted = f"(scalar, next state), the state with {', '.join(sorted(state))}"
                raise ContractError(f"{describe_part(self.function)} returns no {wanted}")
            value, after = found
        require_shape(value, (), self.function, "a loss or a term of it")
        return value, after

    def try_on_zeros(self) -> None:
        """Refuse, with a ContractError, a function of logits alone that returns no scalar."""
        zeros = {f"{side}_logits": torch.zeros(2) for side in SIDES}
        if all(name in zeros or name == "state" for name in self.names):
            numbers = initial_state(self.function).items()
            state = {name: torch.tensor(float(number)) for name, number in numbers}
            try:
                self(zeros, state, identity)
            except ContractError:
                raise
            except Exception:  # equal scores may be no input for it: its first step will tell
                return


def read_outputs(
    critic: Critic, real: Batch, fake: Batch, functions: Iterable[OutputFunction]
) -> dict[str, Tensor]:
    """Return the outputs that functions ask for, and labels: "real_logits", "fake_labels" ..."""
    found: dict[str, Tensor] = {}
    asked = {side for function in functions for side in function.sides}
    for side, batch in (("real", real), ("fake", fake)):
        for name, labels in batch.labels.items():
            found[f"{side}_{name}"] = labels
        if side in asked:
            outputs = critic(batch)
            if isinstance(outputs, Tensor):
                found[f"{side}_logits"] = upcast(outputs)
            else:
                found |= {f"{side}_{name}": upcast(output) for name, output in outputs.items()}
    return found
