"""Train in two processes, for tests: the same steps in one process and in two, in float64."""

import os
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from omegaconf import OmegaConf

import bench.data.lightning  # noqa: F401  torchvision's operators are declared before it
from bench.config import build
from bench.core import distributed
from bench.core.batch import Batch
from bench.core.parts import PLAYERS
from bench.data.split import Split
from bench.models.differentiable import sgd
from bench.networks.layers import synchronise

STEPS, BATCH = 12, 8


def run_in_two_processes(folder: Path, *calls: tuple) -> list[list]:
    """Return what calls (function, arguments ...) return in each process of a group of two."""
    context = get_context("fork")  # spawned ones would import torch again
    workers = [context.Process(target=_run_calls, args=(rank, folder, calls)) for rank in (0, 1)]
    for process in workers:
        process.start()
    for process in workers:
        process.join(120)
        process.kill()
    assert [process.exitcode for process in workers] == [0, 0]
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


def _run_calls(rank, folder, calls):
    torch.set_num_threads(1)
    distributed.init(rank, 2, folder / "meeting", cuda=False)
    results = [function(*arguments) for function, *arguments in calls]
    distributed.shutdown()
    torch.save(results, folder / f"{rank}.pt")


def broken(fake_logits):
    """Compute a generator's loss, but fail in the second process."""
    if distributed.rank() == 1:
        raise ArithmeticError("made to fail")
    return fake_logits.mean()


def steep(logits):
    """10 x logits: slopes above 1, where a one-sided penalty acts."""
    return 10 * logits


def random_split(cfg) -> Split:
    """Return 1,200 random samples of the data set's shape, in classes of unequal size."""
    rng = np.random.default_rng(5)
    samples = rng.random((1200, *cfg.dataset.shape), dtype=np.float32)
    labels = (rng.random(1200) ** 1.2 * cfg.dataset.classes).astype(np.int64)
    if samples.ndim == 4:
        samples = (255 * samples).astype(np.uint8)
    return Split(samples, labels)


def train_in_float64(plain: dict, synchronised: bool) -> dict:
    """Return a model's state, counts and losses after STEPS steps in float64."""
    cfg = OmegaConf.create(plain)
    model = build.build_model(cfg).double()
    if synchronised:
        synchronise(model)
    settings = model.training_settings
    # plain descent: Adam would hide a gradient that is too large by a factor
    model.training_settings = replace(
        settings,
        prior=lambda *asked: settings.prior(*asked).double(),
        optimizers=dict.fromkeys(PLAYERS, partial(torch.optim.SGD, lr=0.05)),
    )
    if hasattr(model, "differentiable_step"):
        model.differentiable_step = sgd
    optimizers = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: optimizers if len(optimizers) > 1 else optimizers[0]
    model.fit_to_data(random_split(cfg))
    model.on_fit_start()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    drawn = torch.Generator().manual_seed(7)
    for step in range(STEPS):
        shape = BATCH, *cfg.dataset.shape
        batches = []
        for _ in range(1 + model.reads_fresh_real):
            samples = torch.rand(shape, generator=drawn, dtype=torch.float64)
            labels = torch.arange(BATCH) * (step + 1) % cfg.dataset.classes
            rides = {"labels": distributed.shard(labels)} if model.conditional else {}
            batches.append(Batch(distributed.shard(samples), rides))
        model.training_step(tuple(batches) if model.reads_fresh_real else batches[0], step)
    return {
        "state": model.state_dict(),
        "before": before,
        "losses": model.losses,
        "counts": [model.d_steps, model.g_steps],
        "streams": {name: opened.get_state() for name, opened in model.streams.items()},
    }


def train_all(cases: dict[str, dict], synchronised: bool = True) -> dict[str, dict]:
    return {name: train_in_float64(plain, synchronised) for name, plain in cases.items()}


def distributed_results() -> dict:
    """Return what the functions of `bench.core.distributed` return in this process."""
    rank = distributed.rank()
    rows = torch.arange(6.0).reshape(6, 1)
    mean = torch.tensor([1.0, 3.0]) * (rank + 1)
    other = torch.tensor(10.0 * rank, dtype=torch.float64)
    distributed.all_reduce_mean_([mean, other])
    with distributed.single_process():
        apart = distributed.shard(rows)
    return {
        "place": [rank, distributed.world_size()],
        "share": distributed.shard(rows),
        "gathered": distributed.all_gather(distributed.shard(rows) + 100 * rank),
        "mean": mean,
        "other": other,
        "agreed": [distributed.any_rank(rank == 1), distributed.any_rank(False)],
        "apart": apart,
        "total": _total(rank),
    }


def _total(rank: int) -> list[float]:
    """x = 2 and 3; each process's value is (2 + 3)^3 (rank + 1), and its derivatives."""

    def value(x):
        return (rank + 1) * distributed.all_reduce_sum(x) ** 3

    x = torch.tensor(2.0 + rank, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(value(x), x, create_graph=True)
    (second,) = torch.autograd.grad(first, x)
    pure = torch.func.grad(value)(x.detach())
    return [value(x).item(), first.item(), second.item(), pure.item()]
