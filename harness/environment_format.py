"""What ``environment.json`` may hold, by name and kind: everything that is stored about a machine and a run.

History of the format:

1. (0.1.0) the first.
2. (0.1.0) ``variables``, by which libraries are made to compute in another way.
"""

from __future__ import annotations

from harness.contract.cases import PROFILES
from harness.shapes import Each, Fields, Integer, Maybe, Name, Number, OneOf, Table, Text, Truth

ENVIRONMENT_FORMAT = 2


MACHINE = Fields(
    optional={
        "cpu": Text(),
        "cpus": Integer(1, 2**20),
        "physical_cpus": Maybe(Integer(1, 2**20)),
        "architecture": Text(),
        "memory_bytes": Integer(1, 2**63),
        "os": Text(),
        "kernel": Text(),
        "python": Text(),
        "governor": Text(),
        "virtual": Truth(),
        "load_average": Each(Number(negative=False), most=3),
    }
)
GPU = Fields(required={"name": Text()}, optional={"driver": Text(), "memory_bytes": Number(negative=False)})
CEILING = Fields(
    required={
        "device": Name(),
        "dtype": Name(),
        "threads": Integer(1),
        "matmul_flops_per_s": Number(positive=True, physical=True),
        "copy_bytes_per_s": Number(positive=True, physical=True),
    }
)
REQUEST = Fields(
    optional={
        "selection": Each(Text()),
        "device": Name(),
        "where": Each(Text()),
        "instruments": Each(Name()),
        "pin": Truth(),
        "precision_percent": Maybe(Number(positive=True)),
        "rounds": Maybe(Integer(1)),
        "cuda_graph": Truth(),
        "claims_only": Truth(),
    }
)
ENVIRONMENT = Fields(
    optional={
        "format": Integer(1),
        "bakeoff": Text(),
        "started_at": Text(),
        "machine": MACHINE,
        "gpus": Each(GPU),
        "packages": Table(Text()),
        "variables": Table(Text()),
        "git": Fields(optional={"commit": Text(), "modified": Truth()}),
        "sensors": Table(Fields(required={"available": Truth()}, optional={"reason": Text()})),
        "profile": OneOf(PROFILES),
        "seed": Integer(),
        "devices": Each(Name()),
        "instruments": Each(Name()),
        "request": REQUEST,
        "settings": Fields(),
        "ceilings": Each(CEILING),
    }
)
"""Every name is optional: a reader does without what an older or damaged file lacks."""
