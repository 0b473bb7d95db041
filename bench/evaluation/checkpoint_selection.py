"""Checkpoints scored while a run trains: the best by one split, the last few, no others are kept.

The choice is made on `score.select_split`; what is reported comes from another split, later, from
the files that are left. Scoring draws from streams of its own: it changes no bit of the training.
"""

from collections.abc import Sequence
from typing import Any

import torch
from safetensors.torch import save

from bench.core.files import write_bytes, write_json
from bench.evaluation.evaluator import Evaluator
from bench.models.base import GenerativeModel
from bench.networks.sampler import Sampler
from bench.runs.candidates import best_candidate, read_candidates
from bench.runs.folder import RunFolder


class CheckpointSelector:
    """Scores a model at given steps and keeps its weights where they may be asked for again.

    Args:
        folder: of the run.
        judge: who scores.
    """

    def __init__(self, folder: RunFolder, evaluator: Evaluator) -> None:
        self.folder, self.evaluator = folder, evaluator

    def __call__(self, model: GenerativeModel) -> float | None:
        """Score the generator as it stands and keep its weights.

        Returns:
            Its Frechet distance to the samples that choose; None where a sample is not finite.
        """
        settings = model.training_settings
        sampler = Sampler(model.sampled_generator(), settings.prior, settings.latent_dim)
        try:
            distance: float | None = self.evaluator.selection_fid(sampler)
        except FloatingPointError:
            distance = None  # diverging: never the best
        now = {"d_steps": model.d_steps, "g_steps": model.g_steps, "frechet": distance}
        before, choice = read_candidates(self.folder.candidates), self.evaluator.selection_protocol
        # Resumed under another choice the list begins anew: its distances are other quantities.
        kept = before.steps if before.choice == choice else ()
        known = [*(step for step in kept if step["d_steps"] < model.d_steps), now]
        weights = save(state_tensors(model.sampled_generator()))
        write_bytes(self.folder.weights(f"step-{model.d_steps}"), weights)
        write_json(self.folder.candidates, {"choice": choice, "steps": known})
        return distance

    def forget(self, *, ended: bool) -> None:
        """Forget the weights that no longer matter, once a full checkpoint stands at the last step.

        A run that is killed goes on from its last full checkpoint, or from the one before it: what
        was the best then is kept too, until the run has ended.
        """
        known = read_candidates(self.folder.candidates).steps
        wanted = self._wanted(known) | (set() if ended else self._wanted(known[:-1]))
        for path in self.folder.checkpoints.glob("step-*.safetensors"):
            if path.name not in wanted:
                path.unlink(missing_ok=True)

    def _wanted(self, known: Sequence[dict[str, Any]]) -> set[str]:
        first, keep = best_candidate(known), self.evaluator.settings.keep_last
        steps = [*known[max(0, len(known) - keep) :], *([first] if first else [])]
        return {f"step-{step['d_steps']}.safetensors" for step in steps}


def state_tensors(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A module's state as safetensors wants it."""
    return {name: t.detach().cpu().contiguous() for name, t in module.state_dict().items()}
