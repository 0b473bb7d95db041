"""LeCam's term and its averages against the authors' and StudioGAN's code."""

import pytest
import torch
from golden_values import fill, golden
from torch.func import grad, vmap

from bench.penalties.lecam import LeCam, lecam

REAL = fill(5, step=0.9, phase=0.3, scale=2.0)
FAKE = fill(5, step=0.7, phase=1.0, scale=2.0)


def numbers(**values: float) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}


def run(penalty: LeCam, means: list[float]) -> tuple[list[float], list[float]]:
    """Return the averages of real logits and the terms of updates with given mean logits."""
    state, averages, terms = numbers(**penalty.initial_state), [], []
    for mean in means:
        logits = torch.tensor([mean - 1, mean + 1], dtype=torch.float64)
        term, state = penalty(logits, -logits, state)
        averages.append(state["real"].item())
        terms.append(term.item())
    assert state["updates"].item() == len(means)
    return averages, terms


def test_the_term_of_given_averages_is_the_authors():
    found = lecam(REAL, FAKE, *numbers(real=0.6, fake=-0.4).values())
    assert found.item() == pytest.approx(golden("lecam/reg_0.9")["value"], rel=1e-9)


def test_averages_forget_until_the_start():
    means = [0.5, 1.0, -0.5, 2.0, 1.5]
    averages, _ = run(LeCam(0.9, 1000.0, 2, False), means)  # its start_itr is 3, counted from 1
    assert averages == pytest.approx(golden("lecam/ema_start3")["trace"], rel=1e-9)
    averages, _ = run(LeCam(0.99, 7777.0, 2, False), means)
    assert averages == pytest.approx(golden("lecam/studiogan_ema_2")["trace"], rel=1e-9)


def test_the_term_is_off_up_to_the_start_and_uses_averages_that_have_moved():
    averages, terms = run(LeCam(0.9, 1000.0, 2, False), [0.5, 1.0, 2.0])
    assert terms[:2] == [0.0, 0.0]
    a = averages[2]  # logits 1 and 3, fake -1 and -3, averages a and -a
    assert a == pytest.approx(0.9 * 1.0 + 0.1 * 2.0, rel=1e-12)
    assert terms[2] == pytest.approx((1 + a) ** 2 + (3 + a) ** 2, rel=1e-12)


def test_without_a_late_start_the_initial_value_counts():
    penalty = LeCam(0.9, 1000.0, 0, False)
    term, state = penalty(REAL, FAKE, numbers(**penalty.initial_state))
    averages = {"real": 900 + 0.1 * REAL.mean().item(), "fake": 900 + 0.1 * FAKE.mean().item()}
    assert {n: state[n].item() for n in averages} == pytest.approx(averages, rel=1e-12)
    assert term.item() == lecam(REAL, FAKE, state["real"], state["fake"]).item() > 1e5


def test_debiased_averages_are_weighted_means_of_what_they_saw():
    """After n updates sum_i d^(n-i) m_i / sum_i d^(n-i): TensorFlow's zero_debias."""
    means, d = [0.5, 1.0, -0.5], 0.99
    averages, _ = run(LeCam(d, 1000.0, 0, True), means)
    expected = (d**2 * 0.5 + d * 1.0 - 0.5) / (d**2 + d + 1)
    assert averages[0] == 0.5
    assert averages[2] == pytest.approx(expected, rel=1e-12)


def test_averages_are_constants_for_the_gradient():
    """d/dr_i of mean relu(r - a)^2 is 2 (r_i - a) / B where positive, with a fixed."""
    state = numbers(real=0.3, fake=0.1, updates=10.0)
    penalty = LeCam(0.5, 0.0, 3, False)
    slope = grad(lambda real: penalty(real, FAKE, state)[0])(REAL)
    a = penalty(REAL, FAKE, state)[1]["fake"]
    assert torch.allclose(slope, 2 * (REAL - a).clamp(min=0) / len(REAL), rtol=1e-12)


def test_replicas_at_different_updates_move_as_alone():
    penalty = LeCam(0.9, 1000.0, 3, True)
    states = {n: torch.tensor(v, dtype=torch.float64) for n, v in STATES.items()}
    reals = torch.stack([REAL, 2 * REAL, -REAL])
    packed = vmap(lambda real, state: penalty(real, FAKE, state))(reals, states)
    for r in range(3):
        term, state = penalty(reals[r], FAKE, {n: v[r] for n, v in states.items()})
        assert packed[0][r].item() == pytest.approx(term.item(), rel=1e-12)
        assert {n: v[r].item() for n, v in packed[1].items()} == pytest.approx(
            {n: v.item() for n, v in state.items()}, rel=1e-12
        )


STATES = {"real": [0.1, 0.5, 0.9], "fake": [0.0, -0.5, 0.2], "updates": [0.0, 2.0, 7.0]}


@pytest.mark.parametrize("bad", [{"decay": 1.0}, {"decay": -0.1}, {"start": -1}, {"start": 1.5}])
def test_numbers_outside_their_ranges_are_refused(bad):
    settings = {"decay": 0.9, "initial": 1000.0, "start": 1, "debias": False}
    with pytest.raises(ValueError, match=next(iter(bad))):
        LeCam(**{**settings, **bad})
