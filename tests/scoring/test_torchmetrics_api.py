"""The functions of bench.metrics as metrics that see batches, processes and trainers."""

import copy
import hashlib
import json
import pickle
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import processes
import pytest
import pytorch_lightning as pl
import torch
import torchmetrics
from hydra.utils import instantiate
from omegaconf import OmegaConf
from processes import CAPACITY, CLASSES, WIDTH, Exact, InOrder, images, reference
from support import ROOT
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance

import bench.scoring.feature_metric
import bench.scoring.torchmetrics_api
from bench.core.errors import Caution, UserError
from bench.features.identity import Identity
from bench.metrics.frechet import frechet_distance
from bench.metrics.inception_score import inception_score
from bench.metrics.moments import Moments, moments
from bench.metrics.prdc import prdc
from bench.scoring.distances import Frechet
from bench.scoring.features import Features, Reference, quantise_images, sort_canonically
from bench.scoring.metric_spec import MetricSpec
from bench.scoring.reservoir import keep_smallest
from bench.scoring.torchmetrics_api import (
    CombinedMetric,
    FrechetDistance,
    InceptionScore,
    merge_moments,
)

pytestmark = pytest.mark.filterwarnings("ignore:The ``compute`` method of metric:UserWarning")
CPU = torch.device("cpu")
REAL, FAKE = images(30, 10), images(24, 11)
FAKE[0, 0, 0, 0], FAKE[0, 0, 0, 1] = 0, 1
NONE = FAKE[:0]


def features(samples):
    return Exact()(samples)[0].numpy()


def logits(samples):
    return Exact()(samples)[1].numpy()


def parts_of(samples, size):
    return samples.split(size) if len(samples) else []


def frechet(real=REAL, fake=FAKE, size=7, **how):
    metric = FrechetDistance(Exact(), quantise=False, **how)
    for part in parts_of(real, size):
        metric.update(part, real=True)
    for part in parts_of(fake, size):
        metric.update(part, real=False)
    return metric


def score(fake=FAKE, size=7):
    metric = InceptionScore(Exact(), quantise=False)
    for part in parts_of(fake, size):
        metric.update(part)
    return metric


def scores(fake=FAKE, size=7, metrics=None, capacity=CAPACITY):
    metrics = {"frechet": Frechet(), "in_order": InOrder()} if metrics is None else metrics
    metric = CombinedMetric(Exact(), metrics, reference(), quantise=False, capacity=capacity)
    for part in parts_of(fake, size):
        metric.update(part)
    return metric


class Returns(nn.Module):
    """Whatever it is told to."""

    def __init__(self, found, width=WIDTH):
        super().__init__()
        self.found, self.width = found, width

    def forward(self, samples):
        return self.found


# values


@pytest.mark.parametrize("size", [1, 7, 30])
def test_frechet_distance_is_that_of_all_features_at_once(size):
    whole = frechet_distance(*moments(features(REAL)), *moments(features(FAKE)))
    found = frechet(size=size).compute()
    assert found.dtype == torch.float64 and found.ndim == 0
    assert found.item() == pytest.approx(whole, rel=1e-12)


def test_frechet_distance_is_that_of_torchmetrics():
    class Alone(Exact):
        def forward(self, samples):
            return super().forward(samples)[0]

    theirs = FrechetInceptionDistance(feature=Alone(), normalize=True)
    for part in REAL.split(7):
        theirs.update(part, real=True)
    theirs.update(FAKE, real=False)
    assert frechet().compute().item() == pytest.approx(theirs.compute().item(), rel=1e-6)


def test_a_mean_far_from_zero_costs_no_digits():
    """Sums of x and x x^T would keep none: (1e7)^2 / eps exceeds the variance of 1."""
    drawn = np.random.default_rng(0).integers(-2, 3, (2, 40, 3)).astype(np.float32)
    metric = FrechetDistance(Identity("points", 3), quantise=True)
    for k, side in enumerate(torch.tensor(drawn)):
        for part in side.split(9):
            metric.update(part + 1e7, real=not k)
    near = frechet_distance(*moments(drawn[0]), *moments(drawn[1]))
    assert metric.compute().item() == pytest.approx(near, rel=1e-7)


@pytest.mark.parametrize("parts", [[12, 0, 1, 5], [0, 0, 18], [18], [0, 0]])
def test_moments_of_parts_are_put_together(parts):
    rows = np.random.default_rng(0).normal(3, 2, (sum(parts), 5))
    packed = []
    for part in np.split(rows, np.cumsum(parts)[:-1]):
        m = Moments.of(part)
        head = np.r_[m.count, m.mean]
        packed.append(np.vstack([head, np.c_[m.mean, m.scatter]]))
    found, whole = merge_moments(torch.tensor(np.stack(packed))).numpy(), Moments.of(rows)
    assert found[0, 0] == whole.count
    np.testing.assert_allclose(found[0, 1:], whole.mean, rtol=1e-13)
    np.testing.assert_allclose(found[1:, 0], whole.mean, rtol=1e-13)
    np.testing.assert_allclose(found[1:, 1:], whole.scatter, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [1, 7, 24])
def test_inception_score_is_that_of_all_logits_at_once(size):
    found = score(size=size).compute()
    assert found.dtype == torch.float64 and found.ndim == 0
    assert found.item() == pytest.approx(inception_score(logits(FAKE)), rel=1e-12)


def test_certain_classes_in_equal_numbers_score_their_number():
    extractor = Returns((torch.zeros(CLASSES, WIDTH), 1e3 * torch.eye(CLASSES)))
    metric = InceptionScore(extractor, quantise=True)
    metric.update(torch.zeros(CLASSES, 1, 2, 2))
    assert metric.compute().item() == pytest.approx(CLASSES, rel=1e-12)


def test_scores_are_those_of_the_samples_in_canonical_order():
    ordered = sort_canonically(Features(features(FAKE), logits(FAKE)))
    by_hash = sorted(FAKE, key=lambda image: hashlib.sha256(image.numpy().tobytes()).digest())
    seen = Features(ordered.features, ordered.logits, torch.stack(by_hash[:5]).numpy())
    real = Reference(sort_canonically(reference().real))
    expected = Frechet()(real, seen) | InOrder()(real, seen)
    assert len(expected) == 4
    found = scores().compute()
    assert {name: value.item() for name, value in found.items()} == expected
    assert all(value.dtype == torch.float64 for value in found.values())


def test_scores_of_the_suite_are_those_of_its_functions():
    names = ("prdc", "inception_score")
    loaded = {
        n: instantiate(OmegaConf.load(ROOT / "conf/metric" / f"{n}.yaml"), _convert_="all")
        for n in names
    }
    metrics = {name: measure for part in loaded.values() for name, measure in part.items()}
    found = scores(metrics=metrics).compute()
    how = {name: getattr(metrics["prdc"], name) for name in ("k", "strict", "max_bytes")}
    n = len(FAKE)  # of the 30 real ones as many, the first in canonical order
    expected = prdc(sort_canonically(reference().real).features[:n], features(FAKE), **how)
    for name, value in expected.items():
        assert found[name].item() == pytest.approx(value, rel=1e-12)
    alone = inception_score(logits(FAKE))
    assert found["inception_score"].item() == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("size", [1, 5, 24])
def test_scores_do_not_depend_on_batches_or_order(size):
    turned = FAKE[torch.randperm(24, generator=torch.Generator().manual_seed(size))]
    assert scores(turned, size).compute() == scores(FAKE, 7).compute()


def test_metrics_without_meaning_are_absent():
    class Nowhere(MetricSpec):
        def applies(self, reference):
            return False

    assert set(scores(metrics={"a": InOrder(), "b": Nowhere()}).compute()) == {
        "in_order",
        "in_order.pictures",
    }


@pytest.mark.parametrize("quantise", [True, False])
def test_the_extractor_gets_what_an_image_file_would_hold_if_asked_to(quantise, monkeypatch):
    drawn = torch.rand(8, *processes.SHAPE, generator=torch.Generator().manual_seed(0))
    seen, forward = [], Exact.forward
    monkeypatch.setattr(Exact, "forward", lambda self, x: seen.append(x) or forward(self, x))
    FrechetDistance(Exact(), quantise).update(drawn, real=True)
    InceptionScore(Exact(), quantise).update(drawn)
    metric = CombinedMetric(Exact(), {"a": InOrder()}, reference(), quantise, CAPACITY)
    seen.pop()  # the reference
    metric.update(drawn)
    expected = quantise_images(drawn.clone()) if quantise else drawn
    assert len(seen) == 3 and all(torch.equal(samples, expected) for samples in seen)
    kept = metric.image_records[0].reshape(-1, 11)[:, 5:]
    assert len(kept) == 5 and all((expected.flatten(1) == one).all(1).any() for one in kept)


def test_whole_grey_levels_are_their_share_of_255():
    levels = (FAKE * 255).byte()
    share = score(levels.float() / 255).compute().item()
    assert score(levels).compute().item() == pytest.approx(share, rel=1e-6)
    assert score(levels / 256).compute().item() != pytest.approx(share, rel=1e-6)


def test_points_are_never_rounded():
    points = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    found = [FrechetDistance(Identity("points", 2), quantise) for quantise in (True, False)]
    for metric in found:
        metric.update(points, real=True)
        metric.update(points * 3, real=False)
    assert found[0].compute() == found[1].compute() > 1


# states


def test_states_do_not_grow_with_the_samples():
    few, many = frechet(FAKE[:7], FAKE[:7]), frechet(FAKE.repeat(9, 1, 1, 1), FAKE)
    assert few.real.shape == many.real.shape == (WIDTH + 1, WIDTH + 1)
    assert score().probabilities.shape == (CLASSES,)
    metric = scores(size=1)
    assert [len(rows) for rows in metric.image_records] == [5 * (5 + 6)]
    for part in FAKE.split(6):
        metric.forward(part * 0.5)
        assert sum(map(len, metric.image_records)) == 5 * (5 + 6)
        metric = scores(size=1)


@pytest.mark.parametrize("build", [frechet, score, scores])
def test_reset_forgets_everything(build):
    metric, fresh = build(), build()
    metric.reset()
    with pytest.raises(ValueError, match="no sample yet|two real and two generated"):
        metric.compute()
    for part in FAKE.split(7):
        if build is frechet:
            metric.update(part, real=False)
        else:
            metric.update(part)
    if build is frechet:
        metric.update(REAL, real=True)
        assert metric.compute().item() == pytest.approx(fresh.compute().item(), rel=1e-12)
    else:
        assert metric.compute() == fresh.compute()


def test_real_samples_stay_where_they_are_to():
    metric = frechet(reset_real_features=False)
    whole = metric.compute()
    metric.reset()
    with pytest.raises(ValueError, match="found 30 and 0"):
        metric.compute()
    for part in FAKE.split(7):
        metric.update(part, real=False)
    assert metric.compute() == whole


@pytest.mark.parametrize("build", [frechet, score, scores])
def test_copies_go_on_where_the_metric_was(build):
    metric = build()
    for other in (pickle.loads(pickle.dumps(metric)), copy.deepcopy(metric), metric.clone()):
        assert other.compute() == metric.compute()
        more = {"real": False} if build is frechet else {}
        other.update(FAKE[:3], **more)
        assert other.compute() != metric.compute()


def test_forward_gives_the_batch_and_takes_it_in():
    one, other = score(NONE), score(NONE)
    for part in FAKE.split(12):
        assert one(part) == score(part, 12).compute()
        other.update(part)
    assert one.compute() == other.compute()
    many, both = scores(NONE), scores(size=12)
    for part in FAKE.split(12):
        assert many(part) == scores(part, 12).compute()
    assert many.compute() == both.compute()


def test_forward_of_one_side_is_refused_before_it_is_taken_in():
    metric = frechet()
    before = metric.compute()
    with pytest.raises(TypeError, match=r"FrechetDistance: call update\(images, real=...\)"):
        metric(FAKE, real=False)
    metric.update(torch.zeros(1, 1, 2, 3), real=False)
    assert metric.compute() != before


def test_merged_states_are_those_of_one_metric():
    one, other = frechet(REAL[:11], FAKE[:5]), frechet(REAL[11:], FAKE[5:])
    one.merge_state(other)
    assert one.compute().item() == pytest.approx(frechet().compute().item(), rel=1e-12)
    first, second = score(FAKE[:5]), score(FAKE[5:])
    first.merge_state(second)
    assert first.compute().item() == pytest.approx(score().compute().item(), rel=1e-14)
    some, rest = scores(FAKE[:5]), scores(FAKE[5:])
    some.merge_state(rest)
    assert some.compute() == scores().compute()


# processes


BATCHES = [(images(n, n), images(n - 1, 50 + n)) for n in (9, 6, 4, 8)]
MORE = [(images(3, 70), images(4, 71))]
DEALS = {
    "3 and 1": [BATCHES[:3], BATCHES[3:]],
    "2 and 2": [BATCHES[::2], BATCHES[1::2]],
    "4 and 0": [BATCHES, []],
}


def said_by_one(deal):
    """Scores of all batches in one process, and after two processes have each got more."""
    metrics = processes.update_metrics(processes.metrics(), deal[0] + deal[1])
    return processes.values(metrics), processes.values(processes.update_metrics(metrics, 2 * MORE))


def assert_same(found, expected):
    """To rounding where numbers are added in another order, exactly where samples are sorted."""
    assert found.keys() == expected.keys() and len(expected) == 6
    for name, value in expected.items():
        tolerance = 0 if name.startswith("scores.") else 1e-12
        assert found[name] == pytest.approx(value, rel=tolerance, abs=0)


@pytest.mark.parametrize("deal", DEALS.values(), ids=DEALS)
def test_two_threads_that_gather_as_processes_do(deal, monkeypatch):
    """The gathering itself is that of two processes below, which take half a minute to start."""
    meeting, table, who = threading.Barrier(2, timeout=20), {}, threading.local()

    def gather(part, group=None):
        table[who.rank] = part
        meeting.wait()
        parts = [table[0], table[1]]
        assert parts[0].dtype == parts[1].dtype and parts[0].ndim == parts[1].ndim  # gloo's wish
        meeting.wait()
        return parts

    def process(rank):
        who.rank = rank
        metrics = processes.metrics()
        for metric in metrics.values():
            metric.to(torch.float16).distributed_available_fn = lambda: True
        first = processes.values(processes.update_metrics(metrics, deal[rank]))
        return first, processes.values(processes.update_metrics(metrics, MORE))

    monkeypatch.setattr(torchmetrics.metric, "gather_all_tensors", gather)
    monkeypatch.setattr(bench.scoring.torchmetrics_api, "gather_all_tensors", gather)
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(process, (0, 1)))
    assert said[0] == said[1]
    for found, expected in zip(said[0], said_by_one(deal), strict=True):
        assert_same(found, expected)


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    arguments = (2, str(folder), list(DEALS.values()), MORE)
    torch.multiprocessing.spawn(processes.process, arguments, nprocs=2)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


@pytest.mark.slow
def test_two_processes_give_what_one_gives(two_processes):
    assert two_processes[0][:-1] == two_processes[1][:-1]  # every process has the same value
    expected = [said for deal in DEALS.values() for said in said_by_one(deal)]
    assert len(two_processes[0]) == len(expected) + 1
    for found, wanted in zip(two_processes[0], expected, strict=False):
        assert_same(found, wanted)
    assert expected[0] != expected[1]


@pytest.mark.slow
def test_capacity_is_that_of_all_processes_together(two_processes):
    for said in two_processes:
        assert "41 samples, more than its capacity of 40" in said[-1]["sentence"]


# trainers


class Judged(pl.LightningModule):
    """Scores in validation, as a user would write it."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.frechet = FrechetDistance(Exact(), quantise=False)
        self.inception_score = InceptionScore(Exact(), quantise=False)
        metrics = {"frechet": Frechet(), "in_order": InOrder()}
        self.scores = CombinedMetric(
            Exact(), metrics, reference(), quantise=False, capacity=CAPACITY
        )

    def training_step(self, batch, batch_idx):
        return self.layer(batch[0][:1, 0, 0, :1]).sum()

    def validation_step(self, batch, batch_idx):
        real, fake = batch
        self.frechet.update(real, real=True)
        self.frechet.update(fake, real=False)
        self.inception_score.update(fake)
        self.scores.update(fake)
        self.log("frechet", self.frechet)
        self.log("inception_score", self.inception_score)

    def on_validation_epoch_end(self):
        self.log_dict({f"all/{k}": v for k, v in self.scores.compute().items()})
        self.scores.reset()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


@pytest.fixture
def trainer(tmp_path):
    def build(**how):
        quiet = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary"), False)
        return pl.Trainer(
            accelerator="cpu", default_root_dir=tmp_path, max_epochs=2, **quiet, **how
        )

    return build


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "bf16-true"])
def test_a_trainer_logs_the_same_whatever_it_computes_in(trainer, precision):
    """Two epochs: each sees its own samples alone."""
    data = torch.utils.data.TensorDataset(REAL[:24], FAKE)
    loader = torch.utils.data.DataLoader(data, batch_size=7)
    module, judge = Judged(), trainer(precision=precision, enable_checkpointing=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        judge.fit(module, loader, loader)
    logged = {name: value.item() for name, value in judge.callback_metrics.items()}
    expected = {"frechet": frechet(REAL[:24]).compute(), "inception_score": score().compute()}
    expected |= {f"all/{name}": value for name, value in scores().compute().items()}
    if precision == "bf16-true":  # Lightning rounds the images themselves
        rounded = lambda x: x.bfloat16().float()  # noqa: E731
        expected = {
            "frechet": frechet(rounded(REAL[:24]), rounded(FAKE)).compute(),
            "inception_score": score(rounded(FAKE)).compute(),
        } | {f"all/{name}": value for name, value in scores(rounded(FAKE)).compute().items()}
    assert logged == pytest.approx({k: v.item() for k, v in expected.items()}, rel=1e-6)


def test_a_module_neither_trains_nor_saves_nor_converts_the_extractor():
    module = Judged()
    before = module.frechet.extractor.weight.clone()
    assert set(module.state_dict()) == {"layer.weight", "layer.bias"}
    assert len(list(module.parameters())) == 2
    for metric in (module.frechet, module.inception_score, module.scores):
        if metric is module.frechet:
            metric.update(REAL, real=True)
            metric.update(FAKE, real=False)
        else:
            metric.update(FAKE)
    values = processes.values(vars(module)["_modules"])
    for convert in (module.half, module.bfloat16, lambda: module.to(torch.float16), module.train):
        convert()
        for metric in (module.frechet, module.inception_score, module.scores):
            assert metric.extractor.weight.dtype == torch.float32
            assert not metric.extractor.training
        assert module.frechet.real.dtype == module.inception_score.count.dtype == torch.float64
        assert processes.values(vars(module)["_modules"]) == values
    assert torch.equal(module.frechet.extractor.weight, before)


def test_where_there_is_no_float64_states_stay_on_the_cpu(monkeypatch):
    monkeypatch.setattr(bench.scoring.feature_metric, "NO_FLOAT64", {"meta"})
    metric = frechet()
    with pytest.warns(UserWarning, match="FrechetDistance: meta has no float64; its states stay"):
        metric.to("meta")
    assert metric.device.type == metric.extractor.weight.device.type == "meta"
    assert metric.real.device == metric.fake.device == metric.compute().device == CPU
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metric.to("meta")
    metric.reset()
    assert metric.real.device == CPU
    begun_there = pytest.warns(UserWarning, match="no float64")
    with begun_there:
        assert InceptionScore(Exact().to("meta"), quantise=False).count.device == CPU


def test_states_begin_where_the_extractor_is():
    metric = FrechetDistance(Exact().to("meta"), quantise=False)
    assert metric.device.type == metric.real.device.type == "meta"


# what is refused


@pytest.mark.parametrize("build", [frechet, score, scores])
@pytest.mark.parametrize(
    ("samples", "error", "sentence"),
    [
        (torch.zeros(2, 2, 3), ValueError, r"samples are \[B, C, H, W\] or \[B, D\], found \[2, 2"),
        (torch.zeros(6), ValueError, r"found \[6\]"),
        (NONE, ValueError, r"found \[0, 1, 2, 3\]"),
        (np.zeros((2, 1, 2, 3)), ValueError, "found ndarray"),
        (torch.zeros(2, 1, 2, 3, dtype=torch.int64), ValueError, "uint8, found torch.int64"),
        (2 * FAKE, ValueError, r"images are in \[0, 1\], found 0 to 2"),
        (FAKE - 0.5, ValueError, r"images are in \[0, 1\], found -0.5 to 0.5"),
        (FAKE / 0, FloatingPointError, "a sample is not finite"),
        (FAKE * np.nan, FloatingPointError, "a sample is not finite"),
    ],
)
def test_samples_of_another_kind(build, samples, error, sentence):
    metric = build()
    before = metric.compute()
    more = {"real": False} if build is frechet else {}
    with pytest.raises(error, match=sentence):
        metric.update(samples, **more)
    metric._computed = None
    assert metric.compute() == before


def test_an_extractor_speaks_for_itself():
    metric = FrechetDistance(Identity("points", 2), quantise=False)
    with pytest.raises(UserError, match=r"features 'points' takes samples of shape \[2\]"):
        metric.update(FAKE, real=True)


@pytest.mark.parametrize(
    ("found", "error", "sentence"),
    [
        (torch.zeros(2, WIDTH), ValueError, r"must return \(features, logits or None\)"),
        ((torch.zeros(2, 3), None), ValueError, r"features of shape \[2, 3\], not \[2, 4\]"),
        ((torch.full((2, WIDTH), np.nan), None), FloatingPointError, "a feature is not finite"),
        ((torch.zeros(2, WIDTH), torch.full((2, 3), np.inf)), FloatingPointError, "not finite"),
        ((torch.zeros(2, WIDTH), None), ValueError, "InceptionScore: the extractor classifies n"),
    ],
)
def test_extractors_of_another_kind(found, error, sentence):
    with pytest.raises(error, match=sentence):
        InceptionScore(Returns(found), quantise=False).update(FAKE[:2])


def test_an_extractor_says_how_wide_it_is():
    with pytest.raises(ValueError, match="FrechetDistance: the extractor needs an attribute width"):
        FrechetDistance(nn.Linear(2, 2), quantise=False)


@pytest.mark.parametrize(("n_real", "n_fake"), [(0, 5), (5, 0), (1, 5), (5, 1)])
def test_two_samples_on_each_side(n_real, n_fake):
    with pytest.raises(ValueError, match=f"at least, found {n_real} and {n_fake}"):
        frechet(REAL[:n_real], FAKE[:n_fake]).compute()


def test_few_samples_are_said_to_be_few():
    with pytest.warns(Caution, match=r"of 30 real and 4 generated samples in 4 features"):
        frechet(REAL, FAKE[:4]).compute()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frechet(REAL, FAKE[:5]).compute()


def test_more_samples_than_the_capacity():
    metric = scores(capacity=24)
    with pytest.raises(
        ValueError, match="CombinedMetric: 25 samples, more than its capacity of 24"
    ):
        metric.update(FAKE[:1])
    assert len(metric.compute()) == 4


def test_metrics_that_a_module_cannot_serve():
    class Asks(MetricSpec):
        needs = frozenset({"sampler", "train"})

    with pytest.raises(ValueError, match="CombinedMetric: metric 'asks' needs sampler, train"):
        scores(metrics={"asks": Asks()})


def test_a_reference_of_another_extractor():
    other = Reference(Features(np.zeros((5, 3), np.float32), None))
    with pytest.raises(ValueError, match="the reference has 3 features, the extractor 4"):
        CombinedMetric(Exact(), {}, other, quantise=False, capacity=5)


@pytest.mark.parametrize("other", [(1, 2, 4), (1, 3, 2)], ids=["more pixels", "as many pixels"])
def test_pictures_of_two_sizes(other):
    class Any(Exact):
        def forward(self, samples):
            return super().forward(samples.flatten(1)[:, :6])

    metric = CombinedMetric(Any(), {"a": InOrder()}, reference(), quantise=False, capacity=CAPACITY)
    metric.update(FAKE)
    with pytest.raises(ValueError, match="not all of one shape, the first kept is 1x2x3"):
        metric.update(torch.zeros(12, *other))


def test_hashes_are_compared_by_their_first_word_then_by_their_second():
    words = torch.tensor([[2, 0], [1, 2**24 - 1], [1, 3], [0, 2**24 - 1]]).float()
    records = torch.cat([words, torch.arange(4).float()[:, None]], 1)
    assert keep_smallest(records, 3)[:, -1].tolist() == [3, 2, 1]
    assert keep_smallest(records, 9)[:, -1].tolist() == [3, 2, 1, 0]
