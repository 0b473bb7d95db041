"""Set threads, determinism and TF32 of the process for a run."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def process_settings(plain: Mapping[str, Any]) -> Iterator[None]:
    """Set threads, determinism and TF32 as a checked config says; restore them afterwards."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # makes cuBLAS deterministic
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    tf32 = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    limits = threadpool_limits(plain["threads"])  # of numpy and scikit-learn, for scores
    torch.set_num_threads(plain["threads"])
    torch.use_deterministic_algorithms(True)
    use_tf32 = plain["precision"] == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = use_tf32
    try:
        yield
    finally:
        limits.restore_original_limits()
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = tf32
