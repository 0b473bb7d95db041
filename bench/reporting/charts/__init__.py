"""Specify the page's interactive charts in Vega-Lite, and load the library that draws them."""
