"""Two processes, for tests: the same training steps alone and together, in float64."""

import os
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from omegaconf import OmegaConf

import bench.models  # noqa: F401  torchvision's operators are declared before Lightning comes
from bench.config import build
from bench.core import distributed
from bench.data.split import Split
from bench.models.differentiable import sgd
from bench.networks.layers import synchronise

STEPS, BATCH = 12, 8


def in_two(folder: Path, *calls: tuple) -> list[list]:
    """What calls (function, arguments ...) return in each of two processes that train together."""
    context = get_context("spawn")
    told = [(rank, folder, calls) for rank in (0, 1)]
    started = [context.Process(target=_one, args=one) for one in told]
    for process in started:
        process.start()
    for process in started:
        process.join(120)
        process.kill()
    assert [process.exitcode for process in started] == [0, 0]
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


def _one(rank, folder, calls):
    torch.set_num_threads(1)
    distributed.init(rank, 2, folder / "meeting", cuda=False)
    found = [function(*arguments) for function, *arguments in calls]
    distributed.shutdown()
    torch.save(found, folder / f"{rank}.pt")


def broken(fake_logits):
    """A generator's loss that fails in the second process alone."""
    if distributed.rank() == 1:
        raise ArithmeticError("made to fail")
    return fake_logits.mean()


def steep(logits):
    """Ten times the logits: slopes above 1, where a one-sided penalty acts."""
    return 10 * logits


def labelled(cfg) -> Split:
    """Noise of the data set's shape, 1,200 samples whose classes are not equally many."""
    drawn = np.random.default_rng(5)
    samples = drawn.random((1200, *cfg.dataset.shape), dtype=np.float32)
    labels = (drawn.random(1200) ** 1.2 * cfg.dataset.classes).astype(np.int64)
    if samples.ndim == 4:
        samples = (255 * samples).astype(np.uint8)
    return Split(samples, labels)


def trained(plain: dict, synchronised: bool) -> dict:
    """All of a model's state, counts and losses after STEPS steps in float64."""
    cfg = OmegaConf.create(plain)
    model = build.build_model(cfg).double()
    if synchronised:
        synchronise(model)
    settings = model.training_settings
    # plain descent: Adam would hide a gradient that is too large by a factor
    model.training_settings = replace(
        settings,
        prior=lambda *asked: settings.prior(*asked).double(),
        optimizer=partial(torch.optim.SGD, lr=0.05),
    )
    if hasattr(model, "step_ahead"):
        model.step_ahead = sgd
    optimizers = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: optimizers if len(optimizers) > 1 else optimizers[0]
    model.show(labelled(cfg))
    model.on_fit_start()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    drawn = torch.Generator().manual_seed(7)
    for step in range(STEPS):
        real = torch.rand(BATCH, *cfg.dataset.shape, generator=drawn, dtype=torch.float64)
        model.training_step(distributed.shard(real), step)
    return {
        "state": model.state_dict(),
        "before": before,
        "losses": model.losses,
        "counts": [model.d_steps, model.g_steps],
        "streams": {name: opened.get_state() for name, opened in model.streams.items()},
    }


def all_trained(cases: dict[str, dict], synchronised: bool = True) -> dict[str, dict]:
    return {name: trained(plain, synchronised) for name, plain in cases.items()}


def of_helpers() -> dict:
    """What `bench.core.distributed` gives to each process."""
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
