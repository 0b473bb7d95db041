"""Features and scores of two folders of PNG files, beside torch-fidelity's and torchmetrics' own.

Their networks run as they are; behind them stand float64 features, so that what is compared is the
definition of a score and not float32's rounding of it. The subsets and splits that they draw are
drawn again here with their seeds, and handed to our functions.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
import random_weights
import torch
from PIL import Image
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance, NoTrainInceptionV3
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from bench.data.decode import open_image, to_array
from bench.data.digits import Digits
from bench.features.convnet import TrainedConvnet
from bench.features.fidelity import import_torch_fidelity
from bench.features.inception import Inception2015
from bench.metrics.frechet import frechet_distance, moments
from bench.metrics.inception_score import inception_score_splits
from bench.metrics.kernel import kernel_blocks
from bench.metrics.prdc import prdc
from bench.scoring.features import extract, iter_batches

SEED, SUBSETS, SPLITS = 7, 5, 3
CPU = torch.device("cpu")


@dataclass
class Case:
    """Two folders and a network in our form and theirs.

    frechet: relative tolerance that their route by eigenvalues of C1 C2 allows.
    """

    folder: Path
    channels: int
    ours: nn.Module
    theirs: type  # of torch-fidelity's extractors
    options: dict
    layers: tuple[str, str]
    subset: int
    frechet: float

    def samples(self, side):
        files = sorted((self.folder / side).iterdir())
        images = [to_array(open_image(path, self.channels)) for path in files]
        return np.stack(images).transpose(0, 3, 1, 2)

    def _seen(self, side):
        batches = iter_batches(self.samples(side), 16)
        return extract(self.ours, batches, quantise=True, device=CPU)

    @cached_property
    def real(self):
        return self._seen("real")

    @cached_property
    def fake(self):
        return self._seen("fake")

    @cached_property
    def network(self):
        return self.theirs("x", list(self.layers), **self.options)

    @cached_property
    def theirs_on_real(self):
        return self._theirs_on("real")

    @cached_property
    def theirs_on_fake(self):
        return self._theirs_on("fake")

    def _theirs_on(self, side):
        with torch.no_grad():
            parts = [self.network(part) for part in images(self, side).split(16)]
        return [torch.cat(values) for values in zip(*parts, strict=True)]


def images(case, side):
    """Return images as torch-fidelity and torchmetrics take them: uint8 [N, 3, H, W]."""
    return torch.from_numpy(case.samples(side)).repeat(1, 3 // case.channels, 1, 1)


def write(folder, pictures):
    folder.mkdir(parents=True)
    for place, image in enumerate(pictures):
        Image.fromarray(image.squeeze()).save(folder / f"{place:04}.png")


def digits_case(tmp):
    """300 digits beside 240 others, moved by a pixel and noisy; 64 features."""
    base = import_torch_fidelity("x", "feature_extractor_base").FeatureExtractorBase

    class DigitsExtractor(base):
        def __init__(self, name, features_list, **_):
            super().__init__(name, features_list)
            self.net = TrainedConvnet("digits_convnet", None)

        def forward(self, images):
            found = self.net(images[:, :1] / 255)
            given = dict(zip(("features", "logits"), found, strict=True))
            return tuple(given[name].double() for name in self.features_list)

        @staticmethod
        def get_provided_features_list():
            return "features", "logits"

        @staticmethod
        def get_default_feature_layer_for_metric(metric):
            return "logits" if metric == "isc" else "features"

    splits = Digits("digits", None, [1, 8, 8], {"train": 300, "test": 240}, 0).splits()
    noise = np.random.default_rng(0).integers(0, 40, (240, 1, 8, 8))
    moved = np.roll(splits["test"].samples, 1, axis=3) // 2 + noise
    write(tmp / "real", splits["train"].samples[:, 0])
    write(tmp / "fake", moved[:, 0].astype(np.uint8))
    net = TrainedConvnet("digits_convnet", None)
    return Case(tmp, 1, net, DigitsExtractor, {}, ("features", "logits"), 100, 1e-6)


def inception_case(tmp):
    """24 coloured patches beside 24 brighter ones, each of a contrast of its own; 2048 features."""
    weights = random_weights.inception(tmp / "weights.pth")
    theirs = import_torch_fidelity("x", "feature_extractor_inceptionv3").FeatureExtractorInceptionV3

    class InFloat64(theirs):
        def forward(self, images):
            return tuple(values.double() for values in super().forward(images))

    rng = np.random.default_rng(0)
    for side, bright in (("real", 0.0), ("fake", 0.2)):
        contrast = rng.random((24, 1, 1, 1))
        coarse = contrast * rng.random((24, 4, 4, 3)) + (1 - contrast) * rng.random((24, 1, 1, 3))
        levels = (255 * (bright + (1 - bright) * coarse)).astype(np.uint8)
        write(tmp / side, levels.repeat(7, axis=1).repeat(8, axis=2))
    ours = Inception2015("inception_2015", weights, None)
    options = {"feature_extractor_weights_path": str(weights)}
    return Case(tmp, 3, ours, InFloat64, options, ("2048", "logits_unbiased"), 16, 3e-5)


CASES = {"digits": digits_case, "inception": inception_case}


@pytest.fixture(
    scope="module", params=["digits", pytest.param("inception", marks=pytest.mark.slow)]
)
def case(request, tmp_path_factory):
    return CASES[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def measured(case):
    """torch-fidelity's scores of the two folders."""
    registry = import_torch_fidelity("x", "registry").FEATURE_EXTRACTORS_REGISTRY
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry, "created-equal", case.theirs)
        return import_torch_fidelity("x", "metrics").calculate_metrics(
            input1=str(case.folder / "fake"),
            input2=str(case.folder / "real"),
            feature_extractor="created-equal",
            feature_layer_fid=case.layers[0],
            feature_layer_kid=case.layers[0],
            feature_layer_prc=case.layers[0],
            feature_layer_isc=case.layers[1],
            isc=True,
            fid=True,
            kid=True,
            prc=True,
            isc_splits=SPLITS,
            kid_subsets=SUBSETS,
            kid_subset_size=case.subset,
            rng_seed=SEED,
            cuda=False,
            cache=False,
            save_cpu_ram=True,
            verbose=False,
            **case.options,
        )


def frechet(case):
    return frechet_distance(*moments(case.real.features), *moments(case.fake.features))


def test_features_and_logits(case):
    for ours, theirs in ((case.real, case.theirs_on_real), (case.fake, case.theirs_on_fake)):
        for found, expected in zip((ours.features, ours.logits), theirs, strict=True):
            assert expected.std(0).mean() > 1e-3 * expected.abs().mean()  # images can be told apart
            largest = expected.abs().max().item()
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * largest)


def test_frechet_distance_of_torch_fidelity(case, measured):
    assert frechet(case) == pytest.approx(measured["frechet_inception_distance"], rel=case.frechet)


def test_frechet_distance_without_covariances(case):
    """Tr (C1 C2)^(1/2) is the sum of the singular values of X Y^T, of centred rows.

    So it has no small eigenvalues to lose where there are fewer images than features, as in the
    case of Inception: torch-fidelity's value is 1e-5 from this one there.
    """
    sides = [case.real.features.astype(np.float64), case.fake.features.astype(np.float64)]
    x, y = ((side - side.mean(0)) / (len(side) - 1) ** 0.5 for side in sides)
    apart = np.square(sides[0].mean(0) - sides[1].mean(0)).sum()
    cross = np.linalg.svd(x @ y.T, compute_uv=False).sum()
    expected = apart + np.square(x).sum() + np.square(y).sum() - 2 * cross
    assert frechet(case) == pytest.approx(expected, rel=1e-9)


def in_float64(case):
    """Real and generated features in the precision of theirs, which `kernel_blocks` keeps."""
    return [side.features.astype(np.float64) for side in (case.real, case.fake)]


def test_kernel_distance_of_torch_fidelity(case, measured):
    """Its subsets, generated first: RandomState(seed).choice without replacement."""
    draws, real, fake = np.random.RandomState(SEED), [], []
    for _ in range(SUBSETS):
        fake.append(draws.choice(len(case.fake), case.subset, replace=False))
        real.append(draws.choice(len(case.real), case.subset, replace=False))
    mean, error = kernel_blocks(*in_float64(case), real, fake)
    assert mean == pytest.approx(measured["kernel_inception_distance_mean"], rel=1e-6)
    deviation = error * (SUBSETS - 1) ** 0.5  # theirs is over B, ours of the mean, over B - 1
    assert deviation == pytest.approx(measured["kernel_inception_distance_std"], rel=1e-6)


def test_inception_score_of_torch_fidelity(case, measured):
    order = np.random.RandomState(SEED).permutation(len(case.fake))
    mean, deviation = inception_score_splits(case.fake.logits[order], SPLITS)
    assert mean == pytest.approx(measured["inception_score_mean"], rel=1e-6)
    assert deviation == pytest.approx(measured["inception_score_std"], rel=1e-6)


def test_precision_and_recall_of_torch_fidelity(case, measured):
    found = prdc(case.real.features, case.fake.features, k=3, strict=False, max_bytes=2**20)
    for name in ("precision", "recall"):
        assert found[name] == pytest.approx(measured[name], rel=1e-6)  # a float32 mean
        assert 0 < found[name] < 1


class Kept(nn.Module):
    """The float64 features of torchmetrics' network, kept: three metrics see the same images."""

    def __init__(self, network, width):
        super().__init__()
        self.network, self.num_features, self.kept = network, width, {}

    def forward(self, images):
        key = hash(images.numpy().tobytes())
        if key not in self.kept:
            with torch.no_grad():
                found = self.network(images)
            self.kept[key] = found[0] if isinstance(found, tuple) else found
        return self.kept[key].double()


@pytest.fixture(scope="module")
def networks(case):
    """Of torchmetrics, one a layer; its own resize would be another one (antialias)."""
    layers = []
    for layer, width in zip(case.layers, (case.real.features, case.real.logits), strict=True):
        if case.options:
            network = NoTrainInceptionV3("x", [layer], *case.options.values(), antialias=False)
        else:
            network = case.theirs("x", [layer])
        layers.append(Kept(network, width.shape[1]))
    return layers


def test_frechet_distance_of_torchmetrics(case, networks):
    metric = FrechetInceptionDistance(networks[0])
    metric.update(images(case, "real"), real=True)
    metric.update(images(case, "fake"), real=False)
    assert frechet(case) == pytest.approx(metric.compute().item(), rel=case.frechet)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance`")
def test_kernel_distance_of_torchmetrics(case, networks):
    """Its subsets, real first: the first of torch.randperm."""
    metric = KernelInceptionDistance(networks[0], subsets=SUBSETS, subset_size=case.subset)
    metric.update(images(case, "real"), real=True)
    metric.update(images(case, "fake"), real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        expected = metric.compute()
        torch.manual_seed(SEED)
        drawn = [
            [torch.randperm(len(side))[: case.subset].numpy() for side in (case.real, case.fake)]
            for _ in range(SUBSETS)
        ]
    real, fake = zip(*drawn, strict=True)
    mean, error = kernel_blocks(*in_float64(case), real, fake)
    assert mean == pytest.approx(expected[0].item(), rel=1e-6)
    assert error * (SUBSETS - 1) ** 0.5 == pytest.approx(expected[1].item(), rel=1e-6)


@pytest.mark.filterwarnings("ignore:Metric `InceptionScore`")
def test_inception_score_of_torchmetrics(case, networks):
    metric = InceptionScore(networks[1], splits=SPLITS)
    metric.update(images(case, "fake"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        expected = metric.compute()
        torch.manual_seed(SEED)
        order = torch.randperm(len(case.fake)).numpy()
    mean, deviation = inception_score_splits(case.fake.logits[order], SPLITS)
    assert mean == pytest.approx(expected[0].item(), rel=1e-6)
    unbiased = deviation * (SPLITS / (SPLITS - 1)) ** 0.5
    # torchmetrics subtracts the mean in float32, which rounds by up to 1.2e-7 of it
    rounding = 1.2e-7 * expected[0].item()
    assert unbiased == pytest.approx(expected[1].item(), rel=1e-6, abs=rounding)
