"""Define what generator and discriminator minimise, through which transforms, in which order.

An Objective is built from pure functions, so that a LightningModule, a stack of replicas and a
test compute the same loss. It draws no random numbers and holds no state: state is given and
returned.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from bench.core import distributed
from bench.core.batch import Batch, Critic
from bench.core.contracts import (
    ContractError,
    argument_names,
    describe_part,
    require_call,
    require_shape,
)
from bench.core.coupling import is_coupled
from bench.core.number_checks import require_whole_number
from bench.core.outputs import OutputFunction, is_function_of_outputs, logits_of, read_outputs
from bench.core.parts import (
    ALONE,
    PLAYERS,
    Draws,
    RandomInput,
    RandomInputs,
    Rows,
    Setting,
    State,
    Transform,
    identity,
    initial_state,
)
from bench.core.pixels import UNIT, Range, from_unit, require_range, to_unit
from bench.core.schedules import Number, at
from bench.core.update_order import UpdateOrder


@dataclass(frozen=True, kw_only=True)
class Losses:
    """The losses of the two players, an entry of conf/loss.

    Args:
        discriminator, generator: functions of the discriminator's outputs, see `OutputFunction`:
            (real_logits [B], fake_logits [B]) -> scalar, or fewer of them.
        constraint: called on the discriminator's parameters after each of its steps, or None.
        fresh_latent: the generator's step draws new latents instead of the discriminator's.

    Raises:
        ValueError: a part cannot be called as it has to be, or returns no scalar.
    """

    discriminator: Callable[..., Any]
    generator: Callable[..., Any]
    constraint: Callable[[Iterable[Tensor]], None] | None
    fresh_latent: bool

    def __post_init__(self) -> None:
        for function in self._outputs.values():
            function.try_on_zeros()
        if self.constraint is not None:
            require_call(self.constraint, "parameters")

    @cached_property
    def _outputs(self) -> dict[str, OutputFunction]:
        return {player: OutputFunction(getattr(self, player)) for player in PLAYERS}

    def outputs(self, player: str) -> OutputFunction:
        """Return a player's loss as a function that asks for outputs by name."""
        return self._outputs[player]


@dataclass(frozen=True, kw_only=True)
class Term:
    """A weighted term of a player's loss, an entry of conf/penalty.

    Args:
        penalty: a `Penalty`; a function of the discriminator's outputs, see `OutputFunction`; or,
            for the generator, a function of its slope: (generator, latent, draws[, state]). Or a
            function of the player's weights: (parameters) -> scalar.
        weight: at least 0, or a function of the images seen.
        interval: the term is taken at every interval-th step of its player; above 1 in a step of
            its own, interval times as heavy, as in StyleGAN2 (Karras et al. 2020,
            arXiv:1912.04958, appendix B).
        player: "discriminator" or "generator".
        pixel_range: the range (black, white) of images in which its published weight was meant, and
            in which it takes slopes; None: [0, 1], the suite's. Points have no range.

    Raises:
        ValueError: a setting is outside its range, or the penalty cannot be called as it has to be.
    """

    penalty: Any
    weight: Number
    interval: int
    player: str
    pixel_range: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not callable(self.weight) and not (math.isfinite(self.weight) and self.weight >= 0):
            raise ValueError(f"penalty_weight is {self.weight}; set it to 0 or more")
        require_whole_number("interval", self.interval, 1, meaning="steps from one to the next")
        if self.pixel_range is not None:
            require_range(self.pixel_range, "a penalty")
        if self.player not in PLAYERS:
            raise ValueError(f"player is {self.player!r}; choose {' or '.join(PLAYERS)}")
        if self.reads_weights:
            if self.interval > 1:
                raise ValueError(f"interval is {self.interval}: a term on weights is taken always")
            return
        if self.reads_outputs:
            if self.player == "generator" and self.interval > 1:
                what = "a generator's term on outputs is taken at each of its steps"
                raise ValueError(f"interval is {self.interval}, and {what}: set it to 1")
            self.outputs.try_on_zeros()
            return
        if self.player == "generator":
            state = ["state"] if initial_state(self.penalty) else []
            require_call(self.penalty, "generator", "latent", "draws", *state)
        else:
            require_call(self.penalty, "critic", "real", "fake", "draws", "shard")
        if not isinstance(getattr(self.penalty, "random_inputs", None), Mapping):
            what = "random_inputs, the random numbers that it needs by name, {} for none"
            raise ContractError(f"{describe_part(self.penalty)} has no {what}")

    @cached_property
    def pixels(self) -> Range:
        """The range of images that the term works in."""
        return UNIT if self.pixel_range is None else require_range(self.pixel_range, "a penalty")

    @property
    def side(self) -> str:
        """The side whose labels the points of its slopes have, see `ride_along`."""
        return getattr(self.penalty, "side", "real")

    @cached_property
    def reads_outputs(self) -> bool:
        """Whether the term is a function of the discriminator's outputs."""
        return callable(self.penalty) and is_function_of_outputs(self.penalty)

    @cached_property
    def reads_weights(self) -> bool:
        """Whether the term is a function of weights: its only argument is `parameters`."""
        return callable(self.penalty) and argument_names(self.penalty) == ("parameters",)

    @property
    def differentiates_critic(self) -> bool:
        """Whether the term is one on the discriminator's slope."""
        slope = getattr(self.penalty, "differentiates_critic", True) and not self.reads_weights
        return self.player == "discriminator" and not self.reads_outputs and slope

    @property
    def differentiates_generator(self) -> bool:
        """Whether the term is one on the generator's slope."""
        return self.player == "generator" and not (self.reads_outputs or self.reads_weights)

    @cached_property
    def outputs(self) -> OutputFunction:
        """The term as a function that asks for outputs by name; only where `reads_outputs`."""
        return OutputFunction(self.penalty)

    @property
    def random_inputs(self) -> Mapping[str, RandomInput]:
        """The random numbers that a call needs, by name."""
        if self.reads_outputs or self.reads_weights:
            return {}
        return self.penalty.random_inputs

    def is_due(self, d_steps: int, g_steps: int) -> bool:
        """Return whether the term is taken after so many steps of the players."""
        steps = d_steps if self.player == "discriminator" else g_steps
        return steps % self.interval == 0


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Both players' losses with their terms, and how the players meet.

    Args:
        loss: the losses.
        terms: terms by name.
        transforms: transforms of the critic by name, from the critic outwards; both players see
            samples through them, and penalties differentiate at the samples before them.
        update_order: who moves when.

    Raises:
        ValueError: `loss` is written for another kind of model, or two parts share a name.
    """

    loss: Losses
    terms: Mapping[str, Term]
    transforms: Mapping[str, Transform]
    update_order: UpdateOrder

    def __post_init__(self) -> None:
        if not isinstance(self.loss, Losses):
            raise ValueError(
                "a model of two players cannot use this loss, which is written for another model: "
                "leave out loss=, or choose one that a variant of this model has"
            )
        names = [*PLAYERS, *self.terms, *self.transforms]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two parts of the loss are called {min(twice)!r}: rename one")
        # sorted, so that the order in a yaml changes no bit
        object.__setattr__(self, "terms", dict(sorted(self.terms.items())))
        slopes = [n for n, t in self.terms.items() if t.differentiates_critic]
        twofold = [
            n for n, t in self.transforms.items() if getattr(t, "differentiates_critic", False)
        ]
        if slopes and twofold:
            both = f"{twofold[0]!r} normalises the critic by its slope"
            raise ValueError(f"{both}, and penalty {slopes[0]!r} bounds it again: choose one")
        moving = [name for name, each in self.transforms.items() if initial_state(each)]
        if moving and "real" not in self.loss.outputs("discriminator").sides:
            found = f"{moving[0]!r} follows the discriminator on real samples"
            raise ValueError(f"{found}, and its loss does not see them: choose another loss=")
        inputs = [name for each in self.transforms.values() for name in each.random_inputs]
        if len(set(inputs)) < len(inputs):
            raise ContractError("two transforms read random numbers of one name")

    def player_terms(self, player: str, *, lazy: bool = False) -> tuple[str, ...]:
        """Return the names of a player's terms: of those of every step, or of the lazy ones.

        Terms on weights are none of them: see `weight_loss`.
        """
        return self._term_names.get((player, lazy), ())

    @cached_property
    def _term_names(self) -> dict[tuple[str, bool], tuple[str, ...]]:
        names: dict[tuple[str, bool], tuple[str, ...]] = {}
        for name, term in self.terms.items():
            if term.reads_weights:
                continue
            key = term.player, term.interval > 1
            names[key] = (*names.get(key, ()), name)
        return names

    def weight_loss(
        self, player: str, parameters: Iterable[Tensor], images: float
    ) -> Tensor | None:
        """Return the sum of weight * term over a player's terms on its weights; None for none."""
        own = [t for t in self.terms.values() if t.player == player and t.reads_weights]
        if not own:
            return None
        found = list(parameters)
        return torch.stack([at(term.weight, images) * term.penalty(found) for term in own]).sum()

    def random_inputs(self, player: str) -> dict[str, Mapping[str, RandomInput]]:
        """Return the random numbers of a player's terms in each step, by term and name."""
        return {name: self.terms[name].random_inputs for name in self.player_terms(player)}

    @property
    def initial_state(self) -> dict[str, Mapping[str, float]]:
        """The numbers with which the state begins, by part and name; only parts with state."""
        parts = {p: getattr(self.loss, p) for p in PLAYERS}
        parts |= {name: term.penalty for name, term in self.terms.items()}
        parts |= self.transforms
        return {name: dict(initial_state(p)) for name, p in parts.items() if initial_state(p)}

    @property
    def transform_inputs(self) -> dict[str, RandomInput]:
        """The random numbers that the transforms read for each side, by name."""
        return {n: i for each in self.transforms.values() for n, i in each.random_inputs.items()}

    def transformed(self, critic: Critic, state: State) -> Critic:
        """Return a critic with the transforms around it."""
        for name, transform in self.transforms.items():
            own = (state[name],) if name in state else ()
            critic = transform(critic, *own)
        return critic

    @cached_property
    def pairs_labels(self) -> bool:
        """Whether the generated samples of a step need the classes of the real ones beside them."""
        return any(t.differentiates_critic and t.side == "between" for t in self.terms.values())

    def parts_that_read_labels(self) -> list[str]:
        """Return the names of losses and terms that ask for `real_labels` or `fake_labels`."""
        functions = {player: self.loss.outputs(player) for player in PLAYERS}
        functions |= {n: t.outputs for n, t in self.terms.items() if t.reads_outputs}
        asked = {n: f.names for n, f in functions.items()}
        return [n for n, names in asked.items() if any(each.endswith("_labels") for each in names)]

    def pixels_of(self, name: str, samples: Tensor) -> Range:
        """Return the range in which a term works on samples: points have none."""
        return self.terms[name].pixels if samples.ndim == 4 else UNIT

    def reads_real(self, player: str) -> bool:
        """Return whether a player's loss or one of its terms sees real samples."""
        terms = self.terms.values()
        functions = [t.outputs for t in terms if t.player == player and t.reads_outputs]
        return any("real" in f.sides for f in (self.loss.outputs(player), *functions))

    def loss_on_outputs(
        self, player: str, critic: Critic, real: Batch, fake: Batch, state: State, setting: Setting
    ) -> tuple[Tensor, State]:
        """Return a player's loss with its terms on outputs, a scalar, and the next state.

        Two passes, not one over the concatenation: batch norm then normalises real and fake
        samples separately, as in the study. A side that nothing asks for costs no pass.

        Args:
            critic: a batch -> logits [B], or outputs by name.
            real, fake: samples of this process.
            state: the present state, by part and name.
        """
        functions = {player: self.loss.outputs(player)}
        for name in self.player_terms(player):
            if self.terms[name].reads_outputs:
                functions[name] = self.terms[name].outputs
        outputs = read_outputs(critic, real, fake, functions.values())
        total, after = None, {}
        for name, function in functions.items():
            value, after[name] = function(outputs, state.get(name, {}), setting.gather)
            if total is None:
                total = value
            else:
                total = total + at(self.terms[name].weight, setting.images) * value
        assert total is not None
        if player == "discriminator":
            for name, transform in self.transforms.items():
                if initial_state(transform):
                    logits = setting.gather(outputs["real_logits"])
                    moving: Any = transform
                    after[name] = moving.next_state(state[name], logits)
        return total, after

    def discriminator_loss(
        self,
        critic: Critic,
        real: Batch,
        fake: Batch,
        draws: Draws,
        state: State,
        setting: Setting = ALONE,
    ) -> tuple[Tensor, State]:
        """loss + sum of weight * term: what the discriminator minimises, and the next state.

        Args:
            critic, real, fake, state: as in `loss_on_outputs`.
            draws: what `random_inputs` names, for the batch of all processes.
        """
        with setting.context():
            loss, after = self.loss_on_outputs("discriminator", critic, real, fake, state, setting)
        for name in self.player_terms("discriminator"):
            term = self.terms[name]
            if not term.reads_outputs:
                value = self.slope_term(name, critic, real, fake, draws[name], setting)
                loss = loss + at(term.weight, setting.images) * value
        return loss, after

    def slope_term(
        self,
        name: str,
        critic: Critic,
        real: Batch,
        fake: Batch,
        draws: RandomInputs,
        setting: Setting,
    ) -> Tensor:
        """Return an unweighted term on the critic's slope, a scalar, from samples [B, ...].

        The critic that the penalty gets has the labels and draws of the penalty's `side` bound,
        see `ride_along`, and takes samples in the term's range of pixels.
        """
        penalty, gather = self.terms[name].penalty, setting.gather
        pixels = self.pixels_of(name, real.samples)
        shard = identity if is_coupled(penalty) else setting.shard
        rides = ride_along(self.terms[name].side, real, fake, gather, shard)

        def own(samples: Tensor) -> Tensor:
            return logits_of(critic(rides._replace(samples=to_unit(samples, pixels))))

        points = [from_unit(gather(side.samples), pixels) for side in (real, fake)]
        # each process has all points then: a layer that gathers rows would take them twice
        apart = distributed.single_process if is_coupled(penalty) else nullcontext
        with apart():
            value = penalty(own, *points, draws, shard)
        require_shape(value, (), penalty, "a penalty")
        return value

    def lazy_discriminator_loss(
        self,
        name: str,
        critic: Critic,
        real: Batch,
        fake: Batch,
        draws: RandomInputs,
        state: State,
        setting: Setting,
    ) -> tuple[Tensor, State]:
        """interval * weight * term: the loss of a step that a lazy term has of its own."""
        term, after = self.terms[name], {}
        if term.reads_outputs:
            outputs = read_outputs(critic, real, fake, [term.outputs])
            value, after[name] = term.outputs(outputs, state.get(name, {}), setting.gather)
        else:
            value = self.slope_term(name, critic, real, fake, draws, setting)
        return term.interval * at(term.weight, setting.images) * value, after

    def generator_term(
        self,
        name: str,
        generator: Callable[[Tensor], Tensor],
        latent: Tensor,
        draws: RandomInputs,
        state: State,
        gather: Rows,
    ) -> tuple[Tensor, State]:
        """Return an unweighted term on the generator's slope, a scalar, and the next state.

        Args:
            generator: latents [B, L] -> samples [B, ...].
            latent, draws: of this process, [B, L] and for samples [B, ...].
            gather: rows of this process -> those of all, for terms that couple samples.
        """
        penalty = self.terms[name].penalty
        more: dict[str, Any] = {"gather": gather} if is_coupled(penalty) else {}
        if name not in state:
            value, after = penalty(generator, latent, draws, **more), {}
        else:
            value, after = penalty(generator, latent, draws, state[name], **more)
        require_shape(value, (), penalty, "a term")
        return value, {name: after}


def chain(parts: Sequence[Mapping[str, Transform]]) -> dict[str, Transform]:
    """Return the transforms of several config groups as one mapping, in the order of the groups.

    Raises:
        ValueError: a group has more than one: a config says no order of keys; or two groups call
            theirs by one name.
    """
    chained: dict[str, Transform] = {}
    for part in parts:
        if len(part) > 1:
            names = " and ".join(sorted(part))
            what = "are transforms of one config group, which holds one: make one of them"
            raise ValueError(f"{names} {what}, as bench.transforms.diffaugment.DiffAugment does")
        if twice := chained.keys() & part.keys():
            raise ValueError(f"two transforms are called {min(twice)!r}: rename one")
        chained |= part
    return chained


def ride_along(side: str, real: Batch, fake: Batch, gather: Rows, shard: Rows) -> Batch:
    """Return a batch with the labels and draws of the points of a term.

    Args:
        side: "real" for points at or around real samples; "fake" for those at generated ones;
            "both" for points of the concatenation; "between" for points between a real and a
            generated sample, which have the same class then, see `Objective.pairs_labels`, and
            the draws of the real one.
        gather, shard: rows of this process -> all rows -> those of this process's points.
    """
    sides = {"real": (real,), "fake": (fake,), "both": (real, fake), "between": (real,)}
    rides = sides[side]

    def joined(field: str) -> dict[str, Tensor]:
        columns = [getattr(batch, field) for batch in rides]
        return {name: shard(torch.cat([gather(c[name]) for c in columns])) for name in columns[0]}

    return Batch(real.samples, joined("labels"), joined("draws"))
