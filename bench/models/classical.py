"""Classical generative models: class-conditional Gaussians, fitted once, in closed form."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bench.core import distributed
from bench.data.batches import as_float
from bench.data.split import Split
from bench.losses.classes import ClassLikelihood
from bench.models.base import GenerativeModel, TrainingConfig, check_objective_type
from bench.models.estimators import Fitted
from bench.networks.gaussians import Gaussians


class Classical(GenerativeModel):
    """One Gaussian a class, fitted to the whole labelled training split in the first step.

    Further steps change nothing but the readings of the loss: `d_steps=1` is enough. Samples
    without labels are one class. The split is held as float64 while it is fitted; every process of
    a run fits for itself.

    Args:
        generator: one of `bench.networks.gaussians`.
        estimator: (samples [N, D], labels [N]) -> `bench.models.estimators.Fitted`.
        loss: what is read of each batch.
        training: see `TrainingConfig`; its optimizer has nothing to move.
    """

    def __init__(
        self,
        generator: Gaussians,
        estimator: Callable[[np.ndarray, np.ndarray], Fitted],
        loss: ClassLikelihood,
        training: TrainingConfig,
    ) -> None:
        check_objective_type(loss, ClassLikelihood, "of class-conditional Gaussians")
        super().__init__({"generator": generator}, training)
        self.estimator, self.loss = estimator, loss
        self._shown: Split | None = None

    def fit_to_data(self, train: Split) -> None:
        """Remember what the first step is to fit."""
        self._shown = train

    def training_step(self, real: Tensor, batch_idx: int) -> None:
        """Fit, if nothing is fitted yet, and read the likelihood of real samples [B, ...]."""
        if self.d_steps == 0:
            self.generator.take(*map(torch.from_numpy, self.fitted()))
        with torch.no_grad():
            loss = self.loss(self.generator.log_joint(real))
        distributed.all_reduce_mean_([loss])
        self.losses["d_loss"] = loss
        self.generator_moved()
        self.d_steps += 1

    def fitted(self) -> Fitted:
        """What the estimator makes of the training split.

        Raises:
            ValueError: none was shown, or the estimator cannot use it.
        """
        if self._shown is None:
            raise ValueError("no training split was shown to the model: call show before a step")
        samples, labels = self._shown.samples, self._shown.labels
        flat = as_float(torch.from_numpy(samples)).flatten(1).double().numpy()
        return self.estimator(flat, np.zeros(len(flat), np.int64) if labels is None else labels)
