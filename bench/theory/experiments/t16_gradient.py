"""T16: along an optimal coupling the optimal critic's gradient has norm 1.

Gulrajani et al. 2017 (arXiv:1704.00028), proposition 1. Measured: central differences of three
optimal critics of random points, on coupled segments and on segments between independent pairs.
"""

from collections.abc import Callable, Sequence

import numpy as np

from bench.core.seeds import numpy_generator
from bench.divergences import Measure, extension, kantorovich_rubinstein, transport
from bench.plotting.style import ACCENT, HUES, MUTED, figure, render
from bench.theory.experiment import (
    CpuMinutes,
    Experiment,
    Figure,
    Measurements,
    PartResults,
    PartSettings,
    Quantity,
    Result,
    choose_verdict,
)

Critics = Callable[[np.ndarray], np.ndarray]  # points [N, D] -> values [critics, N]

CRITICS = ("largest", "smallest", "middle")  # all are optimal: only values on the points decide
ALPHAS = (0.1, 0.3, 0.5, 0.7, 0.9)  # share of the way from y to x
STEP = 1e-5  # of a central difference, as a share of the segment's length
TOLERANCE = 1e-4  # within which a norm counts as 1
SIDE = 60  # of the map that is drawn


def parts(quick: bool) -> dict[str, PartSettings]:
    """List pairs of empirical measures in two and in ten dimensions."""
    pairs, points = (2, 10) if quick else (10, 25)
    shared = {"points": points, "pairs": pairs, "alphas": list(ALPHAS), "seed": 0}
    return {f"{dimension} dimensions": {"dimension": dimension, **shared} for dimension in (2, 10)}


def measure(settings: PartSettings) -> Measurements:
    """Measure gradients on coupled and on other segments, [pairs, critics, N, alphas] each."""
    pairs = [_segment_gradients(settings, index) for index in range(settings["pairs"])]
    arrays = {name: np.stack([pair[name] for pair in pairs]) for name in pairs[0]}
    if settings["dimension"] == 2:
        arrays |= _critic_map(settings)
    return arrays


def conclude(results: PartResults) -> Result:
    """Check for norm 1 at every point of every coupled segment, for all optimal critics."""
    norms = np.concatenate([one["norm"].ravel() for one in results.values()])
    off = np.abs(norms - 1)
    share = float(np.mean(off <= TOLERANCE))  # NaN is not close
    along = np.concatenate([one["towards_real"].ravel() for one in results.values()])
    other = np.concatenate([one["other_norm"][:, 2].ravel() for one in results.values()])
    elsewhere = float(np.mean(np.abs(other - 1) <= TOLERANCE))
    split = max(float(np.nanmax(one["split"])) for one in results.values())
    summary = (
        f"On the segments of the optimal coupling the gradient's norm is 1 to {np.max(off):.0e} at "
        f"{share:.1%} of {len(norms)} points, for each of three optimal critics, which agree there "
        f"to {split:.0e}. Its cosine with x - y, towards real x, is {along.min():.6f} or more: the "
        "slide's direction has the opposite sign. On segments between independent pairs, where "
        f"WGAN-GP asks for norm 1, the middle critic has it at {elsewhere:.1%} of the points."
    )
    numbers = (
        Quantity("share of points on coupled segments with norm 1", share, expected="1"),
        Quantity("largest | norm - 1 | there", float(np.max(off)), expected="0"),
        Quantity("least cosine of the gradient with x - y there", float(along.min()), expected="1"),
        Quantity("largest disagreement of optimal critics there, of W_1", split, expected="0"),
        Quantity("share with norm 1 between independent pairs, middle critic", elsewhere),
    )
    return Result(choose_verdict(share == 1, share > 0.5), summary, numbers)


def draw(results: PartResults) -> list[Figure]:
    """Draw a critic with the coupling, and the norms on both kinds of segments."""
    plane = results["2 dimensions"]
    with figure(7.2, 2.8) as shape:
        left, right = shape.subplots(1, 2)
        x, y = plane["real"], plane["fake"]
        low, high = plane["corner"]
        box, smooth = (low, high, low, high), {"interpolation": "bilinear", "alpha": 0.6}
        left.imshow(plane["map"].T, origin="lower", extent=box, cmap="Greys", **smooth)
        left.plot(*np.stack([x, y]).transpose(2, 0, 1), color=MUTED, linewidth=0.8)
        left.plot(*x.T, "o", color=HUES[0], markersize=4, label="real x")
        left.plot(*y.T, "s", color=HUES[1], markersize=4, label="generated y")
        middle, directions = (x + y) / 2, plane["ahead"]
        left.quiver(*middle.T, *directions.T, color=ACCENT, width=0.006, angles="xy", scale=14)
        left.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
        left.set(xlabel="first coordinate", ylabel="second coordinate")
        left.set_title("An optimal critic, darker where higher,\nand its gradient")
        bins = (np.arange(35) - 0.5) / 31  # 1 is in the middle of one
        for index, key in enumerate(("norm", "other_norm")):
            norms = np.concatenate([one[key][:, 2].ravel() for one in results.values()])
            weights = np.full(len(norms), 1 / len(norms))
            right.hist(norms, bins, weights=weights, color=HUES[index], alpha=0.7)
        right.text(0.95, 0.9, "coupled pairs", color=HUES[0], ha="right")
        right.text(0.75, 0.3, "independent pairs", color=HUES[1], ha="right")
        right.set(xlabel="norm of the middle critic's gradient", ylabel="share of points")
        right.set_title("Norms on segments")
        alt = "Gradients of a critic point from generated to real points; norms on segments"
        drawing = render(shape, "T16-gradient", alt)
    caption = (
        "Left: lines join pairs of the optimal coupling; arrows are gradients half way, and point "
        "to the real end. Right: on those lines each norm is 1, elsewhere it need not be."
    )
    return [Figure(caption, drawing)]


def _solve(settings: PartSettings, index: int) -> tuple[np.ndarray, np.ndarray, Critics, float]:
    """Return real points, generated ones in the order of their partners, critics, and W1."""
    points, dimension = settings["points"], settings["dimension"]
    rng = numpy_generator(settings["seed"], "data", 100 * dimension + index)
    x, y = rng.normal(size=(2, points, dimension))
    y += np.eye(dimension)[0]
    mu, nu = Measure.of(x), Measure.of(y)
    y = y[transport(mu, nu, 1).coupling.argmax(axis=1)]
    best = kantorovich_rubinstein(mu, nu)

    def critics(at: np.ndarray) -> np.ndarray:
        ends = [extension(best.points, best.values, at, largest=one) for one in (True, False)]
        return np.stack([*ends, np.mean(ends, axis=0)])  # [critics, N]

    return x, y, critics, best.value


def _segment_gradients(settings: PartSettings, index: int) -> Measurements:
    x, y, critics, distance = _solve(settings, index)
    places, length = _segments(x, y, settings["alphas"])
    shape = (len(CRITICS), len(x), len(settings["alphas"]))
    gradient, values = _gradient(critics, places, STEP * length), critics(places)
    norm = np.linalg.norm(gradient, axis=-1)
    directions = np.repeat((x - y) / np.linalg.norm(x - y, axis=1)[:, None], shape[2], axis=0)
    rng = numpy_generator(settings["seed"], "draws", 100 * settings["dimension"] + index)
    places, length = _segments(x, rng.permutation(y), settings["alphas"])
    other = np.linalg.norm(_gradient(critics, places, STEP * length), axis=-1)
    return {
        "norm": norm.reshape(shape),  # float32 would round to 1
        "towards_real": ((gradient * directions).sum(-1) / norm).reshape(shape).astype(np.float32),
        "other_norm": other.reshape(shape).astype(np.float32),
        "split": (values[0] - values[1]) / distance,
    }


def _segments(x: np.ndarray, y: np.ndarray, alphas: Sequence[float]) -> tuple[np.ndarray, ...]:
    """alpha x + (1 - alpha) y, [N alphas, D], and the length of each place's segment."""
    mix = np.asarray(alphas)[None, :, None]
    places = mix * x[:, None] + (1 - mix) * y[:, None]
    length = np.repeat(np.linalg.norm(x - y, axis=1), len(alphas))
    return places.reshape(-1, x.shape[1]), length


def _gradient(critics: Critics, at: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Central differences of all critics at points [N, D], [critics, N, D]."""
    shifts = step[:, None, None] * np.eye(at.shape[1])  # [N, D, D]
    both = [critics((at[:, None] + s * shifts).reshape(-1, at.shape[1])) for s in (1, -1)]
    return (both[0] - both[1]).reshape(len(CRITICS), *at.shape) / (2 * step[:, None])


def _critic_map(settings: PartSettings) -> Measurements:
    x, y, critics, _ = _solve(settings, 0)
    both = np.concatenate([x, y])
    corner = np.array([both.min() - 0.3, both.max() + 0.3])
    axis = np.linspace(corner[0], corner[1], SIDE)
    at = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    places, length = _segments(x, y, (0.5,))
    arrays = {
        "real": x,
        "fake": y,
        "map": critics(at)[2].reshape(SIDE, SIDE),
        "ahead": _gradient(critics, places, STEP * length)[2],
    }
    return {"corner": corner, **{k: v.astype(np.float32) for k, v in arrays.items()}}


EXPERIMENT = Experiment(
    id="T16",
    title="The optimal critic's gradient",
    statement=(
        "Along each line between the two points of a pair of the optimal coupling, the gradient of "
        "the optimal critic has norm 1 and points along that line."
    ),
    source="slides [Gulrajani et al. 2017, arXiv:1704.00028, proposition 1]",
    setup=(
        "Random points in two and ten dimensions. The coupling by assignment, the critic by a "
        "linear programme of its own on the points; off them the largest and the smallest "
        "1-Lipschitz function with its values, and their mean: all optimal. Central differences at "
        "five places of each segment."
    ),
    rule=(
        f"Reproduced: the norm is 1 to {TOLERANCE:g} at every place of every segment, for the "
        "largest, the smallest and the middle critic; partly: at more than half of them; not "
        "reproduced: otherwise. The direction is reported with its sign."
    ),
    version=1,
    minutes=CpuMinutes(full=1, quick=0.1),
    parts=parts,
    measure=measure,
    conclude=conclude,
    draw=draw,
    caveat=(
        "The slide has the gradient along y - x, for x real and y generated. With psi maximising "
        "E_real - E_fake, as on the same slides, psi rises towards real x: the gradient is "
        "(x - y) / norm, and the arrows of the figure point there. The slide's 'if psi is "
        "differentiable' is no restriction inside a segment: the largest and the smallest optimal "
        "critic touch there, so that all have one gradient; at x and y themselves it can fail."
    ),
)
