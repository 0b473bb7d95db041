"""Compute metrics in several processes, for tests: each process updates them with its batches."""

import json
import os
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import torch
import torch.distributed as dist
from torch import nn

from bench.scoring.distances import Frechet
from bench.scoring.features import Features, Reference
from bench.scoring.metric_spec import MetricSpec
from bench.scoring.torchmetrics_api import CombinedMetric, FrechetDistance, InceptionScore

SHAPE, WIDTH, CLASSES, CAPACITY = (1, 2, 3), 4, 3, 40


class Exact(nn.Module):
    """Features that are small whole multiples of the pixels: in 1/256 no sum is ever rounded."""

    name, weight_hash, resize, width, num_features = "exact", "", "none", WIDTH, WIDTH

    def __init__(self):
        super().__init__()
        drawn = torch.randint(-3, 4, (WIDTH, 6), generator=torch.Generator().manual_seed(3))
        self.weight = nn.Parameter(drawn.float(), requires_grad=False)

    def forward(self, images):
        features = images.flatten(1) @ self.weight.T
        return features, features[:, :CLASSES] / 2


class InOrder(MetricSpec):
    """What depends on which samples come first, and on which pictures are kept."""

    directions = {"in_order": "lower"}
    n_images = 5

    def __call__(self, reference, fake):
        first = [float(fake.features[:3].sum()), float(reference.real.features[:3].sum())]
        places = (fake.images * (1 + torch.arange(5).reshape(5, 1, 1, 1)).numpy()).sum()
        return {"in_order": first[0] + 1e3 * first[1], "in_order.pictures": float(places)}


def images(count: int, seed: int) -> torch.Tensor:
    """Pixels in whole 1/256."""
    drawn = torch.Generator().manual_seed(seed)
    return torch.randint(0, 257, (count, *SHAPE), generator=drawn) / 256


def reference() -> Reference:
    features, logits = Exact()(images(30, 1))
    return Reference(Features(features.numpy(), logits.numpy()))


def metrics() -> dict:
    measures = {"frechet": Frechet(), "in_order": InOrder()}
    return {
        "frechet": FrechetDistance(Exact(), quantise=False),
        "inception_score": InceptionScore(Exact(), quantise=False),
        "scores": CombinedMetric(Exact(), measures, reference(), quantise=False, capacity=CAPACITY),
    }


def update_metrics(metrics: dict, batches: list[tuple[torch.Tensor, torch.Tensor]]) -> dict:
    """Update all with (real, fake) batches."""
    for real, fake in batches:
        metrics["frechet"].update(real, real=True)
        metrics["frechet"].update(fake, real=False)
        metrics["inception_score"].update(fake)
        metrics["scores"].update(fake)
    return metrics


def values(metrics: dict) -> dict[str, float]:
    """Compute all metrics; name -> value."""
    scores = {f"scores.{name}": value for name, value in metrics["scores"].compute().items()}
    alone = {name: metrics[name].compute() for name in ("frechet", "inception_score")}
    return {name: value.item() for name, value in (alone | scores).items()}


def process(rank: int, size: int, folder: str, deals: list, more: list) -> None:
    """Run one of `size` processes: for each deal score batches deal[rank], then those of `more`.

    Writes the values as FOLDER/RANK.json, a list with two entries for each deal.
    """
    torch.set_num_threads(1)
    address = f"file://{Path(folder) / 'meeting'}"
    dist.init_process_group("gloo", init_method=address, rank=rank, world_size=size)
    found = []
    for deal in deals:
        mine = update_metrics(metrics(), deal[rank])
        found.append(values(mine))
        found.append(values(update_metrics(mine, more)))  # gathering has not changed the states
    full = CombinedMetric(Exact(), {}, reference(), quantise=False, capacity=CAPACITY)
    full.update(images(CAPACITY // 2 + rank, rank))
    try:
        full.compute()
    except ValueError as error:
        found.append({"sentence": str(error)})
    dist.destroy_process_group()
    (Path(folder) / f"{rank}.json").write_text(json.dumps(found))
