"""Data sets: archives with checksums -> arrays -> tensors on the device -> endless batches.

A source, which `dataset.source` in a config names, has a `name`, the `shape` of one sample,
`splits()`, which returns its samples by split, and `prepare()`, which downloads or generates what
is missing. `stored` says how to add a data set.
"""
