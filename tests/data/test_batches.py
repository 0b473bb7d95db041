"""Order and content of batches."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.core.batch import Batch
from bench.data.batches import (
    FRESH_STREAM,
    STREAM,
    Batches,
    BatchIndexSampler,
    DeviceBatches,
    as_float,
    iter_batch_indices,
    with_mirrored,
)
from bench.data.split import Split


@given(count=st.integers(1, 30), size=st.integers(1, 40), first=st.integers(0, 20))
def test_every_epoch_holds_every_sample_once_and_any_start_sees_the_same(count, size, first):
    whole = list(iter_batch_indices(count, size, 3, 0, 25))
    assert [b.tolist() for b in iter_batch_indices(count, size, 3, first, 25)] == [
        b.tolist() for b in whole[first:]
    ]
    line = torch.cat(whole)
    for epoch in range(len(line) // count):
        part = line[epoch * count : (epoch + 1) * count]
        assert sorted(part.tolist()) == list(range(count))


def test_seeds_shuffle_apart():
    orders = [next(iter(iter_batch_indices(100, 100, seed, 0, 1))).tolist() for seed in (0, 1)]
    assert orders[0] != orders[1]


def test_images_become_floats_in_the_unit_interval_and_points_stay():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8)
    assert as_float(images).tolist() == pytest.approx([0.0, 0.2, 1.0])
    points = torch.tensor([-3.5])
    assert as_float(points) is points


def test_batches_hold_the_samples_of_the_order():
    samples = torch.arange(10.0).reshape(10, 1)
    order = list(iter_batch_indices(10, 4, 0, 2, 6))
    batches = list(DeviceBatches(Batch(samples), BatchIndexSampler(10, 4, 0, 2, 6, [STREAM])))
    assert len(batches) == 4 and all(batch.labels == {} for batch in batches)
    pairs = zip(batches, order, strict=True)
    assert all(torch.equal(batch.samples[:, 0], o.float()) for batch, o in pairs)


def test_a_second_stream_gives_each_step_a_second_batch_of_another_order():
    samples, streams = torch.arange(10.0).reshape(10, 1), [STREAM, FRESH_STREAM]
    found = list(DeviceBatches(Batch(samples), BatchIndexSampler(10, 4, 0, 2, 6, streams)))
    for place, stream in enumerate(streams):
        order = iter_batch_indices(10, 4, 0, 2, 6, stream)
        for batches, indices in zip(found, order, strict=True):
            assert torch.equal(batches[place].samples[:, 0], indices.float())
    assert not torch.equal(found[0][0].samples, found[0][1].samples)


def test_no_samples_are_refused():
    with pytest.raises(ValueError, match="0 samples"):
        none = Split(np.zeros((0, 2), np.float32), None)
        Batches(none, batch_size=4, seed=0, d_steps=1, on_device=True, workers=0)


def test_flips_double_the_training_split_with_mirror_images():
    images = np.arange(12, dtype=np.uint8).reshape(2, 1, 2, 3)
    doubled = with_mirrored(Split(images, np.array([4, 7])), True)
    assert doubled.samples[2:].tolist() == images[..., ::-1].tolist()
    assert doubled.samples[:2].tolist() == images.tolist()
    assert doubled.labels.tolist() == [4, 7, 4, 7]
    points = Split(np.zeros((2, 2), np.float32), None)
    assert with_mirrored(points, False) is points
    with pytest.raises(ValueError, match="flips=true mirrors images, and this data set holds"):
        with_mirrored(points, True)
