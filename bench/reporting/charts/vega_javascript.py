"""Bundle the JavaScript that draws Vega-Lite: Satyanarayan et al. 2017, IEEE TVCG 23(1), 341.

The package `vl-convert-python` holds Vega, Vega-Lite and Vega-Embed, so that nothing is fetched and
nothing is copied into this repository.
"""

import re
from functools import cache


@cache
def vega_javascript() -> str:
    """Bundle Vega, Vega-Lite and Vega-Embed into one script that can stand inside an HTML page.

    One version always gives the same bytes. It takes seconds to bundle, once a process.
    """
    import vl_convert

    script = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # the stub lacks a default
    return re.sub("</(?=script)", r"<\\/", script, flags=re.IGNORECASE)
