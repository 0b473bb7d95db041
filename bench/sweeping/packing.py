"""Which runs of a stage share packs, and of what size: `pack=off|auto|N`."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from bench.config import build, validate
from bench.config.process_settings import process_settings
from bench.core.batch import Batch
from bench.core.errors import UserError
from bench.core.number_checks import is_whole_number
from bench.data.batches import to_device, training_data
from bench.execution.packs.autotune import PackSize, best_pack_size
from bench.execution.packs.memory_check import check_memory, release_cached_memory
from bench.models.base import GenerativeModel
from bench.runs.foreign_code import foreign_code
from bench.runs.identity import canonical_json, short_hash
from bench.sweeping.run_id_templates import PLACEHOLDER, RunIdTemplates
from bench.sweeping.run_spec import RunSpec
from bench.training.job import why_config_not_packable
from bench.vectorized.compatibility import pack_key, why_not_packable
from bench.vectorized.trainer import has_parts_of_others, why_not_traceable

PackSizes = dict[str, dict[str, Any]]  # stage/pack -> slots (0: one at a time), why, most


@dataclass(frozen=True)
class PackableGroup:
    """Runs that can share a pack.

    Args:
        key: equal for two runs if and only if they can share a pack.
        label: variant and data set, for messages.
        plain: config of the first run, resolved.
        device: kind of device that they train on.
    """

    key: str
    label: str
    plain: Mapping[str, Any]
    device: str
    runs: tuple[RunSpec, ...]

    @property
    def cfg(self) -> DictConfig:
        """The config of the first run."""
        return OmegaConf.create(dict(self.plain))


class PackPlanner:
    """Gives runs that are to share a pack the override `packed=R`.

    Args:
        pack: "off", "auto" or a number of slots.
        templates: composes runs.
        known_sizes: sizes of an earlier launch, used again for as many runs of a worker.
        parallel_jobs: jobs that the launcher runs at once, all of which `auto` keeps busy.

    Raises:
        UserError: `pack` is something else.
    """

    def __init__(
        self,
        pack: Any,
        templates: RunIdTemplates,
        known_sizes: Mapping[str, Any],
        parallel_jobs: int,
    ) -> None:
        off = pack is False or pack == "off"  # YAML 1.1 reads the word off as False
        if not off and pack != "auto" and not is_whole_number(pack, 1):
            raise UserError(f"pack is {pack!r}", fix="set it to off, auto or a number of slots")
        self.pack = 0 if off else pack
        self.templates, self.parallel_jobs = templates, parallel_jobs
        self.sizes: PackSizes = {group: dict(size) for group, size in known_sizes.items()}
        self._bound_keys: dict[Any, tuple[str, ...]] = {}
        self._groups: dict[Any, PackableGroup] = {}
        self._data: dict[str, Batch] = {}
        self._has_planned_stage = False  # from then on, runs alone are no reason to stop

    def assign_packs(self, stage: str, runs: Sequence[RunSpec]) -> list[RunSpec]:
        """Return the runs, those that share packs with the override that says so.

        Raises:
            UserError: packs of a given size were asked for, and runs of the first stage cannot be
                packed. Runs of a later stage that cannot be packed run alone.
        """
        if not self.pack:
            return list(runs)
        group_of_run = {run: self._group_of(run) for run in dict.fromkeys(runs)}
        members: dict[str, list[RunSpec]] = {}
        for run, group in group_of_run.items():
            members.setdefault(group.key, []).append(run)
        groups = {g.key: replace(g, runs=tuple(members[g.key])) for g in group_of_run.values()}
        slots = self._choose_slots(stage, list(groups.values()))
        self._has_planned_stage = True
        self._data.clear()
        release_cached_memory()  # on a GPU, memory that this process keeps is missing for training
        return [
            replace(run, varied=(*run.varied, ("packed", size)), pack=group_of_run[run].key)
            if (size := slots[group_of_run[run].key])
            else run
            for run in runs
        ]

    def _choose_slots(self, stage: str, groups: Sequence[PackableGroup]) -> dict[str, int]:
        """Return the slots of each group's packs by its key; 0 for runs that train alone."""
        why_alone = {group.key: self._why_alone(group) for group in groups}
        packable = [group for group in groups if not why_alone[group.key]]
        if self.pack != "auto" and not packable and not self._has_planned_stage:
            message = f"pack={self.pack}: no two of the {len(groups)} runs can share a pack"
            fix = "set pack=off, or give the sweep several seeds or rates"
            raise UserError(f"{message}: their networks, losses, data or batches differ", fix=fix)
        reasons = [f"{g.label} runs alone: {why_alone[g.key]}" for g in groups if why_alone[g.key]]
        for line in dict.fromkeys(reasons):
            print(line, flush=True)
        jobs_per_group = math.ceil(self.parallel_jobs / max(len(packable), 1))
        slots = {group.key: 0 for group in groups}
        for group in packable:
            if self.pack == "auto":
                most = math.ceil(len(group.runs) / jobs_per_group)
                slots[group.key] = self._fastest_size(stage, group, most)
            else:
                slots[group.key] = self.pack
                self._check_memory(group)
        return slots

    def _why_alone(self, group: PackableGroup) -> str:
        """Return why the runs of a group cannot share a pack; empty if they can."""
        model = build.build_model(group.cfg)
        why = why_config_not_packable(group.plain) or why_not_packable(model)
        why = why or _why_untraceable(group, model)
        if why and self.pack != "auto" and not self._has_planned_stage:
            message = f"pack={self.pack}: {group.label} cannot train in a pack: {why}"
            raise UserError(message, fix="set pack=auto, which runs it alone, or leave it out")
        if why:
            return why
        return "no other run can share a pack with it" if len(group.runs) == 1 else ""

    def _check_memory(self, group: PackableGroup) -> None:
        """Refuse packs that do not fit into memory, if this machine has the device that trains."""
        if group.device == "cpu" or torch.cuda.is_available():
            with process_settings(group.plain), _reporting_failed_steps():
                check_memory(group.cfg, self._train_data(group), self.pack)

    def _fastest_size(self, stage: str, group: PackableGroup, most: int) -> int:
        """Return the fastest number of slots on this machine, from 0 to `most`.

        It is measured once for a plan; where a measured step fails, nothing is stored.
        """
        place, label = f"{stage}/{group.key}", f"{group.label} ({len(group.runs)} runs)"
        known_size = self.sizes.pop(place, {})
        if known_size.get("most") == most:
            self.sizes[place] = known_size
            print(f"{label}: {known_size['why']} (measured before)", flush=True)
            return int(known_size["slots"])
        if group.device == "cuda" and not torch.cuda.is_available():
            message = "pack=auto measures on the device that trains, and this machine has no GPU"
            fix = "set pack=N, for example 64: a pack that is too large for its device says so"
            raise UserError(message, fix=fix)
        size = PackSize(0, "one at a time, a step that was tried failed")
        with process_settings(group.plain), _reporting_failed_steps():
            size = best_pack_size(group.cfg, self._train_data(group), most)
            self.sizes[place] = {"slots": size.slots, "why": size.why, "most": most}
        print(f"{label}: {size.why}", flush=True)
        return size.slots

    def _train_data(self, group: PackableGroup) -> Batch:
        """Return the training split, on the device that trains."""
        key = canonical_json([group.plain["dataset"]["source"], group.device])
        if key not in self._data:
            _, splits = build.build_splits(group.cfg)
            data = to_device(training_data(splits["train"]), torch.device(group.device))
            self._data = {key: data}
        return self._data[key]

    def _group_of(self, run: RunSpec) -> PackableGroup:
        """Return the group of a run; runs with the same values of bound keys are composed once."""
        kind = (run.shared, tuple(key for key, _ in run.varied))
        if kind not in self._bound_keys:
            self._bound_keys[kind] = self._find_bound_keys(run)
        values = tuple(v for k, v in run.varied if k in self._bound_keys[kind])
        if (kind, values) not in self._groups:
            plain = validate.validate_config(self._config(run))
            names = plain["names"]
            device = self.templates.device_kind(plain["trainer"]["accelerator"])
            same = {"variant": names["variant"], "dataset": names["dataset"], "device": device}
            key = short_hash({**same, "key": pack_key(plain), "threads": plain["threads"]})
            label = f"{names['variant']} on {names['dataset']}"
            self._groups[kind, values] = PackableGroup(key, label, plain, device, ())
        return self._groups[kind, values]

    def _find_bound_keys(self, run: RunSpec) -> tuple[str, ...]:
        """Return the varied keys whose values members of a pack must have in common."""
        key_of_run = pack_key(validate.to_plain(self._config(run)))
        bound = []
        for key, _ in run.varied:
            marked = self._config(run)
            OmegaConf.update(marked, key, PLACEHOLDER.format(key), force_add=True)
            if pack_key(validate.to_plain(marked)) != key_of_run:
                bound.append(key)
        return tuple(bound)

    def _config(self, run: RunSpec) -> DictConfig:
        cfg = self.templates.shared_config([f"{key}={text}" for key, text in run.shared])
        for key, value in run.varied:
            OmegaConf.update(cfg, key, value, force_add=True)
        return cfg


def _why_untraceable(group: PackableGroup, model: GenerativeModel) -> str:
    """Return why a model with parts that are not the suite's cannot be traced; empty if it can."""
    if not (foreign_code(group.plain["model"]) or has_parts_of_others(model)):
        return ""
    return why_not_traceable(model, group.plain["dataset"]["shape"], group.plain["batch_size"])


@contextmanager
def _reporting_failed_steps() -> Iterator[None]:
    """Print the error of a loss or network and go on: the run that trains with it fails later."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        print(f"a step that was tried failed ({type(error).__name__}: {reason})", flush=True)
