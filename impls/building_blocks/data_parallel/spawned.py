"""Ranks as fresh interpreters, for devices that do not survive a fork; run as a module it is one such rank.

A rank is told what to do over its standard input and answers on its standard output; arrays go through files in the
private folder where the ranks find each other.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.contract import Unavailable
from impls.building_blocks.data_parallel.ddp import DdpTrainer
from impls.building_blocks.data_parallel.gloo import Rendezvous
from impls.building_blocks.data_parallel.model import loss_terms
from impls.building_blocks.data_parallel.rank import Rank
from impls.building_blocks.ranks.team import die_with
from suites.data_parallel.settings import Settings

ARRAYS = ("features", "targets", "initial_parameters")
READY = "ready"


def require_gpus(count: int) -> None:
    """:raises Unavailable: there are fewer than ``count``; NCCL refuses two ranks on one, and one proves nothing."""
    found = torch.cuda.device_count()
    if found < max(count, 2):
        raise Unavailable(f"needs {max(count, 2)} CUDA devices, found {found}")


class NcclTrainer(DdpTrainer):
    """DistributedDataParallel on the GPU with the rank's number."""

    backend = "nccl"


def train_in_spawned_processes(
    device: str, features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> Iterator[Any]:
    """The phases of one call, with a fresh interpreter for every rank; ``device`` is ``cuda`` or, to test, ``cpu``."""
    rendezvous = Rendezvous(settings, initial_parameters.dtype)
    folder = rendezvous.folder
    ranks: list[subprocess.Popen[str]] = []
    try:
        for name, array in zip(ARRAYS, (features, targets, initial_parameters), strict=True):
            np.save(folder / f"{name}.npy", array)
        (folder / "settings.pickle").write_bytes(pickle.dumps(settings))
        ranks.extend(_spawn(folder, number, device) for number in range(settings.workers))
        _await_ready(ranks)
        yield
        _run(ranks, 0, settings.warm_up_steps)
        yield
        _run(ranks, settings.warm_up_steps, settings.steps)
        rank_parameters = np.stack([np.load(folder / f"parameters_{n}.npy") for n in range(settings.workers)])
        row_sums = np.stack([np.load(folder / f"row_sums_{n}.npy") for n in range(settings.workers)])
        yield rank_parameters[0], row_sums.sum(axis=0) / loss_terms(settings), rank_parameters
    finally:
        for rank in ranks:
            rank.kill()
            rank.communicate()
        rendezvous.close()


def _spawn(folder: Path, number: int, device: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", __name__, str(folder), str(number), device, str(os.getpid())]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _run(ranks: list[subprocess.Popen[str]], first: int, last: int) -> None:
    for rank in ranks:
        assert rank.stdin is not None
        rank.stdin.write(f"{first} {last}\n")
        rank.stdin.flush()
    _await_ready(ranks)


def _await_ready(ranks: list[subprocess.Popen[str]]) -> None:
    """A rank that fails takes the others with it: their collectives end with an error when its connections close."""
    for number, rank in enumerate(ranks):
        assert rank.stdout is not None
        said = []
        while (line := rank.stdout.readline()) != READY + "\n":
            said.append(line)
            if not line:
                raise RuntimeError(f"rank {number} failed:\n{''.join(said)}")


def _be_rank(folder: Path, number: int, device: str, parent: int) -> None:
    die_with(parent)
    settings = pickle.loads((folder / "settings.pickle").read_bytes())
    features, targets, initial_parameters = (np.load(folder / f"{name}.npy") for name in ARRAYS)
    if device == "cuda":
        torch.cuda.set_device(number)
        device = f"cuda:{number}"
    trainer_type = DdpTrainer if device == "cpu" else NcclTrainer
    rank = Rank(
        number,
        settings,
        features,
        targets,
        initial_parameters,
        shared=Rendezvous(settings, initial_parameters.dtype, folder),
        device=device,
    )
    trainer = trainer_type(rank)
    row_sums = np.empty(settings.steps)
    print(READY, flush=True)
    for line in sys.stdin:
        first, last = map(int, line.split())
        for step in range(first, last):
            row_sums[step] = trainer.step(step)
        if device != "cpu":
            torch.cuda.synchronize()
        if last == settings.steps:
            np.save(folder / f"row_sums_{number}.npy", row_sums)
            np.save(folder / f"parameters_{number}.npy", trainer.parameters())
        print(READY, flush=True)


if __name__ == "__main__":
    _be_rank(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
