"""From a run's checkpoint file to its row: training never judges itself."""

from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from bench import build
from bench.data.split import Split
from bench.runs.folder import RunFolder
from bench.runs.identity import short_hash
from bench.runs.rows import Row, read_rows, write_row
from bench.scoring.features import Reference, batches_of
from bench.scoring.score import Settings, protocol_of, reference_of, score_batches
from bench.seeds import generator as stream

OWN = ("prior", "batch_norm", "ema", "latent_seed")  # of a run, not of what it is compared with


def request_hash(plain: dict[str, Any]) -> str:
    """What was asked for, known before anything is scored: score and features of the config."""
    score = {k: v for k, v in plain["score"].items() if k != "batch_size"}
    return short_hash({"score": score, "features": plain["features"]["extractor"]})


def scored(folder: RunFolder, plain: dict[str, Any]) -> Row | None:
    """The run's row under the protocol that the config asks for, if it is there."""
    wanted = request_hash(plain)
    rows = read_rows(folder.root, [folder.run_id])
    return next((row for row in rows if row.protocol["settings"] == wanted), None)


def _judge(
    cfg: DictConfig, plain: dict[str, Any], source: Any, splits: dict[str, Split]
) -> tuple[Reference, torch.nn.Module, Settings, torch.device]:
    """What stands on the side of the real samples."""
    with build.explaining("score"):
        settings: Settings = build.make(cfg.score)
    extractor = build.build_extractor(cfg)
    on_gpu = torch.cuda.is_available() and plain["trainer"]["accelerator"] != "cpu"
    device = torch.device("cuda" if on_gpu else "cpu")
    real = splits[settings.split].samples
    modes = getattr(source, "modes", None)
    return reference_of(real, modes, extractor, settings, device), extractor, settings, device


def score_run(
    folder: RunFolder, cfg: DictConfig, plain: dict[str, Any], source: Any, splits: dict[str, Split]
) -> Row:
    """Score the generator that a run left behind and write the row.

    A diverged run's row has no scores; so has one whose samples turn out not to be finite.
    """
    status = folder.status()
    assert status is not None
    reference, extractor, settings, device = _judge(cfg, plain, source, splits)
    training = plain["model"]["training"]
    protocol = protocol_of(
        settings,
        reference,
        extractor,
        prior=training["prior"]["_target_"].rpartition(".")[2],
        batch_norm="running averages",
        ema_decay=training["ema_decay"],
    )
    scores: dict[str, float] = {}
    if status["status"] == "finished":
        sampler = build.build_sampler(folder)
        sampler.generator.to(device)
        latents = stream(settings.latent_seed, "score", device=device)
        samples = sampler.batches(settings.n_fake, latents, settings.batch_size)
        scores = score_batches(samples, reference, extractor, settings, device)
    row = _row(plain, folder.run_id, status, scores, {**protocol, "settings": request_hash(plain)})
    write_row(folder.root, row)
    return row


def _row(
    plain: dict[str, Any],
    run_id: str,
    status: dict[str, Any],
    scores: dict[str, float],
    protocol: dict[str, Any],
) -> Row:
    names = plain["names"]
    return Row(
        run_id=run_id,
        variant=names["variant"],
        loss=names["loss"],
        model=names["model"],
        network=names["network"],
        dataset=names["dataset"],
        seed=plain["seed"],
        d_steps=status["d_steps"],
        g_steps=status["g_steps"],
        images=status["images"],
        status=status["status"],
        cause=status["cause"],
        checkpoint="final",
        protocol=protocol,
        hyperparameters=plain["hyperparameters"],
        scores=scores,
    )


def floor_of(row: Row) -> str:
    """The run_id under which the floor of a row's protocol and data set lies."""
    protocol = {k: v for k, v in row.protocol.items() if k not in OWN}
    return f"real-{short_hash({'dataset': row.dataset, **protocol})}"


def score_floor(
    root: Path,
    cfg: DictConfig,
    plain: dict[str, Any],
    source: Any,
    splits: dict[str, Split],
    row: Row,
) -> Row:
    """Score real training samples as if a generator had made them: what no generator should beat.

    As many as the protocol asks of a generator, or all where there are fewer: `n_fake` says so.
    """
    reference, extractor, settings, device = _judge(cfg, plain, source, splits)
    train = splits["train"].samples[: settings.n_fake]
    batches = batches_of(train, settings.batch_size)
    scores = score_batches(batches, reference, extractor, settings, device)
    protocol = {**row.protocol, "n_fake": len(train), "prior": "none", "batch_norm": "none"}
    protocol |= {"ema": None}
    counts = {"status": "finished", "cause": "", "d_steps": 0, "g_steps": 0, "images": 0}
    real = {**plain, "seed": 0, "hyperparameters": {}}
    real["names"] = {**plain["names"], "variant": "real", "loss": "", "model": "", "network": ""}
    floor = _row(real, floor_of(row), counts, scores, protocol)
    write_row(root, floor)
    return floor
