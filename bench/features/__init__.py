"""Extractors: samples -> (features, logits), which scores compare instead of pixels.

An extractor is a torch.nn.Module in evaluation mode with the attributes `name`, `width` (F),
`weight_hash` (SHA-256 of its weights file, "" if it has none) and `resize` ("none" or a
description); its forward maps images float32 [B, C, H, W] in [0, 1], or points float32 [B, D],
to (features [B, F], logits [B, K] or None).
"""
