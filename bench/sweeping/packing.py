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
from bench.core.errors import UserError
from bench.data.batches import as_contiguous_tensor
from bench.execution.packs.autotune import PackSize, best_pack_size
from bench.execution.packs.memory_check import check_memory, release_cached_memory
from bench.runs.identity import canonical_json, short_hash
from bench.sweeping.run_id_templates import MARK, RunIdTemplates
from bench.sweeping.run_spec import RunSpec
from bench.training.job import not_packed
from bench.vectorized.compatibility import pack_key, why_not_packable

Choices = dict[str, dict[str, Any]]  # stage/pack -> slots (0: one at a time), why, most


@dataclass(frozen=True)
class Group:
    """Runs that can share a pack.

    Args:
        key: the same for such runs alone.
        label: variant and data set.
        plain: the config of the first.
        device: the kind that they train on.
    """

    key: str
    label: str
    plain: Mapping[str, Any]
    device: str
    runs: tuple[RunSpec, ...]

    @property
    def cfg(self) -> DictConfig:
        """The config of the first."""
        return OmegaConf.create(dict(self.plain))


class Packing:
    """Gives runs that are to share a pack the override `packed=R`.

    Args:
        asked: "off", "auto" or a number of slots.
        skeletons: composes runs.
        known: choices of an earlier launch, which stand for as many runs and workers.
        workers: processes of the launcher, which `auto` keeps busy.

    Raises:
        UserError: `asked` is something else.
    """

    def __init__(
        self, asked: Any, skeletons: RunIdTemplates, known: Mapping[str, Any], workers: int
    ) -> None:
        off = asked is False or asked == "off"  # as YAML 1.1 reads the word
        if not off and asked != "auto" and not (type(asked) is int and asked >= 1):
            raise UserError(f"pack is {asked!r}", fix="set it to off, auto or a number of slots")
        self.asked = 0 if off else asked
        self.skeletons, self.workers = skeletons, workers
        self.choices: Choices = {stage: dict(choice) for stage, choice in known.items()}
        self._bound: dict[Any, tuple[str, ...]] = {}
        self._groups: dict[Any, Group] = {}
        self._samples: dict[str, torch.Tensor] = {}
        self._begun = False  # a stage is planned: what comes now ends no command

    def packed(self, stage: str, runs: Sequence[RunSpec]) -> list[RunSpec]:
        """The runs, those that share packs with the override that says so.

        Raises:
            UserError: packs of a given size were asked for, and they cannot be: of the first
                stage; what cannot be packed of a later one runs alone.
        """
        if not self.asked:
            return list(runs)
        key_of_run = {run: self._key(run) for run in dict.fromkeys(runs)}
        members: dict[str, list[RunSpec]] = {}
        for run, group in key_of_run.items():
            members.setdefault(group.key, []).append(run)
        groups = {g.key: replace(g, runs=tuple(members[g.key])) for g in key_of_run.values()}
        slots = self._slots(stage, list(groups.values()))
        self._begun = True
        self._samples.clear()
        release_cached_memory()  # on a GPU, memory that this process keeps is missing for training
        return [
            replace(run, varied=(*run.varied, ("packed", size)), pack=key_of_run[run].key)
            if (size := slots[key_of_run[run].key])
            else run
            for run in runs
        ]

    def _slots(self, stage: str, groups: Sequence[Group]) -> dict[str, int]:
        """How many slots the packs of each group have; 0 for those that run alone."""
        alone = {group.key: self._alone(group) for group in groups}
        there = [group for group in groups if not alone[group.key]]
        if self.asked != "auto" and not there and not self._begun:
            raise UserError(
                f"pack={self.asked}: no two of the {len(groups)} runs can share a pack: their "
                "networks, losses, data or batches differ",
                fix="set pack=off, or give the sweep several seeds or rates",
            )
        for line in dict.fromkeys(f"{g.label} runs alone: {alone[g.key]}" for g in groups
                                  if alone[g.key]):  # fmt: skip
            print(line, flush=True)
        jobs = math.ceil(self.workers / max(len(there), 1))  # of each group, if no worker is idle
        found = {group.key: 0 for group in groups}
        for group in there:
            if self.asked == "auto":
                found[group.key] = self._chosen(stage, group, math.ceil(len(group.runs) / jobs))
            else:
                found[group.key] = self.asked
                self._check(group)
        return found

    def _alone(self, group: Group) -> str:
        """Why the runs of a group cannot share a pack; empty if they can."""
        why = not_packed(group.plain) or why_not_packable(build.build_model(group.cfg))
        if why and self.asked != "auto" and not self._begun:
            raise UserError(
                f"pack={self.asked}: {group.label} cannot train in a pack: {why}",
                fix="set pack=auto, which runs it alone, or leave it out",
            )
        if why:
            return why
        return "no other run can share a pack with it" if len(group.runs) == 1 else ""

    def _check(self, group: Group) -> None:
        """Refuse packs that this machine cannot hold, where it is one that trains them."""
        if group.device == "cpu" or torch.cuda.is_available():
            with process_settings(group.plain), _steps_may_fail():
                check_memory(group.cfg, self._split(group), self.asked)

    def _chosen(self, stage: str, group: Group, most: int) -> int:
        """What is the fastest here, measured once for a plan; not kept where that failed."""
        place, label = f"{stage}/{group.key}", f"{group.label} ({len(group.runs)} runs)"
        known = self.choices.pop(place, {})
        if known.get("most") == most:
            self.choices[place] = known
            print(f"{label}: {known['why']} (measured before)", flush=True)
            return int(known["slots"])
        if group.device == "cuda" and not torch.cuda.is_available():
            raise UserError(
                "pack=auto measures on the device that trains, and this machine has no GPU",
                fix="set pack=N, 64 say: a pack that is too large for its device says so",
            )
        choice = PackSize(0, "one at a time, a step that was tried failed")
        with process_settings(group.plain), _steps_may_fail():
            choice = best_pack_size(group.cfg, self._split(group), most)
            self.choices[place] = {**vars(choice), "most": most}
        print(f"{label}: {choice.why}", flush=True)
        return choice.slots

    def _split(self, group: Group) -> torch.Tensor:
        """The samples that train, on the device."""
        place = canonical_json([group.plain["dataset"]["source"], group.device])
        if place not in self._samples:
            _, splits = build.build_splits(group.cfg)
            self._samples = {place: as_contiguous_tensor(splits["train"].samples).to(group.device)}
        return self._samples[place]

    def _key(self, run: RunSpec) -> Group:
        """The group of a run; runs that differ in nothing that matters are composed once."""
        place = (run.shared, tuple(key for key, _ in run.varied))
        if place not in self._bound:
            self._bound[place] = self._binding(run)
        values = tuple(v for k, v in run.varied if k in self._bound[place])
        if (place, values) not in self._groups:
            plain = validate.validate_config(self._config(run))
            names, device = plain["names"], self.skeletons.device(plain["trainer"]["accelerator"])
            own = {"key": pack_key(plain), "variant": names["variant"], "dataset": names["dataset"]}
            key = short_hash({**own, "device": device, "threads": plain["threads"]})
            label = f"{names['variant']} on {names['dataset']}"
            self._groups[place, values] = Group(key, label, plain, device, ())
        return self._groups[place, values]

    def _binding(self, run: RunSpec) -> tuple[str, ...]:
        """The varied keys that members of a pack must have in common."""
        own = pack_key(validate.to_plain(self._config(run)))
        bound = []
        for key, _ in run.varied:
            marked = self._config(run)
            OmegaConf.update(marked, key, MARK.format(key), force_add=True)
            if pack_key(validate.to_plain(marked)) != own:
                bound.append(key)
        return tuple(bound)

    def _config(self, run: RunSpec) -> DictConfig:
        cfg = self.skeletons.shared_config([f"{key}={text}" for key, text in run.shared])
        for key, value in run.varied:
            OmegaConf.update(cfg, key, value, force_add=True)
        return cfg


@contextmanager
def _steps_may_fail() -> Iterator[None]:
    """A loss or network that fails is the runs' to report."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        print(f"a step that was tried failed ({type(error).__name__}: {reason})", flush=True)
