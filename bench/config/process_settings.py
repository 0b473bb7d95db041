"""The process as a run must have it: threads, determinism, float32 products."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def process_settings(plain: Mapping[str, Any]) -> Iterator[None]:
    """Threads, determinism and float32 products of this process, given back afterwards."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or cuBLAS is not deterministic
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    tf32 = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    limits = threadpool_limits(plain["threads"])  # numpy's and scikit-learn's, which score
    torch.set_num_threads(plain["threads"])
    torch.use_deterministic_algorithms(True)
    wanted = plain["precision"] == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = wanted
    try:
        yield
    finally:
        limits.restore_original_limits()
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = tf32
