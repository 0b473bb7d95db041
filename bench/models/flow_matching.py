"""Rectified flow: Liu et al. 2022 (arXiv:2209.03003), Algorithm 1, without the reflow step."""

from torch import Tensor

from bench.core.outputs import upcast
from bench.core.pixels import from_unit
from bench.losses.flow_matching import FlowMatching
from bench.models.base import GenerativeModel, TrainingConfig, check_objective_type
from bench.models.executor import GENERATOR, StepExecutor
from bench.networks.euler import EulerSampler


class Flow(GenerativeModel):
    """Train the velocity field that carries noise to the data; steps count as `d_steps`.

    A step costs one pass through the velocity and back; a sample costs one for each Euler step.

    Args:
        generator: follows the velocity, latents [B, L] -> samples [B, ...].
        loss: (velocity, samples, latents, times) -> scalar, and the random numbers that it needs.
    """

    adversarial = False

    generator: EulerSampler

    def __init__(
        self, generator: EulerSampler, loss: FlowMatching, training: TrainingConfig
    ) -> None:
        check_objective_type(loss, FlowMatching, "flow_matching")
        super().__init__({"generator": generator}, training)
        self.loss = loss

    def training_round(self, ex: StepExecutor) -> None:
        """Make one step of the velocity."""
        latent = ex.draw_latents()
        draws = ex.draw_for_samples(self.loss.random_inputs, source="draws")
        inputs = ex.real.samples, latent.z, draws["time"]
        (loss,) = ex.optimizer_step(GENERATOR, self.step_loss, *inputs)
        ex.log("d_loss", loss)
        ex.count_generator_step()

    def step_loss(self, real: Tensor, latent: Tensor, time: Tensor) -> tuple[Tensor]:
        """Return the loss, a scalar, from x [B, ...], z [B, L] and t [B]."""
        samples = from_unit(real, self.ranges["generator"])
        return (self.loss(self.velocity, samples, latent.reshape(samples.shape), time),)

    def velocity(self, samples: Tensor, time: Tensor) -> Tensor:
        """Return v(x, t), [B, ...], in at least float32."""
        with self.autocast():
            velocity = self.generator.velocity(samples, time)
        return upcast(velocity)
