"""Compare the time of a round of every variant, and of a discriminator step with each part.

All on digits (8x8) with networks of width 32 and batches of 64. A variant's round is its update
order with its own n_dis, alternated with `ns_gan`'s; parts are added to `ns_gan`, whose generator
rests. Medians of blocks are compared, in seconds of the process: read the ratios.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import torch

from bench.config import build
from bench.config.trust import config_folders
from bench.core.errors import UserError
from bench.data.batches import training_data
from bench.execution.packs.plain_loop import PlainLoop

COMMON = ["preset=study", "dataset=digits", "batch_size=64"]
SIZES = ["network.dense=32", "network.deep=32", "network.shallow=32"]
OWN_SIZES = {  # of networks that have other widths
    "sngan": ["network.g_width=32", "network.d_width=32"],
    "sngan_cnn": ["network.width=32"],
    "r3gan": ["network.width=32", "network.blocks=1", "network.cardinality=4"],
}
PARTS = [  # what a part adds to a step of the discriminator
    "normalisation=spectral",
    "normalisation=gradient",
    "penalty=gp",
    "penalty=r1",
    "penalty=r1_lazy",
    "penalty=r1_r2",
    "penalty=lecam",
    "augmentation=diffaugment",
]
PLAIN = "hyperparameters.d_batch_norm=false"
RESTING = "hyperparameters.n_dis=1000000"  # the generator moves in the first two rounds alone
BLOCKS, BLOCK_SECONDS = 7, 0.5


def make_step(overrides: Sequence[str]) -> Callable[[], None]:
    """Return a function that makes one training round, warmed up."""
    cfg = build.compose_config([*COMMON, *overrides])
    own = OWN_SIZES.get(cfg.names.network, SIZES)
    cfg = build.compose_config([*COMMON, *overrides, *own])
    _, splits = build.build_splits(cfg)
    train = splits["train"]
    loop = PlainLoop(build.build_model(cfg, train), training_data(train), cfg.batch_size)
    for _ in range(12):
        loop.step()
    return loop.step


def block_seconds(step: Callable[[], None]) -> float:
    """Return seconds of the process for one round, over a block of them."""
    started_at, rounds = time.process_time(), 0
    while (taken := time.process_time() - started_at) < BLOCK_SECONDS:
        step()
        rounds += 1
    return taken / rounds


def compare(name: str, overrides: Sequence[str], base: Sequence[str]) -> None:
    """Print the time of a round over that of another, as a row of a table."""
    try:
        steps = make_step(overrides), make_step(base)
    except UserError as error:
        print(f"| {name} | - | {error.message} |", flush=True)
        return
    blocks = [[block_seconds(step) for step in steps] for _ in range(BLOCKS)]
    ratio = statistics.median(own / other for own, other in blocks)
    milliseconds = 1000 * statistics.median(own for own, _ in blocks)
    print(f"| {name} | {ratio:.2f} | {milliseconds:.2f} |", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variants", nargs="*", help="all of conf/variant where none is named")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    folders = [folder / "variant" for folder in config_folders()]
    found = sorted(path.stem for folder in folders for path in folder.glob("*.yaml"))
    print("| variant | round / ns_gan's | ms |\n|---|---|---|")
    for name in arguments.variants or found:
        compare(name, [f"variant={name}"], ["variant=ns_gan"])
    print("\n| part | step of D / without | ms |\n|---|---|---|")
    for part in PARTS:
        compare(part, [PLAIN, RESTING, part], [PLAIN, RESTING])


if __name__ == "__main__":
    main()
