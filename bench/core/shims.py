"""Make torchvision importable with a CPU-only torch.

PyPI's torchvision is built for CUDA; with a CPU-only torch its compiled operators do not load,
`import torchvision` fails, and with it torchmetrics and Lightning, which import it whenever it is
installed. Declaring the operators (not defining them) lets the pure-Python part be imported;
nothing in this suite calls the compiled part. With matching builds this only imports torchvision.
"""

import importlib.util
import sys
from typing import Any

_keep_alive: list[Any] = []  # garbage collection would undo the declarations


def ensure_torchvision() -> str:
    """Make `import torchvision` work if it is installed at all.

    Returns:
        "absent", "native", or "shimmed" when the operators had to be declared.

    Raises:
        RuntimeError: the import fails for another reason.
    """
    if importlib.util.find_spec("torchvision") is None:
        return "absent"
    try:
        import torchvision

        return "shimmed" if _keep_alive else "native"
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for name in [m for m in sys.modules if m.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _keep_alive.append(library)
    import torchvision  # noqa: F401

    return "shimmed"
