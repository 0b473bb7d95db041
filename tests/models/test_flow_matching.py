"""A step written out by hand, the cost of a sample in the row, and refusals."""

import copy
from functools import partial

import pytest
import torch
from support import make_training

from bench.config import build
from bench.core.batch import Latent
from bench.core.errors import UserError
from bench.execution.run import execute
from bench.losses.flow_matching import FlowMatching
from bench.models import priors
from bench.models.flow_matching import Flow
from bench.networks.euler import EulerSampler
from bench.networks.unet import VelocityPerceptron
from bench.runs.rows import read_rows
from bench.training.job import prepare_job


def test_a_step_is_one_written_by_hand():
    """z from the stream "latent", t from the stream "draws"; one pass through v at y(t)."""
    flow = EulerSampler(VelocityPerceptron([2], width=5, depth=1), [2], steps=3)
    settings = make_training(partial(torch.optim.SGD, lr=0.1), prior=priors.normal)
    model = Flow(flow, FlowMatching(), settings).double()
    (optimizer,) = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: optimizer
    model.on_fit_start()
    streams = {name: torch.Generator() for name in ("latent", "draws")}
    for name, opened in streams.items():
        opened.set_state(model.streams[name].get_state())
    net = copy.deepcopy(model.generator.net)
    real = torch.randn(4, 2, dtype=torch.float64)
    draw = model.draw_latent
    model.draw_latent = lambda count: Latent(draw(count).z.double())
    model.training_step(real, 0)
    z = priors.normal(4, 2, streams["latent"]).double()
    t = torch.rand(4, generator=streams["draws"], dtype=torch.float64)
    y = (1 - t[:, None]) * z + t[:, None] * real
    loss = ((net(y, t) - (real - z)) ** 2).sum() / 8
    loss.backward()
    assert model.losses["d_loss"].item() == pytest.approx(loss.item(), abs=1e-12)
    assert (model.d_steps, model.g_steps) == (1, 1)
    for ours, before in zip(model.generator.net.parameters(), net.parameters(), strict=True):
        assert torch.allclose(ours, before - 0.1 * before.grad, rtol=0, atol=1e-12)


def test_images_are_learnt_in_the_range_of_the_network():
    """v = 0 at the start: the loss is E (2 x - 1 - z)^2 for x in [0, 1]."""
    small = ["network.flow.velocity.width=4", "variant=flow_matching"]
    model = build.build_model(build.compose_config(small)).double()
    real, z = torch.rand(2, 3, 1, 8, 8, dtype=torch.float64)
    (loss,) = model.step_loss(real, z.flatten(1), torch.rand(3, dtype=torch.float64))
    assert loss.item() == pytest.approx((2 * real - 1 - z).square().mean().item(), abs=1e-12)


def test_the_row_says_what_a_sample_costs(tiny):
    config = tiny("variant=flow_matching", "dataset=ring", "hyperparameters.steps=3", network="mlp")
    job = prepare_job(build.compose_config(config))
    assert execute(job).status == "finished"
    rows = read_rows(job.folder.root, [job.folder.run_id])
    found = {row.details.get("sampling.function_evaluations") for row in rows}
    assert found == {3.0}


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["hyperparameters.steps=0"], "steps is 0"),
        (["loss=imle"], "model 'flow_matching' cannot use this loss"),
        (["loss=vae"], "model 'flow_matching' cannot use this loss"),
        (["network.flow.velocity.width=0"], "width is 0"),
    ],
)
def test_what_it_cannot_do_is_one_sentence(overrides, sentence):
    with pytest.raises(UserError, match=sentence):
        build.build_model(build.compose_config(["variant=flow_matching", *overrides]))
