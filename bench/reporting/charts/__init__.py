"""The page's interactive charts: Vega-Lite specifications, and the library that draws them."""
