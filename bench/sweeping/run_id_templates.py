"""run_ids of many runs from one composition: what runs share is composed once, the rest filled in.

Composing a config takes a sixth of a second; 50,400 of them would take hours. Where runs differ in
plain numbers alone, the text that a run_id is a hash of is the same but for these numbers. It is
made once, with placeholders for them. The first run of each kind is composed in full, too: if its
run_id is another one, all runs of its kind are composed.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from bench.config import build, validate
from bench.config.error_messages import as_user_error
from bench.config.override_text import override_text
from bench.core.errors import UserError
from bench.evaluation.evaluator import digest_splits
from bench.runs.identity import canonical_json, hash_text, identity_text
from bench.runs.plans import PlannedRun
from bench.scoring.score import requests
from bench.sweeping.run_spec import RunSpec

Compose = Callable[[list[str]], DictConfig]  # overrides -> config with its `hydra`
PLACEHOLDER = "@@{}@@"
FLOAT_BYTES = 4  # of a float32


class ModelFacts(NamedTuple):
    """Numbers of parameters of the generator, and of all networks; whether it asks for classes."""

    generator: int
    everything: int
    conditional: bool


@dataclass(frozen=True)
class RunIdTemplate:
    """The part that runs of one kind share of a plan.

    Args:
        shared: a run of a plan without run_id, and without what such runs vary.
        unknown: varied keys that the config does not have: drawn but unused, typed with a plus.
        template: the text that a run_id is a hash of, with placeholders; None if every run has to
            be composed.
    """

    shared: PlannedRun
    unknown: frozenset[str]
    template: str | None

    def overrides_of(self, run: RunSpec) -> tuple[str, ...]:
        """Return all overrides of a run; keys that the config does not have begin with a plus."""
        varied = (f"{'+' * (k in self.unknown)}{k}={override_text(v)}" for k, v in run.varied)
        return (*self.shared.overrides, *varied)


class RunIdTemplates:
    """Plans runs, composing each kind of run once.

    Args:
        compose: composes a config as the launcher's jobs will.
        gpus: the launcher asks for GPUs, whatever this machine has.
    """

    def __init__(self, compose: Compose, *, gpus: bool) -> None:
        self.compose, self.gpus = compose, gpus
        self._templates: dict[tuple[Any, ...], RunIdTemplate] = {}
        self._configs: dict[tuple[str, ...], tuple[DictConfig, Any]] = {}
        self._split_digests: dict[str, Any] = {}
        self._models: dict[str, ModelFacts] = {}
        self._requests: dict[str, tuple[str, ...]] = {}

    def plan_run(self, run: RunSpec) -> PlannedRun:
        """Return the run as a plan stores it.

        Raises:
            UserError: its config is wrong, or its data are missing.
        """
        keys = tuple(key for key, _ in run.varied)
        kind = (run.shared, keys)
        if kind not in self._templates:
            self._templates[kind] = self._make_template(run, keys)
        template, varied = self._templates[kind], dict(run.varied)
        return replace(
            template.shared,
            run_id=self._run_id(template, run),
            overrides=template.overrides_of(run),
            seed=int(varied.get("seed", template.shared.seed)),
            sample=run.sample,
            pack=run.pack,
            slots=int(varied.get("packed", 0)),
        )

    def _run_id(self, template: RunIdTemplate, run: RunSpec) -> str:
        if template.template is None:
            return self._composed_run_id(template.overrides_of(run))
        text = template.template
        for key, value in run.varied:
            text = text.replace(f'"{PLACEHOLDER.format(key)}"', canonical_json(value))
        return hash_text(text)

    def _composed_run_id(self, overrides: Sequence[str]) -> str:
        plain = validate.validate_config(self._compose_config(list(overrides)))
        digests = self._digests_of(plain)
        return build.run_id_for(plain, digests, self.device_kind(plain["trainer"]["accelerator"]))

    def _compose_config(self, overrides: list[str]) -> DictConfig:
        """Compose a config without its `hydra`, which Hydra is given so that it can be resolved."""
        with as_user_error("config"):
            composed = self.compose(overrides)
            HydraConfig.instance().set_config(composed)
            cfg = composed.copy()
            with open_dict(cfg):
                del cfg["hydra"]
        validate.check_added_keys(cfg, overrides)
        return cfg

    def shared_config(self, overrides: list[str]) -> DictConfig:
        """Return a copy of a config that is composed once for all runs with these overrides."""
        key = tuple(overrides)
        if key not in self._configs:
            cfg = self._compose_config(overrides)
            self._configs[key] = cfg, HydraConfig.instance().cfg
        cfg, composed = self._configs[key]
        HydraConfig.instance().set_config(composed)
        return cfg.copy()

    def _make_template(self, run: RunSpec, keys: tuple[str, ...]) -> RunIdTemplate:
        shared = [f"{key}={text}" for key, text in run.shared]
        cfg = self.shared_config(shared)
        unknown = {k for k in keys if OmegaConf.select(cfg, k, default=None) is None}
        accelerator = f"trainer.accelerator={self._resolve_accelerator(cfg.trainer.accelerator)}"
        if not any(text.startswith("trainer.accelerator=") for text in shared):
            shared.append(accelerator)
        marked = cfg.copy()
        for key, value in run.varied:
            OmegaConf.update(cfg, key, value, force_add=True)
            OmegaConf.update(marked, key, PLACEHOLDER.format(key), force_add=True)
        plain = validate.validate_config(cfg)
        digests = self._digests_of(plain, cfg)
        device = self.device_kind(plain["trainer"]["accelerator"])
        text = _identity_template(validate.to_plain(marked), digests, device, keys)
        request, split = self._request(plain, cfg), plain["score"]["split"]
        planned = PlannedRun(
            run_id="",
            overrides=tuple(shared),
            variant=str(plain["names"]["variant"]),
            dataset=str(plain["names"]["dataset"]),
            seed=plain["seed"],
            request=request,
            data=digests[split]["digest"][:16],
            steps=plain["d_steps"],
            disk_mib=self._disk_mib(plain, cfg),
        )
        template = RunIdTemplate(planned, frozenset(unknown), text)
        if self._run_id(template, run) == self._composed_run_id(template.overrides_of(run)):
            return template
        return replace(template, template=None)

    def _disk_mib(self, plain: Mapping[str, Any], cfg: DictConfig) -> float:
        """Return the size of the generators, and of the checkpoint to resume from, in MiB."""
        model = self._model_facts(plain, cfg)
        score = plain["score"]
        generators = 1 + (1 + score["keep_last"] if score["every"] is not None else 0)
        n_bytes = FLOAT_BYTES * model.generator * generators
        if plain["trainer"]["keep_checkpoint"]:
            n_bytes += 3 * FLOAT_BYTES * model.everything  # weights and Adam's two moments
        return round(n_bytes / 2**20, 3)

    def _resolve_accelerator(self, accelerator: str) -> str:
        """Replace "auto" by what it means here, so that plan and jobs mean the same device."""
        if accelerator != "auto":
            return accelerator
        if self.gpus or torch.cuda.is_available():
            return "gpu"
        return "mps" if torch.backends.mps.is_available() else "cpu"

    def device_kind(self, accelerator: str) -> str:
        """Return the kind of device in a run_id; the jobs' machines need not be this one."""
        resolved = self._resolve_accelerator(accelerator)
        return {"gpu": "cuda"}.get(resolved, resolved)

    def _digests_of(self, plain: Mapping[str, Any], cfg: DictConfig | None = None) -> Any:
        key = canonical_json([plain["dataset"]["source"], plain.get("train_images")])
        if key not in self._split_digests:
            assert cfg is not None  # the template of a kind of runs comes before its runs
            _, splits = build.build_splits(cfg)
            self._split_digests[key] = digest_splits(splits)
        return self._split_digests[key]

    def _model_facts(self, plain: Mapping[str, Any], cfg: DictConfig) -> ModelFacts:
        """Return what a plan needs to know of the model.

        Building the model refuses parts that do not fit together.
        """
        key = canonical_json(plain["model"])
        if key not in self._models:
            model = build.build_model(cfg)
            of_generator, of_all = (
                sum(p.numel() for p in part.parameters()) for part in (model.generator, model)
            )
            self._models[key] = ModelFacts(of_generator, of_all, model.conditional)
        return self._models[key]

    def _request(self, plain: Mapping[str, Any], cfg: DictConfig) -> tuple[str, ...]:
        conditional = self._model_facts(plain, cfg).conditional
        key = canonical_json([plain["score"], plain["features"], conditional])
        if key not in self._requests:
            with as_user_error("score"):
                settings = build.instantiate(cfg.score)
                settings = settings if conditional else settings.without_labels()
            asked = requests(settings, build.build_extractor(cfg))
            self._requests[key] = tuple(sorted(asked.values()))
        splits = self._digests_of(plain)
        if plain["score"]["split"] not in splits:
            present = f"dataset {plain['names']['dataset']!r} has {', '.join(sorted(splits))}"
            message = f"score.split is {plain['score']['split']!r}; {present}"
            raise UserError(message, fix="choose one of these")
        return self._requests[key]


def _identity_template(
    marked: Mapping[str, Any], digests: Any, device: str, keys: Sequence[str]
) -> str | None:
    """Return the text that a run_id is a hash of, with placeholders for varied values.

    None if a placeholder is only a part of some value, and cannot be replaced by a number.
    """
    text = identity_text(build.run_identity(marked, digests, device))
    marks = [PLACEHOLDER.format(key) for key in keys]
    return text if all(text.count(m) == text.count(json.dumps(m)) for m in marks) else None
