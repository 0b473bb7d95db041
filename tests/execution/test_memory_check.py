"""What is free for a pack."""

import pytest
import torch
from omegaconf import OmegaConf

from bench.config import build
from bench.execution.packs import memory_check
from bench.execution.packs.autotune import best_pack_size

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


def test_a_replica_needs_six_copies_of_its_weights_and_the_outputs_of_its_leaves(monkeypatch):
    """Six of 2 x 3 weights and 3 biases, and 5 x 3 numbers of each of two layers, float32."""

    class Pair(torch.nn.Module):
        def forward(self, x):
            return x, x

    class Loop:
        def __init__(self, model, samples, batch_size):
            self.model = model

        def step(self):
            self.model(torch.zeros(5, 2))

    layers = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), Pair())
    monkeypatch.setattr(memory_check, "PlainLoop", Loop)
    monkeypatch.setattr(memory_check.build, "build_model", lambda cfg: layers)
    cfg = OmegaConf.create({"batch_size": 5})
    assert memory_check.required_bytes(cfg, torch.zeros(5, 2)) == 4 * (6 * (2 * 3 + 3) + 2 * 5 * 3)


def test_where_no_pack_was_measured_runs_go_one_at_a_time(tiny):
    cfg = build.compose_config(tiny("dataset=ring", network="mlp"))
    size = best_pack_size(cfg, torch.zeros(64, 2), 1)
    assert size.slots == 0 and "too few for every worker" in size.why
