"""The controller of the augmentation's probability, and the gates that read it."""

import pytest
import torch
from golden_values import fill, golden
from torch.func import vmap

from bench.core.batch import Batch
from bench.transforms.adaptive import Adaptive
from bench.transforms.diffaugment import Brightness, Contrast, Saturation

STEPS = [Brightness(-1.0, 1.0), Contrast()]


def numbers(**values: float) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}


def logits(mean_sign: float, count: int) -> torch.Tensor:
    """Return `count` scores of which the signs have a given mean."""
    positive = round((1 + mean_sign) / 2 * count)
    return torch.cat([torch.full((positive,), 0.3), torch.full((count - positive,), -2.0)]).double()


def test_p_moves_as_in_the_papers_code():
    """500,000 images for 64 a batch are 1,562,500 for 200, of which any per cent has the sign."""
    means = [0.7, 0.9, 0.65, 0.5, 0.6, 0.61, 0.2]
    controller = Adaptive(STEPS, 0.6, 500_000 * 200 / 64, 4)
    state, trace = numbers(**controller.initial_state), []
    for mean in means:
        for _ in range(4):
            state = controller.next_state(state, logits(mean, 200))
        trace.append(state["p"].item())
    assert trace == pytest.approx(golden("ada/p_0.7")["p"], rel=1e-9)


def test_p_moves_once_an_interval_by_the_signs_of_all_its_updates():
    """Means of +1, +1 and -1 are 1/3, above the target 0.3; the last alone is below it."""
    controller = Adaptive(STEPS, 0.3, 100.0, 3)
    state, found = numbers(p=0.5, signs=0.0, count=0.0), []
    for mean in (1, 1, -1, -1):
        state = controller.next_state(state, logits(mean, 10))
        found.append({name: value.item() for name, value in state.items()})
    assert found == [
        {"p": 0.5, "signs": 10, "count": 10},
        {"p": 0.5, "signs": 20, "count": 20},
        {"p": pytest.approx(0.8, rel=1e-12), "signs": 0, "count": 0},
        {"p": pytest.approx(0.8, rel=1e-12), "signs": -10, "count": 10},
    ]


def test_p_stays_between_zero_and_one():
    controller = Adaptive(STEPS, 0.6, 8.0, 1)
    up = controller.next_state(numbers(p=0.9, signs=0.0, count=0.0), logits(1, 4))
    down = controller.next_state(numbers(p=0.1, signs=0.0, count=0.0), logits(-1, 4))
    assert (up["p"].item(), down["p"].item()) == (1.0, 0.0)


def test_each_step_changes_the_samples_whose_gate_is_below_p():
    images = fill(4, 3, 2, 2, step=0.1)
    draws = {
        "brightness": [0.75] * 4,
        "contrast": [0.9] * 4,
        "gate_0": [0.0, 0.29, 0.3, 0.9],
        "gate_1": [0.9, 0.0, 0.0, 0.9],
    }
    draws = {name: torch.tensor(u, dtype=torch.float64) for name, u in draws.items()}
    controller = Adaptive(STEPS, 0.6, 500_000.0, 4)
    assert {n: d.shape(images) for n, d in controller.random_inputs.items()} == {
        name: (4,) for name in draws
    }
    critic = controller(lambda batch: batch.samples, numbers(p=0.3))
    labels = {"labels": torch.arange(4)}
    found = critic(Batch(images, labels, draws))

    def more_contrast(x):
        return x.mean() + (x - x.mean()) * 1.4

    expected = [images[0] + 0.25, more_contrast(images[1] + 0.25), more_contrast(images[2])]
    assert torch.allclose(found, torch.stack([*expected, images[3]]), rtol=1e-12)


def test_replicas_have_probabilities_and_counts_of_their_own():
    controller = Adaptive(STEPS, 0.0, 100.0, 2)
    states = {"p": [0.0, 0.5, 0.9], "signs": [0.0, 5.0, -5.0], "count": [0.0, 5.0, 5.0]}
    states = {name: torch.tensor(v, dtype=torch.float64) for name, v in states.items()}
    scores = torch.stack([logits(1, 5), logits(0.2, 5), logits(-1, 5)])
    images = fill(3, 5, 3, 2, 2, step=0.1)
    draws = {name: fill(3, 5, step=0.7).abs() for name in controller.random_inputs}

    def one(state, scores, images, draws):
        critic = controller(lambda batch: batch.samples, state)
        return critic(Batch(images, {}, draws)), controller.next_state(state, scores)

    found, after = vmap(one)(states, scores, images, draws)
    for r in range(3):
        own = ({n: v[r] for n, v in part.items()} for part in (states, draws))
        alone, next_state = one(next(own), scores[r], images[r], next(own))
        assert torch.allclose(found[r], alone, rtol=1e-12)
        assert {n: v[r].item() for n, v in after.items()} == {
            n: v.item() for n, v in next_state.items()
        }
    assert after["p"].tolist() == pytest.approx([0.0, 0.6, 0.8], rel=1e-12)


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ({"target": 1.0}, "target"),
        ({"images_to_full": 0.0}, "images_to_full"),
        ({"interval": 0}, "interval"),
        ({"steps": [Saturation(), Saturation()]}, "two transforms"),
    ],
)
def test_settings_outside_their_ranges_are_refused(bad, word):
    settings = {"steps": STEPS, "target": 0.6, "images_to_full": 500_000.0, "interval": 4}
    with pytest.raises(ValueError, match=word):
        Adaptive(**{**settings, **bad})
