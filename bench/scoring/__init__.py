"""Samples -> features once -> every metric from them -> scores with their protocol."""
