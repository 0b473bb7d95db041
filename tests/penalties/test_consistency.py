"""Consistency of the discriminator: shifts of StudioGAN's code, and the terms by hand."""

import pytest
import torch
from golden_values import fill, golden
from torch.func import vmap

from bench.penalties.consistency import Consistency, flip_and_shift

D = torch.float64


def test_shifts_are_reflected_as_in_the_code():
    expected = golden("consistency/translation_reflect_8")
    images = fill(2, 3, 8, 8, step=0.1, phase=0.2)
    rows, columns = torch.tensor([-1.0, 1.0]), torch.tensor([1.0, 0.0])
    moved = flip_and_shift(images, torch.zeros(2), rows, columns)
    assert moved.sum().item() == pytest.approx(expected["sum"], rel=1e-9)
    assert moved[0, 0, 0].tolist() == pytest.approx(expected["y_0_0_first_row"], rel=1e-9)
    assert moved[1, -1, -1].tolist() == pytest.approx(expected["y_1_last_last_row"], rel=1e-9)


def test_a_flip_mirrors_left_and_right():
    images = torch.arange(6.0).reshape(1, 1, 2, 3)
    found = flip_and_shift(images, torch.ones(1), torch.zeros(1), torch.zeros(1))
    assert found.tolist() == [[[[2.0, 1.0, 0.0], [5.0, 4.0, 3.0]]]]


def draws(count, flip, row, column):
    return {
        n: torch.full((count,), v) for n, v in (("flip", flip), ("row", row), ("column", column))
    }


def test_the_term_is_the_mean_squared_difference():
    """D sums what lies in the first column: (0 + 3) of the image, (2 + 5) of its mirror image."""
    images = torch.arange(6.0).reshape(1, 1, 2, 3).repeat(4, 1, 1, 1)
    term, numbers = Consistency("real", 0.0), draws(4, 0.4, 0.5, 0.5)

    def critic(x):
        return x[..., 0].sum((1, 2))

    assert term(critic, images, images, numbers).item() == 16.0
    assert term(critic, images, images, draws(4, 0.5, 0.5, 0.5)).item() == 0.0  # is not mirrored
    both = Consistency("both", 0.0)
    assert both(critic, images, images, draws(8, 0.4, 0.5, 0.5)).item() == 32.0  # 16 for each side
    assert {i.copies for i in both.random_inputs.values()} == {2}


def test_all_shifts_are_equally_likely_and_reach_an_eighth():
    """Of 32 pixels up to 4 either way: 9 shifts, of which u in [k / 9, (k + 1) / 9) is the k-th."""
    seen = []

    def critic(images):
        seen.append(images)
        return images.flatten(1)[:, 0]

    images = torch.arange(32.0).reshape(1, 1, 1, 32).expand(9, 1, 32, 32).contiguous()
    numbers = {
        "flip": torch.ones(9),
        "row": torch.full((9,), 0.5),
        "column": (torch.arange(9) + 0.5) / 9,
    }
    Consistency("real", 0.125)(critic, images, images, numbers)
    assert seen[1][:, 0, 0, 10].tolist() == [10.0 + shift for shift in range(-4, 5)]


def test_it_works_under_vmap_and_its_gradient_is_that_of_finite_differences():
    images = fill(2, 3, 1, 4, 4, step=0.3).to(D)
    numbers = {
        n: torch.rand(2, 3, dtype=D, generator=torch.Generator().manual_seed(0))
        for n in ("flip", "row", "column")
    }
    weight = fill(16, step=0.7).to(D)
    term = Consistency("real", 0.25)

    def value(w, x, u):
        return term(lambda i: torch.tanh(i.flatten(1) @ w), x, x, u)

    apart = [value(weight, images[i], {n: u[i] for n, u in numbers.items()}) for i in range(2)]
    packed = vmap(value, (None, 0, 0))(weight, images, numbers)
    assert torch.allclose(packed, torch.stack(apart), rtol=1e-12)
    one = {n: u[0] for n, u in numbers.items()}
    assert torch.autograd.gradcheck(lambda w: value(w, images[0], one), weight.requires_grad_())


def test_bad_settings():
    with pytest.raises(ValueError, match="side is 'fake'; choose real or both"):
        Consistency("fake", 0.1)
    with pytest.raises(ValueError, match="shift is 1.0; it is a fraction"):
        Consistency("real", 1.0)
