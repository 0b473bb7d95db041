"""Each score says in its module in which direction it is better, and in which unit it is."""

import importlib
import pkgutil

import bench.metrics

MODULES = [
    importlib.import_module(f"bench.metrics.{module.name}")
    for module in pkgutil.iter_modules(bench.metrics.__path__)
]


def test_every_score_has_one_direction_and_one_unit():
    directions = [
        (name, way) for m in MODULES for name, way in getattr(m, "DIRECTIONS", {}).items()
    ]
    units = {name for m in MODULES for name in getattr(m, "UNITS", {})}
    names = [name for name, _ in directions]
    assert len(names) == len(set(names)) and set(names) == units
    assert {way for _, way in directions} == {"lower", "higher"}
    assert {"frechet", "inception_score", "precision", "modes_covered"} <= units
