"""Score checkpoints while a run trains; keep the best by one split and the last few.

The choice is made on `score.select_split`; the reported score comes from another split, later, from
the files that are left. Scoring draws from random streams of its own: it changes no bit of the
training.
"""

from collections.abc import Sequence
from typing import Any

import torch
from safetensors.torch import save

from bench.core.files import write_bytes, write_json
from bench.evaluation.evaluator import Evaluator
from bench.models.base import GenerativeModel
from bench.runs.candidates import best_candidate, read_candidates
from bench.runs.folder import RunFolder


class CheckpointSelector:
    """Score a model at given steps, and keep the weights that `best` or `last-N` may need.

    Args:
        evaluator: computes the Frechet distance that checkpoints are chosen by.
    """

    def __init__(self, folder: RunFolder, evaluator: Evaluator) -> None:
        self.folder, self.evaluator = folder, evaluator

    def __call__(self, model: GenerativeModel) -> float | None:
        """Score the generator at its current step and save its weights.

        Returns:
            The Frechet distance to the samples that choose; None where a sample is not finite.
        """
        try:
            distance: float | None = self.evaluator.selection_fid(model.sampler())
        except FloatingPointError:
            distance = None  # diverging: never the best
        current = {"d_steps": model.d_steps, "g_steps": model.g_steps, "frechet": distance}
        stored = read_candidates(self.folder.candidates)
        protocol = self.evaluator.selection_protocol
        # A run resumed under another protocol starts a new list: its distances do not compare.
        earlier = stored.checkpoints if stored.protocol == protocol else ()
        steps = [*(step for step in earlier if step["d_steps"] < model.d_steps), current]
        weights = save(state_tensors(model.sampled_generator()))
        write_bytes(self.folder.generator_file(f"step-{model.d_steps}"), weights)
        write_json(self.folder.candidates, {"choice": protocol, "steps": steps})
        return distance

    def delete_unneeded_weights(self, *, ended: bool) -> None:
        """Delete weights that no row can need any more; call after a full checkpoint is written.

        A run that is killed resumes from its last full checkpoint, or from the one before it: what
        was the best at that one is kept too, until the run has ended.
        """
        checkpoints = read_candidates(self.folder.candidates).checkpoints
        needed = self._needed_files(checkpoints)
        if not ended:
            needed |= self._needed_files(checkpoints[:-1])
        for path in self.folder.path.glob("step-*.safetensors"):
            if path.name not in needed:
                path.unlink(missing_ok=True)

    def _needed_files(self, checkpoints: Sequence[dict[str, Any]]) -> set[str]:
        """Return the names of the weight files of the best and the last `keep_last`."""
        best, keep = best_candidate(checkpoints), self.evaluator.settings.keep_last
        needed = [*checkpoints[max(0, len(checkpoints) - keep) :], *([best] if best else [])]
        return {f"step-{checkpoint['d_steps']}.safetensors" for checkpoint in needed}


def state_tensors(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return a module's state as safetensors can save it: contiguous, on the CPU."""
    return {name: t.detach().cpu().contiguous() for name, t in module.state_dict().items()}
