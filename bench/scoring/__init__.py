"""Samples -> features once -> every measure from them -> scores with their protocol."""
