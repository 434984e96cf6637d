"""What the suite's probes ask of torch: its graph, what it saves, and what its own counter counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from impls.building_blocks.autograd.counting import Operations
from impls.building_blocks.autograd.torch_operations import TORCH, TorchOperations, gradient
from suites.autograd.programs import Problem

Program = Callable[..., Any]


class TorchCounters:
    def __init__(self, operations: TorchOperations = TORCH) -> None:
        self._operations = operations

    def gradient(self, program: Program, x: np.ndarray, problem: Problem) -> np.ndarray:
        ones = torch.ones(1, dtype=torch.from_numpy(x).dtype)
        found: np.ndarray = gradient(self._operations, program, torch.from_numpy(x), _tensors(problem), ones).numpy()
        return found

    def gradient_and_size(self, program: Program, x: np.ndarray, problem: Problem) -> tuple[np.ndarray, int]:
        """The gradient and the number of nodes in the graph."""
        start = torch.tensor(x, requires_grad=True)
        output = program(self._operations, start, _tensors(problem))
        size = _size(output.grad_fn)
        output.backward()
        return np.asarray(start.grad), size

    def flops(self, program: Program, x: np.ndarray, problem: Problem) -> tuple[Operations, Operations]:
        """Operations of matrix products of a value, and of a value with its gradient; torch counts no others."""
        from torch.utils.flop_counter import FlopCounterMode  # which takes seconds to import

        counted = []
        for run in (
            lambda: program(self._operations, torch.from_numpy(x), _tensors(problem)),
            lambda: self.gradient(program, x, problem),
        ):
            with FlopCounterMode(display=False) as counter:
                run()
            counted.append(Operations(matmul=counter.get_total_flops()))
        return counted[0], counted[1]

    def accumulated(self, program: Program, x: np.ndarray, problems: Sequence[Problem], share: float) -> np.ndarray:
        """What ``grad`` is after a backward pass of share . f for each of ``problems`` and no reset."""
        start = torch.tensor(x, requires_grad=True)
        for problem in problems:
            (program(self._operations, start, _tensors(problem)) * share).backward()
        return np.asarray(start.grad)

    def saved_bytes(self, rng: np.random.Generator, layers: int, width: int, batch: int, *, tracked: bool) -> int:
        """What hooks on saved tensors see of a sequence of Linear and Tanh modules in float32, each storage once."""
        linear = [torch.nn.utils.skip_init(torch.nn.Linear, width, width) for _ in range(layers)]
        for parameter in (each for module in linear for each in module.parameters()):
            torch.nn.init.constant_(parameter, 1 / width)
        network = torch.nn.Sequential(*(piece for module in linear for piece in (module, torch.nn.Tanh())))
        features = torch.from_numpy(rng.standard_normal((batch, width), dtype=np.float32))
        storages: dict[int, int] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
            return tensor  # kept by the graph, so that no later storage has the same address

        with torch.set_grad_enabled(tracked), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            output = network(features).sum()
        assert output.requires_grad is tracked
        return sum(storages.values())

    def buffer(self, value: Any) -> tuple[Any, int]:
        """The storage of a program's value, and its bytes."""
        tensor = torch.as_tensor(value)
        return tensor.untyped_storage(), tensor.untyped_storage().nbytes()


def _tensors(problem: Problem) -> Problem:
    """The same with tensors that share the arrays' memory."""
    table, targets = (None if each is None else torch.as_tensor(each) for each in problem[:2])
    return problem._replace(table=table, targets=targets)


def _size(output: Any) -> int:
    seen, stack = {output}, [output]
    while stack:
        for source, _ in stack.pop().next_functions:
            if source is not None and source not in seen:
                seen.add(source)
                stack.append(source)
    return len(seen)
