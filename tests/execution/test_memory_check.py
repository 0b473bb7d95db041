"""What is free for a pack."""

import pytest
import torch

from bench.execution.packs import memory_check

GROUP = {"memory.current": "700\n", "memory.stat": "anon 300\ninactive_file 250\nactive_file 90\n"}


@pytest.mark.parametrize(
    ("limit", "free", "left"), [("1000", 5000, 1000 - (700 - 250)), ("max", 5000, 5000)]
)
def test_files_that_a_control_group_has_read_are_not_in_the_way(tmp_path, limit, free, left):
    for name, text in {**GROUP, "memory.max": f"{limit}\n"}.items():
        (tmp_path / name).write_text(text)
    assert memory_check.cgroup_available_bytes(tmp_path, free) == left


def test_blocks_that_torch_keeps_are_given_back_before_a_gpu_is_asked(monkeypatch):
    kept = [3]
    monkeypatch.setattr(torch.cuda, "empty_cache", kept.clear)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10 - sum(kept), 10))
    assert memory_check.available_bytes(torch.device("cuda")) == 10
