"""The nearest latent by closed forms; precision and recall by generators whose shares are known."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.optimize import lsq_linear
from torch import nn

from bench.core.batch import Latent
from bench.core.errors import UserError
from bench.data.polygons import Polygons
from bench.metrics import polygons as metric
from bench.networks.sampler import Sampler
from bench.scoring.features import Features, Reference
from bench.scoring.inversion import invert
from bench.scoring.polygons import PolygonScores

SEARCH = {"steps": 400, "learning_rate": 0.05, "bound": None, "batch": 64}
MEASURE = PolygonScores(
    delta=0.75,
    n_samples=12,
    candidates=2048,
    starts=3,
    steps=12,
    probes=[2.0, 1.0, 0.5],
    inversion_steps=60,
    restarts=2,
    learning_rate=0.1,
    bounds={"uniform": 1.0, "normal": None},
    seed=0,
)


class Map(nn.Module):
    """Any function of the latent; one weight that must stay as it is."""

    def __init__(self, function):
        super().__init__()
        self.function, self.one = function, nn.Parameter(torch.ones(()))

    def forward(self, latent):
        return self.function(latent) * self.one


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("bound", [None, 0.5])
def test_a_linear_generator_leaves_the_least_squares_residual(bound):
    matrix, targets, latents = (
        numbers(3, 7),
        1.5 * numbers(10, 7, seed=1),
        numbers(10, 1, 3, seed=2),
    )
    latents = latents.clamp(-0.5, 0.5)
    found = invert(
        Map(lambda z: z @ matrix).double(), targets, latents, **SEARCH | {"bound": bound}
    )
    box = (-np.inf, np.inf) if bound is None else (-bound, bound)
    wanted = [
        2 * lsq_linear(matrix.numpy().T, x, bounds=box, tol=1e-14).cost for x in targets.numpy()
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_the_best_restart_counts():
    """G(z) = (z, z^2), x = (0, 2): 4 at the saddle z = 0, 7/4 at z^2 = 3/2."""
    parabola = Map(lambda z: torch.cat([z, z.square()], 1))
    target = torch.tensor([[0.0, 2.0]])
    each = [
        invert(parabola, target, torch.tensor([starts])[..., None], **SEARCH)[0]
        for starts in ([0.0], [0.5], [0.0, 0.0, -1.0])
    ]
    assert each == pytest.approx([4.0, 1.75, 1.75], abs=1e-5)


def test_each_target_has_its_own_latents():
    """The identity from latents that are other targets' solutions, no step taken."""
    targets = torch.arange(4.0)[:, None]
    latents = torch.stack([targets.roll(1, 0), targets + 0.5], 1)
    found = invert(Map(lambda z: z), targets, latents, **SEARCH | {"steps": 0, "batch": 3})
    np.testing.assert_allclose(found, [0.25] * 4)


def test_a_solution_is_kept_whatever_the_steps_do():
    matrix, latents = numbers(3, 7), numbers(5, 2, 3)
    latents[:, 1] = 9
    rough = SEARCH | {"learning_rate": 5.0, "steps": 7}
    generator = Map(lambda z: z @ matrix + 0.1).double()
    found = invert(generator, generator(latents[:, 0]).detach(), latents, **rough)
    np.testing.assert_allclose(found, 0, atol=1e-24)
    leaps = invert(Map(lambda z: z), torch.zeros(1, 1), torch.tensor([[[0.1]]]), **rough)
    assert leaps == pytest.approx([0.01])  # the first step goes to -4.9


def test_latents_keep_to_the_bound():
    near, far = torch.tensor([[[0.2]]]), torch.tensor([[3.0]])
    assert invert(Map(lambda z: z), far, near, **SEARCH | {"bound": 1.0})[0] == pytest.approx(4)
    assert invert(Map(lambda z: z), far, near, **SEARCH)[0] == pytest.approx(0, abs=1e-6)


class OfClass(nn.Module):
    """G(z, c) = z + 10 c, in a range of which [0, 1] is the half above 0."""

    pixel_range = (-1.0, 1.0)

    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, latent, labels):
        return self.one * (latent + 10 * labels[:, None])


@pytest.mark.parametrize("batch", [1, 64])
def test_the_descent_keeps_its_class_and_compares_in_the_range_of_the_suite(batch):
    """(G + 1) / 2 = 5.5 is z = 10 - 10 c: class 1 at its start; class 0 reaches 1."""
    targets, z = torch.full((2, 1), 5.5), torch.zeros(2, 1, 1)
    latents = Latent(z, {"labels": torch.tensor([[1], [0]])})
    found = invert(OfClass(), targets, latents, **SEARCH | {"bound": 1.0, "batch": batch})
    assert found == pytest.approx([0, 4.5**2], abs=1e-6)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 6))


@pytest.mark.parametrize("guard", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_weights_and_mode_stay_and_any_caller_may_ask(guard):
    generator = network().train()
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    with guard():
        targets, latents = torch.rand(6, 6), torch.rand(6, 1, 3)
        first = invert(generator, targets, latents, **SEARCH | {"steps": 0})
        found = invert(generator, targets, latents, **SEARCH | {"steps": 30})
    assert (found < first).all()
    assert generator.training and all(p.grad is None for p in generator.parameters())
    assert all(p.requires_grad for p in generator.parameters())
    for name, value in generator.state_dict().items():
        assert torch.equal(value, before[name])  # batch norm ran on its averages


def test_batches_do_not_matter_and_it_repeats():
    generator, targets, latents = network().double().eval(), numbers(7, 6), numbers(7, 3, 3, seed=1)
    found = [
        invert(generator, targets, latents, **SEARCH | {"steps": 20, "batch": batch})
        for batch in (1, 7, 64, 64)
    ]
    np.testing.assert_allclose(found[0], found[2], rtol=1e-9)
    np.testing.assert_allclose(found[1], found[2], rtol=1e-9)
    np.testing.assert_array_equal(found[2], found[3])


def test_more_steps_are_never_worse():
    generator, targets, latents = network().eval(), torch.rand(9, 6), torch.rand(9, 2, 3)
    found = [invert(generator, targets, latents, **SEARCH | {"steps": n}) for n in (0, 3, 10, 40)]
    assert (np.diff(found, axis=0) <= 0).all() and (found[3] < found[0]).all()


def test_a_generator_of_nothing_finite_has_diverged():
    with pytest.raises(FloatingPointError):
        invert(Map(lambda z: z / 0), torch.ones(2, 3), torch.zeros(2, 1, 3), **SEARCH)


@pytest.mark.parametrize("shape", [(2, 3), (3, 1, 3), (2, 0, 3)])
def test_latents_must_fit_the_targets(shape):
    with pytest.raises(ValueError, match="restarts"):
        invert(Map(lambda z: z), torch.ones(2, 3), torch.zeros(shape), **SEARCH)


def source(vertices=(3,), seed=1, test=12):
    return Polygons(
        name="shapes",
        root=None,
        shape=[1, 28, 28],
        vertices=list(vertices),
        min_segment_angle=20,
        scale=0.75,
        raster=28,
        subpixels=8,
        max_rotation=2 * np.pi,
        counts={"train": 1, "test": test},
        seed=seed,
        licence="free",
        origin="drawn",
    )


def pictures(*arguments, **settings):
    images = source(*arguments, **settings).splits()["test"].samples
    return images.astype(np.float32) / 255


def seen(images, sampler=None):
    return Features(np.zeros((len(images), 2), np.float32), None, images, sampler)


def reference(images=None, shapes=None):
    return Reference(seen(pictures() if images is None else images), source=shapes or source())


def uniform(count, latent_dim, generator):
    return 2 * torch.rand(count, latent_dim, generator=generator) - 1


def remembering(images):
    """softmax(6 z) of the images: one of them each at the corners of the prior's cube."""
    templates = torch.from_numpy(images)

    def draw(latent):
        return torch.einsum("bk,kchw->bchw", (6 * latent).softmax(1), templates)

    return Sampler(Map(draw), partial(uniform), len(images))


def test_a_generator_that_draws_half_of_the_real_images():
    """Fresh triangles are precise; it recalls the six of twelve that it remembers."""
    real = pictures()
    found = MEASURE(reference(real), seen(pictures(seed=9), remembering(real[:6])))
    assert found["polygon_precision"] >= 11 / 12
    assert found["polygon_recall"] == 0.5
    assert found["polygon_f1"] == pytest.approx(
        2 * 0.5 * found["polygon_precision"] / (0.5 + found["polygon_precision"])
    )
    assert 0 <= found["polygon_precision.median_squared_distance"] < 0.1
    assert found["polygon_recall.median_squared_distance"] > 0


def test_a_generator_that_remembers_all_recalls_all():
    real = pictures()
    found = MEASURE(reference(real), seen(real, remembering(real)))
    assert found["polygon_recall"] == 1.0


@pytest.mark.parametrize("grey", [0.5, 1.0])
def test_a_constant_generator_has_neither(grey):
    constant = Map(lambda z: grey + 0 * z.sum(1)[:, None, None, None].expand(-1, 1, 28, 28))
    sampler = Sampler(constant, uniform, 3)
    found = MEASURE(reference(), seen(np.full((12, 1, 28, 28), grey, np.float32), sampler))
    assert found["polygon_precision"] == found["polygon_recall"] == found["polygon_f1"] == 0


def test_squares_are_imprecise_triangles_and_precise_polygons():
    squares = seen(pictures([4]))
    assert MEASURE(reference(), squares)["polygon_precision"] <= 1 / 12
    both = MEASURE(reference(shapes=source([3, 4])), squares)
    assert both["polygon_precision"] >= 11 / 12


def test_delta_is_the_threshold():
    real = pictures()
    greyer = np.where(np.indices(real.shape)[3] == 0, real - 0.1, real).astype(np.float32)
    # a column that no triangle reaches: 28 * 0.1^2 = 0.28
    strict, loose = replace(MEASURE, delta=0.27), replace(MEASURE, delta=0.4)
    assert strict(reference(), seen(greyer))["polygon_precision"] == 0
    assert loose(reference(), seen(greyer))["polygon_precision"] >= 11 / 12


def test_images_without_a_generator_have_a_precision_alone():
    found = MEASURE(reference(), seen(pictures(seed=2)))
    assert set(found) == {"polygon_precision", "polygon_precision.median_squared_distance"}


def test_the_first_images_are_looked_at():
    real, noise = pictures(), np.random.default_rng(0).random((30, 1, 28, 28)).astype(np.float32)
    few = replace(MEASURE, n_samples=6)
    sampler = remembering(real[:6])
    mixed = few(
        reference(np.concatenate([real, noise])), seen(np.concatenate([real, noise]), sampler)
    )
    assert mixed["polygon_precision"] >= 5 / 6 and mixed["polygon_recall"] == 1
    assert few.n_images == 6
    short = replace(MEASURE, n_samples=10**6)
    assert short(reference(), seen(real))["polygon_precision"] >= 11 / 12


def test_it_repeats_and_the_seed_matters():
    real, sampler = pictures(), remembering(pictures()[:6])
    one, same, other = (
        replace(MEASURE, inversion_steps=3, steps=1, seed=seed)(
            reference(real), seen(real, sampler)
        )
        for seed in (0, 0, 1)
    )
    assert one == same
    for name in ("polygon_precision", "polygon_recall"):
        detail = f"{name}.median_squared_distance"
        assert one[detail] != other[detail]


def test_the_prior_bounds_the_latents():
    """Whoever may leave the cube gets nearer: softmax(6 z) is blunt within [-0.05, 0.05]."""
    real, sampler = pictures(), remembering(pictures())
    held = replace(MEASURE, bounds={"uniform": 0.05})
    free = replace(MEASURE, bounds={"uniform": None})
    bound, unbound = (m(reference(real), seen(real, sampler)) for m in (held, free))
    assert bound["polygon_recall"] == 0 and unbound["polygon_recall"] == 1


def test_it_applies_where_the_manifold_is_known():
    points = SimpleNamespace(modes=None)
    assert MEASURE.applies(reference())
    assert not MEASURE.applies(Reference(seen(pictures()), source=points))
    assert not MEASURE.applies(Reference(seen(pictures())))
    assert MEASURE.directions == metric.DIRECTIONS and MEASURE.needs == {"sampler"}


def test_what_a_user_can_mend_is_one_sentence():
    sampler = replace(remembering(pictures()), prior=lambda *_: None)
    with pytest.raises(UserError, match="prior '<lambda>'"):
        MEASURE(reference(), seen(pictures(), sampler))
    with pytest.raises(UserError, match="no generated images"):
        MEASURE(reference(), Features(np.zeros((3, 2)), None))
    blind = Reference(Features(np.zeros((3, 2)), None), source=source())
    with pytest.raises(UserError, match="no real images"):
        MEASURE(blind, seen(pictures(), remembering(pictures())))
