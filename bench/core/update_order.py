"""The order in which the players of a round move; a round is one discriminator step.

The functions of an order are of the steps made so far alone, so that a resumed run and a replica
in a pack move as they would have.
"""

from dataclasses import dataclass
from typing import ClassVar

from bench.core.number_checks import require_whole_number


@dataclass(frozen=True, kw_only=True)
class UpdateOrder:
    """Say who moves in a round, in which order, on which samples.

    Args:
        n_dis: discriminator steps per generator step, at least 1.
        latent_batches: latents of a generator step, in batches: 2 in the code of Miyato et al.
            2018 (arXiv:1802.05957), else 1.
        fresh_real: a generator step whose loss sees real samples draws its own batch of them, in
            an order of its own, as R3GAN does; else it sees the discriminator's.

    Attributes:
        players: the players in the order of their moves.

    Raises:
        ValueError: a number is no whole number from 1 on.
    """

    n_dis: int
    latent_batches: int
    fresh_real: bool

    players: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        meaning = "discriminator steps per generator step"
        require_whole_number("n_dis", self.n_dis, 1, meaning=meaning)
        require_whole_number("latent_batches", self.latent_batches, 1)

    def generator_is_due(self, d_steps: int, g_steps: int) -> bool:
        """Return whether the generator moves in the round of discriminator step `d_steps`, from 0.

        Args:
            d_steps, g_steps: steps made before this round.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define generator_is_due")


class StudyOrder(UpdateOrder):
    """D, then G on steps 0, 1, 1 + n_dis, 1 + 2 n_dis, ...: compare_gan v1."""

    players = ("discriminator", "generator")

    def generator_is_due(self, d_steps: int, g_steps: int) -> bool:
        """Return whether this is the first step, or (d_steps - 1) mod n_dis is 0."""
        return g_steps == 0 or (d_steps - 1) % self.n_dis == 0


class DiscriminatorFirst(UpdateOrder):
    """n_dis steps of D, then one of G: Goodfellow et al. 2014 (arXiv:1406.2661), Algorithm 1."""

    players = ("discriminator", "generator")

    def generator_is_due(self, d_steps: int, g_steps: int) -> bool:
        """Return whether this is the last of n_dis steps."""
        return (d_steps + 1) % self.n_dis == 0


class GeneratorFirst(UpdateOrder):
    """One step of G, then n_dis of D: the code of SNGAN and of StyleGAN2."""

    players = ("generator", "discriminator")

    def generator_is_due(self, d_steps: int, g_steps: int) -> bool:
        """Return whether this is the first of n_dis steps."""
        return d_steps % self.n_dis == 0
