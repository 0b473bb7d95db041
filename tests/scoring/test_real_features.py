"""Features of real samples: kept under what they depend on, verified, made again."""

import multiprocessing
import os
import resource
import stat

import numpy as np
import pytest
import torch
from torch import nn

from bench.core.errors import UserError
from bench.core.files import DiskError, writer_id
from bench.data.split import Split
from bench.metrics.memorisation import memorised
from bench.scoring import real_features
from bench.scoring.features import Features, Reference
from bench.scoring.memorisation import Memorisation
from bench.scoring.real_features import RealFeatures

CPU = torch.device("cpu")
SPLITS = {
    "train": Split(np.arange(48, dtype=np.float32).reshape(24, 2), None),
    "test": Split(np.ones((7, 2), np.float32), None),
}


class Doubling(nn.Module):
    name, weight_hash, resize = "doubling", "", "none"

    def __init__(self):
        super().__init__()
        self.seen = 0

    def forward(self, points):
        self.seen += len(points)
        return 2 * points, points[:, :1]


def reals(cache, *, extractor=None, splits=SPLITS, digest="a", name="points"):
    facts = {key: {"digest": digest + key, "count": len(s.samples)} for key, s in SPLITS.items()}
    return RealFeatures(name, extractor or Doubling(), CPU, 5, facts, splits, cache)


def test_features_are_those_of_the_samples_and_computed_once(tmp_path):
    first = reals(tmp_path)
    seen = first.features("train", 20)
    assert (seen.features == 2 * SPLITS["train"].samples[:20]).all()
    assert (seen.logits == SPLITS["train"].samples[:20, :1]).all()
    assert first.features("train", 20) is seen and first.extractor.seen == 20
    second = reals(tmp_path)
    assert (second.features("train", 20).features == seen.features).all()
    assert (second.features("train", 20).logits == seen.logits).all()
    assert second.extractor.seen == 0


class Counting(Doubling):
    """Features that depend on how many samples are in a batch, as the last bits do."""

    def forward(self, points):
        return torch.full((len(points), 1), float(len(points))), None


@pytest.mark.parametrize("count", [2, 7, 20, 23])
def test_the_first_features_are_the_same_however_many_are_wanted(count):
    """Of 24 in batches of 5: a metric that wants all of them changes no score of the others."""
    some, whole = (reals(None, extractor=Counting()).features("train", n) for n in (count, 24))
    assert len(some) == count and (some.features == whole.features[:count]).all()


@pytest.mark.parametrize("change", ["digest", "weights", "resize", "count", "split"])
def test_other_data_or_weights_are_other_features(tmp_path, change):
    reals(tmp_path).features("train", 7)
    other = Doubling()
    if change in ("weights", "resize"):
        setattr(other, {"weights": "weight_hash", "resize": "resize"}[change], "other")
    again = reals(tmp_path, extractor=other, digest="b" if change == "digest" else "a")
    count, split = 8 if change == "count" else 7, "test" if change == "split" else "train"
    again.features(split, min(count, 7) if split == "test" else count)
    assert other.seen > 0


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_a_damaged_file_is_made_again(tmp_path, damage):
    whole = reals(tmp_path).features("train", 24).features
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    if damage == "changed":
        content[-3] ^= 0xFF
    file.write_bytes({"cut": content[:-8], "changed": content, "empty": b""}[damage])
    again = reals(tmp_path)
    assert (again.features("train", 24).features == whole).all() and again.extractor.seen == 24
    third = reals(tmp_path)
    assert (third.features("train", 24).features == whole).all() and third.extractor.seen == 0


def test_a_group_can_read_it_and_what_a_killed_process_left_is_removed(tmp_path):
    child = multiprocessing.get_context("fork").Process(target=int)
    child.start()
    child.join()
    host = writer_id().rpartition("-")[0]
    dead, living = (
        tmp_path / f".{n}.safetensors.{host}-{pid}-0123.part"
        for n, pid in enumerate((child.pid, os.getpid()))
    )
    for part in (dead, living):
        part.write_text("half")
    before = os.umask(0o002)
    try:
        reals(tmp_path).features("train", 7)
    finally:
        os.umask(before)
    (file,) = tmp_path.glob("[!.]*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o664
    assert living.exists() and not dead.exists()


def test_a_full_disk_is_one_sentence(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(DiskError, match="cannot write"):
            reals(tmp_path).features("train", 24)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_without_the_data_the_cache_will_do_also_that_of_another_environment(tmp_path):
    whole = reals(tmp_path).features("test", 7).features
    (file,) = tmp_path.iterdir()
    file.rename(tmp_path / f"{file.name.partition('-')[0]}-elsewhere.safetensors")
    assert (reals(tmp_path, splits=None).features("test", 7).features == whole).all()
    with pytest.raises(UserError, match="is not here") as error:
        reals(tmp_path, splits=None).features("train", 24)
    assert "dataset.root=DIR" in str(error.value)


@pytest.mark.parametrize(
    ("split", "wanted", "said"), [("validation", None, "has test, train"), ("test", 8, "has 7")]
)
def test_what_is_not_there_is_said(tmp_path, split, wanted, said):
    with pytest.raises(UserError, match=said):
        reals(tmp_path).count(split, wanted, "score.split")
    assert reals(tmp_path).count("test", None, "score.split") == 7


def labelled_splits(offset=0):
    return {
        name: Split(split.samples, np.arange(offset, offset + len(split.samples)))
        for name, split in SPLITS.items()
    }


def test_labels_are_kept_with_the_features(tmp_path):
    labels = reals(tmp_path, splits=labelled_splits(3)).features("train", 20).labels
    assert labels.tolist() == list(range(3, 23))
    assert reals(tmp_path, splits=None).features("train", 20).labels.tolist() == labels.tolist()


def test_a_cache_that_has_no_labels_yet_gets_those_of_the_data(tmp_path):
    """Files of earlier versions: the features keep their bits and are not computed again."""
    before = reals(tmp_path).features("train", 20)
    assert before.labels is None
    late = reals(tmp_path, splits=labelled_splits())
    after = late.features("train", 20)
    assert late.extractor.seen == 0 and (after.features == before.features).all()
    assert after.labels.tolist() == list(range(20))
    alone = reals(tmp_path, splits=None).features("train", 20)  # the file has them now
    assert alone.labels.tolist() == list(range(20)) and (alone.logits == before.logits).all()


def test_a_cache_without_labels_that_cannot_be_written_will_do(tmp_path, monkeypatch):
    reals(tmp_path).features("train", 20)

    def full(*_):
        raise DiskError("cannot write it", fix="")

    monkeypatch.setattr(real_features, "_save", full)
    found = reals(tmp_path, splits=labelled_splits()).features("train", 20)
    assert found.labels.tolist() == list(range(20))


TRAIN, HELD_OUT = np.random.default_rng(0).normal(size=(2, 90, 4)).astype(np.float32)


def squares(calls):
    calls.append(1)
    return {"squares": np.square(TRAIN), "mask": TRAIN[:, 0] > 0}


def test_what_is_derived_is_computed_once_and_read_again_to_the_bit(tmp_path):
    calls, first = [], reals(tmp_path)
    found = first.derived("squares-1", [TRAIN], lambda: squares(calls))
    assert first.derived("squares-1", [TRAIN.copy()], lambda: squares(calls)) is found
    found["squares"][0] = 7  # a metric's own addition stays in this process
    again = reals(tmp_path).derived("squares-1", [TRAIN], lambda: squares(calls))
    assert len(calls) == 1 and again.keys() == {"squares", "mask"}
    for name, expected in squares([]).items():
        assert again[name].dtype == expected.dtype and again[name].tobytes() == expected.tobytes()


@pytest.mark.parametrize("change", ["name", "input", "order", "dtype", "damage"])
def test_what_is_derived_from_anything_else_or_damaged_is_computed_anew(tmp_path, change):
    calls, name, inputs = [], "squares-1", [TRAIN, HELD_OUT]
    reals(tmp_path).derived(name, inputs, lambda: squares(calls))
    if change == "name":
        name = "squares-2"
    elif change == "input":
        inputs = [TRAIN, np.nextafter(HELD_OUT, 1)]
    elif change == "order":
        inputs = inputs[::-1]
    elif change == "dtype":
        inputs = [TRAIN, HELD_OUT.view(np.int32)]
    else:
        (file,) = tmp_path.iterdir()
        content = bytearray(file.read_bytes())
        content[-3] ^= 0xFF
        file.write_bytes(content)
    for _ in range(2):  # the second time it is there
        found = reals(tmp_path).derived(name, inputs, lambda: squares(calls))
        assert len(calls) == 2 and (found["squares"] == np.square(TRAIN)).all()


def test_what_is_derived_needs_no_folder_that_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for cache in (None, tmp_path / "file" / "folder"):
        calls, found = [], reals(cache)
        for _ in range(2):
            assert found.derived("squares-1", [TRAIN], lambda c=calls: squares(c))["mask"].any()
        assert len(calls) == 1


def test_memorisation_has_the_same_bits_with_and_without_a_cache(tmp_path):
    """New, in the memory of the process, and read from the disk by another."""
    rng = np.random.default_rng(1)
    metric = Memorisation(confidence=0.95, max_bytes=2**20)
    sides = Features(HELD_OUT, None), Features(TRAIN, None), Features(HELD_OUT, None)
    caches = [reals(tmp_path) for _ in range(2)]
    for _ in range(2):
        fake = TRAIN[:50] + rng.normal(size=(50, 4)).astype(np.float32) / 2
        expected, notes = metric(Reference(*sides), Features(fake, None)), Features(fake, None)
        alone = memorised(fake, TRAIN, max_bytes=2**20)
        assert expected["memorised"] == alone.share
        assert expected["memorised.held_out"] == memorised(HELD_OUT, TRAIN, max_bytes=2**20).share
        for cache in caches:
            assert metric(Reference(*sides, None, cache.derived), notes) == expected
            for part, whole in zip(notes.notes["memorised"], alone, strict=True):
                assert part.tobytes() == whole.tobytes()
    assert len(list(tmp_path.iterdir())) == 1
