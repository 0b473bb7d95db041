"""DiffAugment's transforms against the authors' code, and on every path that training takes."""

import pytest
import torch
from golden_values import fill, golden
from torch.func import grad, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from bench.core.batch import Batch
from bench.transforms import diffaugment
from bench.transforms.diffaugment import (
    Brightness,
    Contrast,
    Cutout,
    DiffAugment,
    Saturation,
    Translation,
)

IMAGES = fill(2, 3, 8, 8, step=0.1, phase=0.2)
R = torch.tensor([0.25, 0.9], dtype=torch.float64)


def places(low: list[int], count: int) -> torch.Tensor:
    """Return uniform numbers in the middle of the places that `whole_number` makes of them."""
    return (torch.tensor(low, dtype=torch.float64) + 0.5) / count


DRAWS = {
    "brightness": R,
    "saturation": R / 2,
    "contrast": 1 - R,
    "translation_row": places([0, 1], 3),  # -1, 0
    "translation_column": places([2, 2], 3),  # 1, 1
    "cutout_row": places([2, 5], 9),
    "cutout_column": places([7, 0], 9),
}
PAPER = DiffAugment(
    [
        Brightness(-1.0, 1.0),
        Saturation(),
        Contrast(),
        Translation(0.125, -1.0, 1.0),
        Cutout(0.5, -1.0, 1.0),
    ]
)
STEPS = dict(
    zip(["brightness", "saturation", "contrast", "translation", "cutout"], PAPER.steps, strict=True)
)


def augmented(transform, images=IMAGES, draws=DRAWS) -> torch.Tensor:
    """Return the images that the critic gets."""
    return transform(lambda batch: batch.samples)(Batch(images, {}, draws))


def check(found: torch.Tensor, name: str) -> None:
    expected = golden(f"diffaugment/{name}_8")
    assert found.sum().item() == pytest.approx(expected["sum"], rel=1e-9)
    assert found.norm().item() == pytest.approx(expected["norm"], rel=1e-9)
    assert found[0, 0, 0].tolist() == pytest.approx(expected["y_0_0"], rel=1e-9)
    assert found[1, 2, -1].tolist() == pytest.approx(expected["y_1_last_row"], rel=1e-9)


@pytest.mark.parametrize("name", STEPS)
def test_each_transform_is_the_authors(name):
    draws = {**DRAWS, name: R}
    found = augmented(STEPS[name], draws=draws)
    check(found, name)
    if name == "cutout":
        zeros = (found == 0).all(1).sum((1, 2)).tolist()
        assert zeros == golden("diffaugment/cutout_8")["zeros_per_image"]


def test_the_policy_is_brightness_saturation_contrast_translation_cutout():
    check(augmented(PAPER), "policy")
    assert set(PAPER.random_inputs) == set(DRAWS)
    assert {wanted.shape(IMAGES) for wanted in PAPER.random_inputs.values()} == {(2,)}


def test_other_pixel_ranges_give_the_converted_images():
    converted = DiffAugment(
        [
            Brightness(0.0, 255.0),
            Saturation(),
            Contrast(),
            Translation(0.125, 0.0, 255.0),
            Cutout(0.5, 0.0, 255.0),
        ]
    )
    found = augmented(converted, (IMAGES + 1) * 127.5)
    assert torch.allclose(found, (augmented(PAPER) + 1) * 127.5, rtol=1e-12)


def test_shifts_and_places_are_uniform_whole_numbers():
    """u just below 1 is the last place in float32, too, where 9 u rounds to 9."""
    uniform = torch.tensor([0.0, 1 / 3 - 1e-6, 1 / 3 + 1e-6, 1 - 2**-24])
    assert diffaugment.whole_number(uniform, 3).tolist() == [0, 0, 1, 2]
    assert diffaugment.whole_number(torch.tensor([1 - 2**-24]), 9).tolist() == [8]  # float32
    images = torch.ones(1, 1, 5, 5)
    last = {n: torch.tensor([1 - 2**-24]) for n in ("cutout_row", "cutout_column")}
    found = augmented(Cutout(0.5, -1.0, 1.0), images, last)  # 3 x 3 around (4, 4)
    assert (found == 0).nonzero().tolist() == [[0, 0, i, j] for i in (3, 4) for j in (3, 4)]


def test_a_ratio_of_zero_changes_nothing_and_others_are_refused():
    none = {n: R for n in DRAWS}
    for transform in (Translation(0.0, -1.0, 1.0), Cutout(0.0, -1.0, 1.0)):
        assert torch.equal(augmented(transform, draws=none), IMAGES)
    for transform in (Translation, Cutout):
        with pytest.raises(ValueError, match="ratio"):
            transform(1.5, -1.0, 1.0)


def test_a_transform_twice_is_refused():
    with pytest.raises(ValueError, match="two transforms draw 'saturation'"):
        DiffAugment([Saturation(), Saturation()])


def scores(images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return a curved critic's scores of augmented images."""
    critic = PAPER(lambda batch: torch.tanh(batch.samples).square().flatten(1).sum(1))
    return critic(Batch(images, {}, draws))


def test_second_derivatives_match_finite_differences():
    images = IMAGES[..., ::2, ::2].clone().requires_grad_()
    torch.autograd.gradgradcheck(lambda x: scores(x, DRAWS), images, fast_mode=True)


def test_replicas_and_traces_compute_as_alone():
    images = torch.stack([IMAGES, -IMAGES, IMAGES + 0.3])
    draws = {name: torch.stack([u, 1 - u, u / 2]) for name, u in DRAWS.items()}

    def slope(images, draws):
        return grad(lambda x: scores(x, draws).sum())(images)

    packed = vmap(slope)
    alone = torch.stack([slope(images[r], {n: u[r] for n, u in draws.items()}) for r in range(3)])
    assert torch.allclose(packed(images, draws), alone, rtol=1e-12)
    traced = make_fx(packed)(images, draws)  # on other values than it is then used for
    others = {name: 1 - u for name, u in draws.items()}
    assert torch.equal(traced(2 * images, others), packed(2 * images, others))
