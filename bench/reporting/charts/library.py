"""The JavaScript that draws Vega-Lite: Satyanarayan et al. 2017, IEEE TVCG 23(1), 341.

It comes with the package `vl-convert-python`, which holds Vega, Vega-Lite and Vega-Embed, so that
nothing is fetched and nothing is copied into this repository.
"""

import re
from functools import cache


@cache
def javascript() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, fit to stand inside an HTML page.

    The same version gives the same bytes. It takes seconds to bundle, once a process.
    """
    import vl_convert

    return re.sub("</(?=script)", r"<\\/", vl_convert.javascript_bundle(), flags=re.IGNORECASE)
