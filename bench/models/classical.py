"""Classical generative models: class-conditional Gaussians, fitted once, in closed form."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bench.core import distributed
from bench.core.batch import Batch, as_batch
from bench.data.batches import as_float
from bench.data.split import Split
from bench.losses.classes import ClassLikelihood
from bench.models.base import GenerativeModel, TrainingConfig, check_objective_type
from bench.models.estimators import FittedGaussians
from bench.networks.gaussians import Gaussians


class Classical(GenerativeModel):
    """Fit one Gaussian per class to the whole labelled training split in the first step.

    Further steps only log the loss: `d_steps=1` is enough. Samples without labels are one class.
    The split is converted to float64 to be fitted; every process of a run fits on its own.

    Args:
        estimator: (samples [N, D], labels [N]) -> `bench.models.estimators.FittedGaussians`.
        loss: ln p(x, k) [B, K] -> scalar, logged for each batch.
        training: see `TrainingConfig`; its optimizer updates nothing.
    """

    adversarial = False

    generator: Gaussians

    def __init__(
        self,
        generator: Gaussians,
        estimator: Callable[[np.ndarray, np.ndarray], FittedGaussians],
        loss: ClassLikelihood,
        training: TrainingConfig,
    ) -> None:
        check_objective_type(loss, ClassLikelihood, "classical")
        super().__init__({"generator": generator}, training)
        self.estimator, self.loss = estimator, loss
        self._train: Split | None = None

    def fit_to_data(self, train: Split) -> None:
        """Store the training split for the first step."""
        super().fit_to_data(train)
        self._train = train

    def training_step(self, batch: Batch | Tensor, batch_idx: int) -> None:
        """Fit the Gaussians in the first step, and log the loss of real samples [B, ...]."""
        real = as_batch(batch).samples
        if self.d_steps == 0:
            self.generator.set_parameters(*map(torch.from_numpy, self.estimate()))
        with torch.no_grad():
            loss = self.loss(self.generator.log_joint(real))
        distributed.all_reduce_mean_([loss])
        self.losses["d_loss"] = loss
        self.count_generator_step()
        self.d_steps += 1

    def estimate(self) -> FittedGaussians:
        """Fit the estimator to the training split; ValueError without a split that it can use."""
        if self._train is None:
            raise ValueError("the model has no training split: call fit_to_data before a step")
        samples, labels = self._train.samples, self._train.labels
        flat = as_float(torch.from_numpy(samples)).flatten(1).double().numpy()
        return self.estimator(flat, np.zeros(len(flat), np.int64) if labels is None else labels)
