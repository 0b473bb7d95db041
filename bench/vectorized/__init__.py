"""Train R ordinary models side by side in one process, by `torch.vmap`."""
