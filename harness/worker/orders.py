"""What the runner tells a worker: one trial with all it needs to know, as plain JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.trials import Trial


@dataclass(frozen=True)
class Module:
    """Where an implementation's code is."""

    module: str
    path: str


@dataclass(frozen=True)
class Settings:
    """How long a profile measures.

    :param rounds: independent processes per contestant at most.
    :param fewest_rounds: after so many no further one is started if all contestants are precise.
    :param rounds_per_server: how many rounds fork their processes from one server. Starting one takes as long as to
        measure a pair of processes; what those of one share is the hash seed and the addresses of libraries.
    :param blocks: rounds of a contest, in each of which every contestant gives one sample.
    :param precision: half the relative width of the interval at which a contestant is measured well enough.
    :param fewest_blocks: how many a slow contestant takes part in at least.
    :param isolated_samples: samples in a row, without the others in between, that show whether they disturb.
    :param contestant_s: sampling time after which a slow contestant sits out further blocks.
    :param sample_target_ns: how long a sample lasts.
    :param warmup_s: how long is called without counting.
    :param settle_share: what share of ``contestant_s`` may pass in samples before the first block until their durations
        neither fall nor jump; 0 begins with the blocks at once.
    :param memory_calls: calls whose peak memory is read.
    :param energy_window_s: how long a call is repeated for one reading of energy.
    :param prepare_timeout_s: for importing, compiling and checking.
    :param cuda_graph: on a GPU time replays of a captured graph instead of calls.
    """

    rounds: int
    fewest_rounds: int
    rounds_per_server: int
    blocks: int
    precision: float
    fewest_blocks: int
    contestant_s: float
    isolated_samples: int
    sample_target_ns: float
    warmup_s: float
    settle_share: float
    memory_calls: int
    energy_window_s: float
    prepare_timeout_s: float
    cuda_graph: bool = False


QUICK = Settings(
    rounds=1,
    fewest_rounds=1,
    rounds_per_server=1,
    blocks=30,
    precision=0.02,
    fewest_blocks=5,
    contestant_s=0.15,
    isolated_samples=5,
    sample_target_ns=2e6,
    warmup_s=0.01,
    settle_share=0.5,
    memory_calls=1,
    energy_window_s=1.0,
    prepare_timeout_s=90.0,
)
FULL = Settings(
    rounds=10,
    fewest_rounds=10,  # a number chosen while looking at intervals would make them miss more often than they say
    rounds_per_server=1,
    blocks=150,
    precision=0.02,
    fewest_blocks=2,  # the interval is over processes, and more samples of one hardly say more of the next
    contestant_s=3.0,
    isolated_samples=10,
    sample_target_ns=3e6,
    warmup_s=0.2,
    settle_share=0.5,
    memory_calls=5,
    energy_window_s=2.0,
    prepare_timeout_s=600.0,
)
PROCESSES = dataclasses.replace(
    QUICK,
    rounds=5,
    fewest_rounds=5,
    rounds_per_server=4,
    blocks=24,
    warmup_s=0.003,
    settle_share=0.0,
    isolated_samples=0,
)
"""Few and short samples in several processes: the least time in which processes can be compared.

What is left of warming up is in the first blocks and hardly moves a median over them, but for whoever was warmed up
last: who that is changes from round to round (:mod:`harness.runner.contest`, :mod:`harness.gate.measuring`).
"""
ALONE = dataclasses.replace(PROCESSES, rounds_per_server=5, blocks=1, sample_target_ns=15e6, warmup_s=0.01)
"""The least time in which one contestant's own cost is known as well as its processes let it.

They scatter more than the samples of one, so that more samples hardly say more (Kalibera and Jones 2013, Rigorous
benchmarking in reasonable time). No ratio takes out what the first call of a sample costs more, after the message that
asks for it: the sample is of several calls, which are warmed up for as long as in the quick profile.
"""
SETTINGS: Mapping[str, Settings] = {"quick": QUICK, "full": FULL}


@dataclass(frozen=True)
class Order:
    """One trial for a worker.

    :param root: the project's folder.
    :param packages: the project's own top-level packages.
    :param suite_module: module that defines the suite.
    :param code: the implementation; ``None`` for a probe that concerns none.
    :param naive: the suite's naive implementation.
    :param shared_code: a hash of the files that implementations share.
    :param path: what ``sys.path`` is to be; empty leaves it as the runner's.
    :param python: an interpreter to start the worker in; empty forks it from the runner's server.
    :param bare: start the worker in an interpreter of its own all the same, without the project's preloaded packages.
    """

    trial: Trial
    root: str
    packages: tuple[str, ...]
    suite_module: str
    code: Module | None
    naive: Module | None
    shared_code: str
    settings: Settings
    path: tuple[str, ...] = ()
    python: str = ""
    bare: bool = False

    @property
    def fresh(self) -> bool:
        """Whether the worker's process is an interpreter started for it, and not forked from the runner's server."""
        return bool(self.python) or self.bare

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"trial": self.trial.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Order:
        return cls(
            trial=Trial.from_json(data["trial"]),
            root=data["root"],
            packages=tuple(data["packages"]),
            suite_module=data["suite_module"],
            code=Module(**data["code"]) if data["code"] else None,
            naive=Module(**data["naive"]) if data["naive"] else None,
            shared_code=data["shared_code"],
            settings=Settings(**data["settings"]),
            path=tuple(data["path"]),
            python=data["python"],
            bare=data["bare"],
        )
