"""Set threads, determinism and TF32 of the process for a run."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from bench.core.determinism import deterministic_algorithms


@contextmanager
def process_settings(plain: Mapping[str, Any]) -> Iterator[None]:
    """Set threads, determinism and TF32 as a checked config says; restore them afterwards."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # makes cuBLAS deterministic
    before = torch.get_num_threads()
    tf32 = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    limits = threadpool_limits(plain["threads"])  # of numpy and scikit-learn, for scores
    torch.set_num_threads(plain["threads"])
    use_tf32 = plain["precision"] == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = use_tf32
    try:
        with deterministic_algorithms():
            yield
    finally:
        limits.restore_original_limits()
        torch.set_num_threads(before)
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = tf32
