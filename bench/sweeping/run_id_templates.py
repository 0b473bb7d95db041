"""run_ids of many runs from one composition: what they share is composed, the rest filled in.

Composing a config takes a sixth of a second; 50,400 of them would take hours. Where runs differ in
plain numbers alone, the text that a run_id is a hash of is the same but for these numbers. It is
made once with marks in their places. The first run of each kind is composed in full and must come
out the same, or all of its kind are.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from bench.config import build, validate
from bench.core.errors import UserError
from bench.evaluation.evaluator import split_digests
from bench.runs.identity import canonical_json, content_of, hash_of
from bench.runs.plans import PlannedRun
from bench.scoring.score import protocol_hash
from bench.sweeping.run_spec import RunSpec, text_of

Compose = Callable[[list[str]], DictConfig]  # overrides -> config with its `hydra`
MARK = "@@{}@@"
BYTES = 4  # of a float32


@dataclass(frozen=True)
class RunIdTemplate:
    """What runs share.

    Args:
        overrides: as typed; keys that the config does not have begin with a plus.
        unknown: varied keys that the config does not have: drawn but unused.
        template: of the text that a run_id is a hash of; None where it has to be composed.
        steps: discriminator steps.
        disk_mib: kept of a run.
    """

    overrides: tuple[str, ...]
    unknown: frozenset[str]
    template: str | None
    variant: str
    dataset: str
    seed: int
    request: str
    data: str
    steps: int
    disk_mib: float


class RunIdTemplates:
    """Composes each kind of run once.

    Args:
        compose: as the launcher's jobs will.
        gpus: the launcher asks for GPUs, whatever this machine has.
    """

    def __init__(self, compose: Compose, *, gpus: bool) -> None:
        self.compose, self.gpus = compose, gpus
        self.known: dict[tuple[Any, ...], RunIdTemplate] = {}
        self._configs: dict[tuple[str, ...], tuple[DictConfig, DictConfig]] = {}
        self._facts: dict[str, Any] = {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self._requests: dict[str, str] = {}

    def entry(self, run: RunSpec) -> PlannedRun:
        """The run as a plan has it.

        Raises:
            UserError: its config is wrong, or its data are not there.
        """
        keys = tuple(key for key, _ in run.varied)
        place = (run.shared, keys)
        if place not in self.known:
            self.known[place] = self._skeleton(run, keys)
        one = self.known[place]
        varied = [f"{'+' * (k in one.unknown)}{k}={text_of(v)}" for k, v in run.varied]
        overrides = (*one.overrides, *varied)
        return PlannedRun(
            run_id=self._run_id(one, run, overrides),
            overrides=overrides,
            variant=one.variant,
            dataset=one.dataset,
            seed=int(dict(run.varied).get("seed", one.seed)),
            sample=run.sample,
            request=one.request,
            data=one.data,
            steps=one.steps,
            disk_mib=one.disk_mib,
            pack=run.pack,
            slots=int(dict(run.varied).get("packed", 0)),
        )

    def _run_id(self, one: RunIdTemplate, run: RunSpec, overrides: Sequence[str]) -> str:
        if one.template is None:
            return self._composed_id(overrides)
        text = one.template
        for key, value in run.varied:
            text = text.replace(f'"{MARK.format(key)}"', canonical_json(value))
        return hash_of(text)

    def _composed_id(self, overrides: Sequence[str]) -> str:
        plain = validate.validate_config(self._config(list(overrides)))
        facts = self._facts_of(plain)
        return build.run_id_for(plain, facts, self.device(plain["trainer"]["accelerator"]))

    def _config(self, overrides: list[str]) -> DictConfig:
        """Composed, and ready to be resolved."""
        with validate.as_user_error("config"):
            whole = self.compose(overrides)
            HydraConfig.instance().set_config(whole)
            cfg = whole.copy()
            with open_dict(cfg):
                del cfg["hydra"]
        return cfg

    def shared_config(self, overrides: list[str]) -> DictConfig:
        """The same, composed once for all runs that share these overrides."""
        key = tuple(overrides)
        if key not in self._configs:
            cfg = self._config(overrides)
            self._configs[key] = cfg, HydraConfig.instance().cfg
        cfg, whole = self._configs[key]
        HydraConfig.instance().set_config(whole)
        return cfg.copy()

    def _skeleton(self, run: RunSpec, keys: tuple[str, ...]) -> RunIdTemplate:
        shared = [f"{key}={text}" for key, text in run.shared]
        cfg = self.shared_config(shared)
        unknown = {k for k in keys if OmegaConf.select(cfg, k, default=None) is None}
        pinned = f"trainer.accelerator={self._accelerator(cfg.trainer.accelerator)}"
        if not any(text.startswith("trainer.accelerator=") for text in shared):
            shared.append(pinned)
        marked = cfg.copy()
        for key, value in run.varied:
            OmegaConf.update(cfg, key, value, force_add=True)
            OmegaConf.update(marked, key, MARK.format(key), force_add=True)
        plain = validate.validate_config(cfg)
        facts = self._facts_of(plain, cfg)
        device = self.device(plain["trainer"]["accelerator"])
        template = _template(validate.to_plain(marked), facts, device, keys)
        request, split = self._request(plain, cfg), plain["score"]["split"]
        generator, everything = self._size(plain, cfg)
        kept = 1 + (1 + plain["score"]["keep_last"] if plain["score"]["every"] is not None else 0)
        kept_bytes = BYTES * generator * kept
        if plain["trainer"]["keep_checkpoint"]:
            kept_bytes += 3 * BYTES * everything  # weights and Adam's two moments
        one = RunIdTemplate(
            overrides=tuple(shared),
            unknown=frozenset(unknown),
            template=template,
            variant=str(plain["names"]["variant"]),
            dataset=str(plain["names"]["dataset"]),
            seed=plain["seed"],
            request=request,
            data=facts[split]["digest"][:16],
            steps=plain["d_steps"],
            disk_mib=round(kept_bytes / 2**20, 3),
        )
        return self._proven(one, run)

    def _proven(self, one: RunIdTemplate, run: RunSpec) -> RunIdTemplate:
        """Without its template, if that does not give what composing gives."""
        varied = [f"{'+' * (k in one.unknown)}{k}={text_of(v)}" for k, v in run.varied]
        overrides = (*one.overrides, *varied)
        if self._run_id(one, run, overrides) == self._composed_id(overrides):
            return one
        return replace(one, template=None)

    def _accelerator(self, asked: str) -> str:
        """What is asked for, "auto" said outright, so that plan and jobs mean the same."""
        if asked != "auto":
            return asked
        if self.gpus or torch.cuda.is_available():
            return "gpu"
        return "mps" if torch.backends.mps.is_available() else "cpu"

    def device(self, asked: str) -> str:
        """The kind of device that a run_id knows; the jobs' machines need not be this one."""
        return {"gpu": "cuda"}.get(self._accelerator(asked), self._accelerator(asked))

    def _facts_of(self, plain: Mapping[str, Any], cfg: DictConfig | None = None) -> Any:
        key = canonical_json(plain["dataset"]["source"])
        if key not in self._facts:
            assert cfg is not None  # a skeleton comes first
            _, splits = build.build_splits(cfg)
            self._facts[key] = split_digests(splits)
        return self._facts[key]

    def _size(self, plain: Mapping[str, Any], cfg: DictConfig) -> tuple[int, int]:
        """Parameters of the generator, and of all; building refuses what does not fit together."""
        key = canonical_json(plain["model"])
        if key not in self._sizes:
            model = build.build_model(cfg)
            everything = sum(p.numel() for p in model.parameters())
            self._sizes[key] = sum(p.numel() for p in model.generator.parameters()), everything
        return self._sizes[key]

    def _request(self, plain: Mapping[str, Any], cfg: DictConfig) -> str:
        key = canonical_json([plain["score"], plain["features"]])
        if key not in self._requests:
            with validate.as_user_error("score"):
                settings = build.instantiate(cfg.score)
            self._requests[key] = protocol_hash(settings, build.build_extractor(cfg))
        if plain["score"]["split"] not in self._facts_of(plain):
            raise UserError(
                f"score.split is {plain['score']['split']!r}; dataset "
                f"{plain['names']['dataset']!r} has {', '.join(sorted(self._facts_of(plain)))}",
                fix="choose one of these",
            )
        return self._requests[key]


def _template(
    marked: Mapping[str, Any], facts: Any, device: str, keys: Sequence[str]
) -> str | None:
    """The text with marks in place of the varied values; None where a mark is a part of a word."""
    text = content_of(build.run_identity(marked, facts, device))
    whole = all(
        text.count(MARK.format(key)) == text.count(json.dumps(MARK.format(key))) for key in keys
    )
    return text if whole else None
