"""NCCL's all-reduce between the GPUs of one process, each of which is a rank; needs as many GPUs as ranks."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.cuda import nccl

from harness.contract import Unavailable, implements
from suites.allreduce.suite import SUITE, Settings


@implements(SUITE, library="torch", devices=("cuda",), kind="linear", limits={"transport": ("shared",)})
def all_reduce(addends: np.ndarray, settings: Settings) -> Iterator[Any]:
    found = torch.cuda.device_count()
    if found < max(settings.ranks, 2):
        raise Unavailable(f"needs {max(settings.ranks, 2)} CUDA devices, found {found}")
    rows = [torch.tensor(row, device=f"cuda:{rank}") for rank, row in enumerate(addends)]
    buffers = [[row.clone() for row in rows] for _ in range(settings.repeats)]
    yield
    _reduce(buffers)
    for repeat in buffers:
        for buffer, row in zip(repeat, rows, strict=True):
            buffer.copy_(row)
    _wait(rows)
    yield
    _reduce(buffers)
    yield torch.stack([torch.stack([repeat[rank].to("cuda:0") for repeat in buffers]) for rank in range(len(rows))])


def _reduce(buffers: list[list[torch.Tensor]]) -> None:
    for repeat in buffers:
        nccl.all_reduce(repeat)
    _wait(buffers[0])


def _wait(tensors: list[torch.Tensor]) -> None:
    for tensor in tensors:
        torch.cuda.synchronize(tensor.device)
