"""benchmarks/gpu.py: its counters count what one can count by hand, and its CPU half runs."""

import json
import sys
import time
from dataclasses import replace

import pytest
import torch
from support import ROOT
from torch import nn

from bench.core.errors import UserError
from bench.data.batches import training_data
from bench.execution.packs.plain_loop import PlainLoop
from bench.vectorized.stack import ReplicaStack
from bench.vectorized.trainer import train_step

sys.path.append(str(ROOT / "benchmarks"))  # where its scripts find one another

import counters
import gpu

RING = ["preset=study", "dataset=ring", "network.width=8", "hyperparameters.d_batch_norm=false"]
UNROLLED = [*RING, "variant=unrolled_gan", "hyperparameters.unroll_steps=1"]


@pytest.mark.parametrize(
    ("step", "waits"),
    [
        (lambda x: (x.sum().item(), float(x[0])), {"item": 2}),
        (lambda x: bool(x.sum() > 0) and x[x > 0], {"item": 1, "index by a mask": 1}),
        (lambda x: (x[[0, 1]], x.tolist(), x.nonzero()), {
            "index by a list": 1, "tolist": 1, "nonzero": 1
        }),
        (lambda x: (torch.tensor([1.0], device=x.device), x.to(x.device)), {"tensor": 1, "to": 1}),
        (lambda x: (x.to(x.device, non_blocking=True), x.to(torch.float64), x[0:2] * 3), {}),
    ],
)  # fmt: skip
def test_reads_of_values_and_copies_are_counted(step, waits):
    x = torch.ones(3)
    assert counters.count_waits(lambda: step(x))[1] == waits
    assert counters.count_waits(lambda: x + 1)[0] == 1


def test_live_bytes_are_those_of_tensors_that_exist_at_one_time():
    with counters.LiveBytes() as live:
        first = torch.zeros(1000)  # 4000 bytes
        second = first + 1
        del first
        view = second.view(10, 100)
    assert (live.peak, live.live) == (8000, 4000)
    del second, view
    assert live.live == 0


def test_a_replica_keeps_four_times_its_weights_and_its_buffers():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    weights = 3 * 4 + 4 + 4 + 4
    assert counters.state_bytes(net) == 4 * weights * 4 + 2 * 4 * 4 + 8  # its count is an int64
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.randn(5, 3)).sum().backward()
    optimizer.step()
    moments = [m for s in optimizer.state.values() for m in (s["exp_avg"], s["exp_avg_sq"])]
    kept = [*net.parameters(), *(p.grad for p in net.parameters()), *moments, *net.buffers()]
    assert counters.state_bytes(net) == sum(tensor.nbytes for tensor in kept)


def test_an_unrolled_step_reads_the_count_of_adams_steps_once_alone_and_never_in_a_stack():
    """3 s, to trace it: only a whole step shows where it reads."""
    cfg, models, data = gpu.build_models(UNROLLED, 3)
    loop = PlainLoop(models[0], data, cfg.batch_size)
    stack = ReplicaStack(models[1:], data, cfg.batch_size)
    for _ in range(gpu.WARM):
        loop.step()
        train_step(stack)
    assert counters.count_waits(loop.step)[1] == {"tolist": 1}
    assert counters.count_waits(lambda: train_step(stack))[1] == {}


def test_a_draw_of_classes_waits_for_no_copy():
    overrides = [*gpu.SMALL, "conditioning=projection"]
    cfg, splits = gpu.load_case(overrides, 24)
    model = gpu.build.build_model(cfg, splits["train"])
    loop = PlainLoop(model, training_data(splits["train"]), cfg.batch_size)
    loop.step()
    assert counters.count_waits(loop.step)[1] == {}


def test_the_cpu_half_holds(monkeypatch):
    """Some 7 s, to trace six stacks: no other test counts the waits of packed steps."""
    monkeypatch.setattr(gpu, "SMALL", RING)
    setup, found = replace(gpu.CPU, case=(RING, 24, 24)), {}
    for check in (gpu.check_equality, gpu.count_step):
        found |= {result.what: result for result in check(setup)}
    assert all(result.holds is not False for result in found.values())
    waits = [result.value for what, result in found.items() if what.endswith("waits of the host")]
    assert waits == [0, 0, 0]
    monkeypatch.setattr(gpu, "call_in_process", lambda *arguments: 3.0)  # MiB
    found = {result.what: result.value for result in gpu.predict_memory(setup)}
    _, (model,), data = gpu.build_models(RING, 1)
    weights = sum(p.numel() for p in model.parameters())
    buffers = sum(b.numel() for b in model.buffers())
    state = 4 * (4 * weights + buffers) / 2**20
    assert found["state of a replica, predicted"] == state
    predicted = found["state, order of batches and step of a replica, predicted"]
    assert found["measured over predicted"] == pytest.approx(3 / predicted)
    # a step holds at least the new gradients of one player beside the old ones
    least = min(sum(p.nbytes for p in player.parameters()) for player in model.players())
    assert predicted - state > (8 * len(data.samples) + least) / 2**20


def checks_of(*measures):
    return [gpu.Check(f"{i}", measure, 1, 0.1) for i, measure in enumerate(measures)]


def test_a_failing_check_ends_alone_and_a_late_one_is_stopped():
    def fails(setup):
        yield gpu.Result("first", 1.0)
        raise ValueError("there is\nnone")

    def sleeps(setup):
        yield gpu.Result("early", 2.0)
        try:
            time.sleep(60)
        except Exception:
            yield gpu.Result("taken for a failure")

    def counts(setup):
        yield gpu.Result("late", 3.0)

    checks = checks_of(fails, sleeps, counts)
    checks += [replace(checks[2], cpu_seconds=None), replace(checks[2], cpu_seconds=60)]
    written = []
    gpu.run_checks(gpu.CPU, checks[:4], 0.5, lambda name, result: written.append(result))
    assert [result.what for result in written] == [
        "first", "failed", "early", "stopped", "late", "not run"
    ]  # fmt: skip
    assert written[1].remark == "ValueError: there is none"
    written.clear()
    gpu.run_checks(gpu.CPU, checks[4:], 0.5, lambda name, result: written.append(result))
    assert [result.what for result in written] == ["not reached"]


def test_results_are_lines_of_a_file_and_rows_of_a_table(tmp_path, monkeypatch, capsys):
    def measure(setup):
        yield gpu.Result("a|b", 0.25, "s", True)
        yield gpu.Result("lost", float("nan"))

    monkeypatch.setattr(gpu, "CHECKS", checks_of(measure))
    gpu.run("cpu", 1, tmp_path / "gpu.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "gpu.jsonl").read_text().splitlines()]
    assert [(line["what"], line["value"]) for line in lines] == [("a|b", 0.25), ("lost", None)]
    rows = capsys.readouterr().out.splitlines()
    assert rows[2:] == [
        "| 0 | a\\|b | 0.25 | s | holds |  |",
        "| 0 | lost |  |  |  | the value is nan |",
    ]


@pytest.mark.parametrize(
    ("device", "minutes", "folder", "message"),
    [
        ("cpu", 0, ".", "--minutes is 0"),
        ("cpu", 1, "absent", "the folder of --to does not exist"),
        ("cuda", 1, ".", "torch sees no GPU"),
    ],
)
def test_bad_input_gets_a_sentence(device, minutes, folder, message, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=message):
        gpu.run(device, minutes, tmp_path / folder / "gpu.jsonl")
