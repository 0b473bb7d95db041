"""Bundle the JavaScript that draws Vega-Lite: Satyanarayan et al. 2017, IEEE TVCG 23(1), 341.

The package `vl-convert-python` holds Vega, Vega-Lite and Vega-Embed, so that nothing is fetched and
nothing is copied into this repository. It runs V8, which ends the whole process where it cannot
reserve some 80 GiB of address space; so it has a process of its own.
"""

import re
import signal
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

BUNDLE = "import sys, vl_convert; sys.stdout.write(vl_convert.javascript_bundle())"


@cache
def start_vega_bundle() -> Future[tuple[str, str]]:
    """Bundle in the background, once a process: it takes seconds, in which figures can be drawn."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(_bundle)
    finally:
        pool.shutdown(wait=False)


def vega_javascript() -> tuple[str, str]:
    """Bundle Vega, Vega-Lite and Vega-Embed into one script that can stand inside an HTML page.

    One version always gives the same bytes.

    Returns:
        The script, and "" or a sentence that says why there is none.
    """
    return start_vega_bundle().result()


def _bundle() -> tuple[str, str]:
    command = [sys.executable, "-X", "utf8", "-c", BUNDLE]
    bundled = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    if bundled.returncode == 0:
        return re.sub("</(?=script)", r"<\\/", bundled.stdout, flags=re.IGNORECASE), ""
    last_line = bundled.stderr.strip().rpartition("\n")[2]
    end = f"failed with {last_line}"
    if bundled.returncode < 0:
        name = signal.Signals(-bundled.returncode).name
        end = f"ended with {name}, as where ulimit -v allows less than 80 GiB of address space"
    return "", f"The charts are static: vl-convert-python, which holds their JavaScript, {end}."
