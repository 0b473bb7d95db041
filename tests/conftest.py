"""What all tests share. One thread: bits depend on their number, and workers share cores."""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import io
import pickle
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import torch
import yaml
from hydra._internal.config_loader_impl import ConfigLoaderImpl, ConfigSourceInfo
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.plugins.config_source import ConfigSource
from matplotlib.figure import Figure
from omegaconf import DictConfig, OmegaConf
from PIL import Image
from support import SMALL

import bench.data.lightning  # noqa: F401  torchvision's operators are declared before it
from bench.config import build
from bench.core.signals import INTERRUPT, SCHEDULER_SIGNALS, USER_SIGNALS
from bench.execution.run import execute
from bench.training import monitor, sample_pictures
from bench.training.job import Job, prepare_job

torch.set_num_threads(1)
yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a run's config is read often
_compose, _composed = build.compose_config, {}
_trained = {}  # overrides -> job of the run that was trained with them


def compose_once(overrides: list[str], *, keep_hydra: bool = False) -> DictConfig:
    """Compose a list of overrides once in a process: it takes longer than most tests do.

    `runs_root`, which is another folder in each test, is set afterwards.
    """
    roots = [o.removeprefix("runs_root=") for o in overrides if o.startswith("runs_root=/")]
    others = tuple(o for o in overrides if not o.startswith("runs_root=/"))
    key = others, str(build.config_dir())
    if key not in _composed:
        cfg = _compose(list(others), keep_hydra=True)
        _composed[key] = pickle.dumps((cfg, HydraConfig.instance().cfg))
    cfg, hydra_cfg = pickle.loads(_composed[key])
    OmegaConf.set_readonly(hydra_cfg.hydra, False)
    hydra_cfg.hydra.overrides.task = list(overrides)
    OmegaConf.set_readonly(hydra_cfg.hydra, True)
    HydraConfig.instance().cfg = hydra_cfg
    cfg.hydra.overrides.task = list(overrides)
    for root in roots:
        cfg.runs_root = root
    if not keep_hydra:
        del cfg["hydra"]
    return cfg


build.compose_config = compose_once
_load, _loaded = ConfigLoaderImpl._load_configuration_impl, {}


def load_once(self, config_name: str, overrides: list[str], *more, **settings) -> DictConfig:
    """Compose a choice of groups once in a process, then set values in it as Hydra itself does."""
    sources = self.repository.get_sources()
    folders = [s.path for s in sources if s.provider == "command-line"]
    texts = [p.read_text() for folder in folders for p in sorted(Path(folder).rglob("*.yaml"))]
    fixed = [s.path for s in sources if s.path not in folders]
    parsed = OverridesParser.create().parse_overrides(overrides)
    values = [o for o in parsed if is_value(o, sources)]
    if any(o.is_delete() or o.package is not None for o in parsed):
        values = []  # their order among the others counts
    groups = [o.input_line for o in parsed if o not in values]
    key = repr((config_name, groups, more, settings, texts, fixed, str(build.config_dir())))
    if key not in _loaded:
        _loaded[key] = pickle.dumps(_load(self, config_name, groups, *more, **settings))
    cfg = pickle.loads(_loaded[key])
    ConfigLoaderImpl._apply_overrides_to_config(values, cfg)
    cfg.hydra.overrides.task = [o.input_line for o in parsed if not o.is_hydra_override()]
    cfg.hydra.runtime.cwd = os.getcwd()
    cfg.hydra.runtime.config_sources = [
        ConfigSourceInfo(path=s.path, schema=s.scheme(), provider=s.provider) for s in sources
    ]
    return cfg


def is_value(override: Override, sources: Sequence[ConfigSource]) -> bool:
    """Whether an override sets one value, and chooses no entry of a group."""
    key = override.key_or_group
    is_group = "/" in key or any(source.is_group(key) for source in sources)
    return not (is_group or override.is_sweep_override() or override.is_hydra_override())


ConfigLoaderImpl._load_configuration_impl = load_once


_render, _savefig = sample_pictures._render, Figure.savefig


@pytest.fixture(autouse=True)
def blank_plots(monkeypatch):
    """Plots of samples in the plane are blank: to render one takes longer than to train."""
    monkeypatch.setattr(sample_pictures, "_render", lambda figure: Image.new("RGB", (4, 2)))


@pytest.fixture
def rendered_plots(blank_plots, monkeypatch):
    """Plots of samples in the plane are rendered."""
    monkeypatch.setattr(sample_pictures, "_render", _render)


@pytest.fixture(scope="module")
def svg_only():
    """Figures are written as SVG; their PNG and PDF, which take longer, are a few bytes."""

    def savefig(self, file, *, format, **settings):
        if format == "svg":
            _savefig(self, file, format=format, **settings)
        else:
            file.write(format.encode())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", savefig)
        yield


@pytest.fixture
def all_formats(monkeypatch):
    """Figures are written as SVG, PNG and PDF."""
    monkeypatch.setattr(Figure, "savefig", _savefig)


@dataclass
class Done:
    """Exit status and output of a command."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run_command(tmp_path, monkeypatch, capsys):
    """Run a command in this process, in the test's folder: (main, words) -> Done.

    A process of its own would import torch again, which takes four seconds.
    """
    from bench.sweeping.sweep import LAST_SWEEP

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # as `python -m` does
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")  # restores what a command sets
    monkeypatch.setattr(INTERRUPT, "requested", False)
    handlers = {number: signal.getsignal(number) for number in (*USER_SIGNALS, *SCHEDULER_SIGNALS)}

    def call(main: Callable[[], None], *words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["bench", *words])
        monkeypatch.setitem(LAST_SWEEP, "status", 0)
        GlobalHydra.instance().clear()
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        printed = capsys.readouterr()
        return Done(left.value.code or 0, printed.out, printed.err)

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def terminal(monkeypatch) -> io.StringIO:
    """Bars of training are drawn on a terminal; what it shows."""
    shown = io.StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(monitor, "tqdm", partial(monitor.tqdm, file=shown))
    return shown


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def tiny(tmp_path):
    """Overrides of a run that takes a second: small networks, few steps, nothing shown."""

    def overrides(*extra: str, network: str = "infogan") -> list[str]:
        return [
            f"runs_root={tmp_path / 'runs'}",
            "preset=study",
            "d_steps=4",
            "log_every=2",
            "trainer.progress=false",
            "trainer.pictures=0",
            "trainer.accelerator=cpu",
            "score.n_fake=100",
            "score.n_real=100",
            "score.noise_seeds=0",
            *(
                []
                if {"score=images", "score=slim"} & set(extra)
                else ["score.metrics.prd.clusterings=1"]
            ),
            *([] if any(e.startswith("network=") for e in extra) else [f"network={network}"]),
            *SMALL[network],
            *extra,
        ]

    return overrides


@pytest.fixture
def train_once(tiny, tmp_path_factory):
    """Return the job of a run that is trained once, for tests that read it: (overrides) -> job."""

    def job_of(*overrides: str, network: str = "infogan") -> Job:
        key = (network, *overrides)
        if key not in _trained:
            root = f"runs_root={tmp_path_factory.mktemp('trained') / 'runs'}"
            cfg = build.compose_config(tiny(*overrides, root, network=network))
            _trained[key] = prepare_job(cfg)
            execute(_trained[key])
        return _trained[key]

    return job_of


@pytest.fixture
def finished(train_once, tiny, tmp_path):
    """Return the job of a finished run in the test's own folder: (overrides) -> job."""

    def job_of(*overrides: str, network: str = "infogan") -> Job:
        trained = train_once(*overrides, network=network)
        shutil.copytree(trained.folder.root, tmp_path / "runs", dirs_exist_ok=True)
        return prepare_job(build.compose_config(tiny(*overrides, network=network)))

    return job_of
