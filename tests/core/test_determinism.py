"""Deterministic algorithms for a block."""

import torch
from torch.profiler import profile

from bench.core.determinism import deterministic_algorithms


def test_they_are_on_in_the_block_alone_and_new_memory_is_not_filled():
    before = torch.utils.deterministic.fill_uninitialized_memory
    with deterministic_algorithms(), profile() as recorded:
        assert torch.are_deterministic_algorithms_enabled()
        torch.empty(3)
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory is before is True
    called = {event.key for event in recorded.key_averages()}
    assert "aten::empty" in called and "aten::fill_" not in called
