"""Generator against discriminator, with any Objective: Goodfellow et al. 2014 (arXiv:1406.2661)."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from torch import Tensor, nn

from bench.core import distributed
from bench.core.batch import Batch, Labels, Latent, Outputs, as_latent
from bench.core.contracts import require_shape
from bench.core.objective import Objective
from bench.core.outputs import logits_of
from bench.core.parts import Draws, RandomInput, RandomInputs, Setting, State
from bench.core.pixels import from_unit
from bench.core.schedules import at
from bench.models.base import GenerativeModel, TrainingConfig, check_objective_type
from bench.models.executor import DISCRIMINATOR, GENERATOR, LossFn, ReplicaMask, StepExecutor
from bench.models.gan_checks import (
    check_parts_fit,
    check_penalties_see_single_samples,
    moving_layers,
    why_no_reuse,
)
from bench.models.part_state import PartState
from bench.networks.conditional import weights_without_embeddings
from bench.networks.sampler import generate, takes_labels


def draw_terms(
    ex: StepExecutor,
    inputs: Mapping[str, Mapping[str, RandomInput]],
    mask: ReplicaMask | None = None,
) -> Draws:
    """Draw the random numbers of terms, by term."""
    return {name: ex.draw_random(wanted, mask) for name, wanted in inputs.items()}


class GAN(GenerativeModel):
    """Generator against discriminator.

    Args:
        generator: latents [B, L], and labels [B] if it asks for them -> samples [B, ...].
        discriminator: samples [B, ...], and labels [B] if it asks for them -> logits [B], or
            outputs by name, "logits" among them.
        objective: losses, terms, transforms, constraint, order of updates.
        reuse_samples: the generator's step uses the samples that the discriminator's step used,
            where the latents are the same. The study passes them through the generator again:
            the samples are equal, but batch norm's running averages move twice.
        batch_norm_under_penalty: allow batch norm in a discriminator under a penalty on its slope.
            The penalty is meant for each sample's own gradient (Gulrajani et al. 2017, section
            4); batch norm makes it depend on the others, and so does minibatch discrimination.

    Raises:
        ValueError: batch norm under a penalty without `batch_norm_under_penalty`, or parts that
            cannot be combined.
    """

    adversarial = True
    reads_labels = True
    replica_hyperparameters: ClassVar[tuple[str, ...]] = ("objective.terms.*.weight",)

    discriminator: Any

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        objective: Objective,
        reuse_samples: bool,
        batch_norm_under_penalty: bool,
        training: TrainingConfig,
    ) -> None:
        check_objective_type(objective, Objective, "gan")
        check_parts_fit(generator, discriminator, objective, training)
        if not batch_norm_under_penalty:
            check_penalties_see_single_samples(discriminator, objective)
        if reuse_samples and (why := why_no_reuse(objective)):
            raise ValueError(f"model.reuse_samples=true, and {why}: set it to false")
        super().__init__({"generator": generator, "discriminator": discriminator}, training)
        self.objective = objective
        self.labels_to_discriminator = takes_labels(discriminator)
        self.draws_latent = objective.loss.fresh_latent or why_no_reuse(objective) != ""
        self.reuse_samples = reuse_samples and not objective.loss.fresh_latent
        self.part_state = PartState(objective.initial_state)
        self.moving_layers: list[Any] = moving_layers(discriminator)
        if objective.transform_inputs:
            self.stream_names = (*self.stream_names, "transforms")
        self.reads_fresh_real = objective.update_order.fresh_real

    def check_parts(self, real: Batch) -> None:
        """Check the shapes of samples, logits, losses and terms on real samples."""
        super().check_parts(real)
        samples, count = real.samples, len(real.samples)
        objective, latent = self.objective, self.draw_latent(count)
        logits = logits_of(self.discriminate(real))
        logits_count = count // getattr(self.discriminator, "packing", 1)
        require_shape(logits, (logits_count,), self.discriminator, "a batch of logits")
        inputs = objective.transform_inputs
        rides = [self.draw_random(inputs, samples, "transforms") for _ in range(2)]
        fake = Batch(self.generate(latent).detach(), latent.labels, rides[1])
        batches = real._replace(draws=rides[0]), fake
        inputs_by_term = objective.random_inputs("discriminator")
        draws = {name: self.draw_random(each, samples) for name, each in inputs_by_term.items()}
        self.discriminator_step_loss(*batches, draws)
        for name, term in objective.terms.items():
            draws = {name: self.draw_random(term.random_inputs, samples)}
            if term.reads_weights:
                continue
            if term.player == "discriminator":
                self.lazy_discriminator_step_loss(*batches, draws)
            elif not term.reads_outputs:
                self.lazy_generator_step_loss(latent, draws)
        self.generator_loss(*batches)

    def training_round(self, ex: StepExecutor) -> None:
        """Move both players, in the order that `update_order` says; not each is due each time."""
        for player in self.objective.update_order.players:
            getattr(self, f"move_{player}")(ex)

    def move_discriminator(self, ex: StepExecutor) -> None:
        """Make one discriminator step, and one for each lazy term that is due."""
        objective = self.objective
        reused = self.reuse_samples and bool(ex.due(objective.update_order.generator_is_due))
        ex.latent = ex.draw_latents()
        ex.latent = self.paired_latent(ex.latent, ex.real)
        ex.fake = ex.forward(self.generate, ex.latent, with_grad=reused)
        inputs = objective.transform_inputs
        real = ex.real._replace(draws=ex.draw_for_samples(inputs))
        fake = Batch(ex.fake.detach(), ex.latent.labels, ex.draw_for_samples(inputs))

        draws = draw_terms(ex, objective.random_inputs("discriminator"))
        (loss,) = ex.optimizer_step(DISCRIMINATOR, self.discriminator_step_loss, real, fake, draws)
        ex.log("d_loss", loss)
        for name in objective.player_terms("discriminator", lazy=True):
            term = objective.terms[name]
            if due := ex.due(term.is_due):
                draws = draw_terms(ex, {name: term.random_inputs}, due)
                method = self.lazy_discriminator_step_loss
                ex.optimizer_step(DISCRIMINATOR, method, real, fake, draws, mask=due)
        ex.constrain(DISCRIMINATOR)

    def move_generator(self, ex: StepExecutor) -> None:
        """Make one generator step, and one for each lazy term, if they are due."""
        objective, order = self.objective, self.objective.update_order
        due = ex.due(order.generator_is_due)
        if not due:
            return
        latent = ex.draw_latents(order.latent_batches, due) if self.draws_latent else ex.latent
        if order.latent_batches == 1:
            latent = self.paired_latent(latent, ex.fresh_real)
        inputs = objective.transform_inputs
        real = ex.fresh_real._replace(draws=ex.draw_for_samples(inputs, mask=due))
        rides = ex.draw_for_samples(inputs, order.latent_batches, due)
        batches = order.latent_batches
        draws = {
            name: ex.draw_for_samples(wanted, batches, due, "draws")
            for name, wanted in objective.random_inputs("generator").items()
        }
        lookahead = self.lookahead_args(ex, due)
        loss_fn: LossFn = self.generator_step_loss
        if self.reuse_samples:
            loss_fn = self.generator_step_loss_on_fake
        source = Batch(ex.fake, latent.labels) if self.reuse_samples else latent
        (loss,) = ex.optimizer_step(
            GENERATOR, loss_fn, real, source, rides, draws, *lookahead, mask=due
        )
        ex.log("g_loss", loss, due)
        for name in objective.player_terms("generator", lazy=True):
            term = objective.terms[name]
            if both := [replica for replica in ex.due(term.is_due) if replica in due]:
                draws = {name: ex.draw_for_samples(term.random_inputs, batches, both, "draws")}
                ex.optimizer_step(
                    GENERATOR, self.lazy_generator_step_loss, latent, draws, mask=both
                )
        ex.count_generator_step(due)

    def paired_latent(self, latent: Latent, real: Batch) -> Latent:
        """Return latents that ask for the classes of real samples, where a term needs the same."""
        return latent._replace(labels=real.labels) if self.objective.pairs_labels else latent

    def discriminator_step_loss(self, real: Batch, fake: Batch, draws: Draws) -> tuple[Tensor]:
        """Return the loss of a discriminator step, a scalar, and move the parts' state."""
        state = self.part_state.read()
        critic = self.objective.transformed(self.discriminate, state)
        loss, after = self.objective.discriminator_loss(
            critic, real, fake, draws, state, self.setting(own=True)
        )
        self.part_state.write(after)
        return (self._with_weight_terms("discriminator", loss),)

    def lazy_discriminator_step_loss(self, real: Batch, fake: Batch, draws: Draws) -> tuple[Tensor]:
        """Return the loss of a lazy term's step, a scalar; `draws` names the term."""
        (name,), state = draws, self.part_state.read()
        critic = self.objective.transformed(self.discriminate, state)
        loss, after = self.objective.lazy_discriminator_loss(
            name, critic, real, fake, draws[name], state, self.setting()
        )
        self.part_state.write(after)
        return (loss,)

    def generator_step_loss(
        self,
        real: Batch,
        latent: Tensor | Latent,
        rides: RandomInputs,
        draws: Draws,
        *lookahead: Any,
    ) -> tuple[Tensor]:
        """Return the loss of a generator step, a scalar, from latents [B, L].

        Args:
            rides: random numbers of the transforms that ride with the generated samples.
            draws: those of the generator's terms, by term.
        """
        latent = as_latent(latent)
        fake = Batch(self.generate(latent), latent.labels)
        (loss,) = self.generator_step_loss_on_fake(real, fake, rides, draws, *lookahead)
        for name in self.objective.player_terms("generator"):
            if name in draws and not self.objective.terms[name].reads_outputs:
                loss = loss + self._generator_term(name, latent, draws)
        return (loss,)

    def generator_step_loss_on_fake(
        self, real: Batch, fake: Batch, rides: RandomInputs, draws: Draws, *lookahead: Any
    ) -> tuple[Tensor]:
        """Return the loss of a generator step, a scalar, from samples [B, ...] with their graph."""
        loss, after = self.generator_loss(real, fake._replace(draws=rides), *lookahead)
        self.part_state.write(after)
        return (self._with_weight_terms("generator", loss),)

    def _with_weight_terms(self, player: str, loss: Tensor) -> Tensor:
        """Return a player's loss with its terms on weights, a scalar."""
        weights = weights_without_embeddings(getattr(self, player))
        term = self.objective.weight_loss(player, weights, self.images)
        return loss if term is None else loss + term

    def lazy_generator_step_loss(self, latent: Tensor | Latent, draws: Draws) -> tuple[Tensor]:
        """Return the loss of a lazy term's step, a scalar; `draws` names the term."""
        (name,) = draws
        value = self._generator_term(name, as_latent(latent), draws)
        return (self.objective.terms[name].interval * value,)

    def _generator_term(self, name: str, latent: Latent, draws: Draws) -> Tensor:
        """Return a weighted term on the generator's slope, never in bfloat16; move its state."""
        state = self.part_state.read()

        def generator(z: Tensor) -> Tensor:
            samples = generate(self.generator, Latent(z, latent.labels))
            return from_unit(samples, self.objective.pixels_of(name, samples))

        value, after = self.objective.generator_term(
            name, generator, latent.z, draws[name], state, distributed.all_gather
        )
        self.part_state.write(after)
        return at(self.objective.terms[name].weight, self.images) * value

    def lookahead_args(self, ex: StepExecutor, due: ReplicaMask) -> tuple[Any, ...]:
        """Return what `generator_loss` needs beside samples; here, nothing."""
        return ()

    def generator_loss(self, real: Batch, fake: Batch) -> tuple[Tensor, State]:
        """Return the generator's loss, a scalar, and the next state of its parts."""
        state, setting = self.part_state.read(), self.setting(own=True)
        critic = self.objective.transformed(self.discriminate, state)
        with setting.context():
            return self.objective.loss_on_outputs("generator", critic, real, fake, state, setting)

    def discriminate(self, batch: Batch) -> Outputs:
        """D(x): logits [B], or outputs by name, of a batch."""
        samples, labels = self.discriminator_inputs(batch)
        return self.discriminator(samples, **labels)

    def discriminator_inputs(self, batch: Batch) -> tuple[Tensor, Labels]:
        """Return samples in the discriminator's range of pixels, and labels if it asks for them."""
        samples = from_unit(batch.samples, self.ranges["discriminator"])
        return samples, batch.labels if self.labels_to_discriminator else {}

    def setting(self, *, own: bool = False) -> Setting:
        """Return how a loss is taken in this process.

        Args:
            own: these are a player's own passes, in which layers of the discriminator may move
                their buffers; they are not those of a lazy term, or of a step looked ahead.
        """
        context = self.own_passes if own and self.moving_layers else self.autocast
        return Setting(self.images, context, distributed.all_gather, distributed.shard)

    @contextmanager
    def own_passes(self) -> Iterator[None]:
        """Enter autocast, and let layers of the discriminator move their buffers."""
        for layer in self.moving_layers:
            layer.moves = True
        try:
            with self.autocast():
                yield
        finally:
            for layer in self.moving_layers:
                layer.moves = False

    def constrain(self, parameters: Iterable[Tensor]) -> None:
        """Apply the loss's constraint to the discriminator's parameters, in place."""
        if self.objective.loss.constraint is not None:
            self.objective.loss.constraint(parameters)

    def discriminator_scores(self, batch: Batch) -> Tensor:
        """Return the discriminator's logits [B], to be drawn over the plane."""
        return logits_of(self.discriminate(batch))

    def discriminator_diagnostics(self, samples: Mapping[str, Batch]) -> dict[str, float]:
        """Return mean logits of train, test and fake samples, and accuracies at threshold 0.

        As compare_gan reports them. The differences of the means are a critic's gaps; the
        accuracies mean something only where the loss makes sigmoid(logit) a probability. A gap
        between train and test shows that the discriminator has memorised training images.
        """
        logits = {name: self.discriminator_scores(part).double() for name, part in samples.items()}
        means = {f"mean_{name}": float(part.mean()) for name, part in logits.items()}
        correct = {n: (part < 0 if n == "fake" else part > 0) for n, part in logits.items()}
        accuracies = {f"accuracy_{n}": float(part.double().mean()) for n, part in correct.items()}
        return means | accuracies
