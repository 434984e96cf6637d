"""What single implementations of attention promise beyond the right answer on contiguous inputs."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from suites.attention.inputs import make_inputs
from suites.attention.reference import measure_errors, reference

ROOT = Path(__file__).resolve().parents[2]
OUTPUTS = ("out", "lse", "dq", "dk", "dv")


def draw(**case: Any) -> dict[str, Any]:
    shape = {"batch": 2, "heads": 3, "seq_len": 70, "head_dim": 40, "causal": True}
    inputs = make_inputs(np.random.default_rng(0), **(shape | case))
    return {n: a.astype(np.float32) if isinstance(a, np.ndarray) else a for n, a in inputs.items()}


def outputs_of(name: str, inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    implementation = importlib.import_module(f"impls.attention.{name}").attention
    phases = list(implementation.function(**inputs))
    return dict(
        zip(
            OUTPUTS,
            (np.asarray(a.detach() if isinstance(a, torch.Tensor) else a) for p in phases for a in p),
            strict=True,
        )
    )


def largest_error(outputs: dict[str, np.ndarray], inputs: dict[str, Any]) -> float:
    wide = {n: a.astype(np.float64) if isinstance(a, np.ndarray) else a for n, a in inputs.items()}
    return max(measure_errors(outputs, reference(**wide), inputs, "").values())


@pytest.mark.parametrize(
    "name",
    [
        "numpy_naive",
        "numpy_tiled_fa1",
        "numpy_tiled_fa2",
        "numba_parallel",
        "torch_naive",
        "torch_math",
        "torch_flash",
        "torch_chunked_recompute",
    ],
)
def test_strided_inputs_give_the_same_answer(name: str) -> None:
    """Inputs laid out as (B, N, H, d) and viewed as (B, H, N, d), as a model's projections leave them."""
    inputs = draw()
    strided = {n: a.swapaxes(1, 2).copy().swapaxes(1, 2) if isinstance(a, np.ndarray) else a for n, a in inputs.items()}
    assert not strided["q"].flags.c_contiguous
    if name.startswith("torch"):
        strided = {n: torch.from_numpy(a) if isinstance(a, np.ndarray) else a for n, a in strided.items()}
    assert largest_error(outputs_of(name, strided), inputs) < 5e-6


@pytest.mark.parametrize(("heads", "workers"), [(1, 2), (1, 3), (3, 2)])
def test_numba_shares_of_a_head_add_up(heads: int, workers: int) -> None:
    """Fewer heads than threads split the keys of a head; three workers on one thread count all the same."""
    kernels = importlib.import_module("impls.building_blocks.attention.numba")
    inputs = draw(batch=1, heads=heads, seq_len=250, extra_queries=7)
    q, k, v, grad_out = (inputs[n][0] for n in ("q", "k", "v", "grad_out"))
    out, lse = kernels.forward(q, k, v, True, workers)
    gradients = kernels.backward(q, k, v, grad_out, out, lse, True, workers)
    assert largest_error(dict(zip(OUTPUTS, (a[None] for a in (out, lse, *gradients)), strict=True)), inputs) < 5e-6


def saved_numbers(name: str, inputs: dict[str, Any]) -> int:
    """How many numbers autograd keeps between the phases, each storage once."""
    tensors = {n: torch.from_numpy(a) if isinstance(a, np.ndarray) else a for n, a in inputs.items()}
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes() // 4
        return tensor

    generator = importlib.import_module(f"impls.attention.{name}").attention.function(**tensors)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        next(generator)
    generator.close()
    return sum(kept.values())


def test_recomputation_saves_what_grows_with_n_only() -> None:
    """q, k, v, out and lse to the number; the unfused backend keeps the probabilities as well."""
    inputs = draw(batch=1, heads=2, seq_len=64, head_dim=16, causal=False)
    assert saved_numbers("torch_chunked_recompute", inputs) == 2 * 64 * (4 * 16 + 1)
    assert saved_numbers("torch_math", inputs) >= 2 * 64 * 64


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_log_sum_exp_from_probabilities_that_underflow(dtype: torch.dtype) -> None:
    """The last key's probability is 0 in every row, so another key has to be taken; a row of zeros gives -inf."""
    module = importlib.import_module("impls.building_blocks.attention.lse")
    generator = torch.Generator().manual_seed(0)
    q, k = (torch.randn(1, 1, 6, 8, generator=generator) for _ in range(2))
    k[0, 0, -1] = -300.0 * q[0, 0].mean(0)
    k, q = k.to(dtype), q.to(dtype)
    s = q.double() @ k.double().mT
    p = torch.softmax(s, dim=-1).to(dtype)
    expected = torch.logsumexp(s, dim=-1).float()
    lse = module.lse_from_probabilities(p, q, k, 1.0)
    assert lse.dtype == torch.float32
    assert torch.allclose(lse, expected, rtol=2e-3 if dtype == torch.float16 else 1e-5)
    assert torch.all(torch.isneginf(module.lse_from_probabilities(torch.zeros_like(p), q, k, 1.0)))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("name", ["torch_flash", "torch_efficient", "torch_cudnn"])
def test_cuda_operators_take_these_arguments(name: str, causal: bool) -> None:
    """On tensors without data: the operators exist with these signatures and shape their outputs as the suite asks."""
    q, k, v, grad_out = (torch.empty(2, 3, 100, 64, dtype=torch.float16, device="meta") for _ in range(4))
    implementation = importlib.import_module(f"impls.attention.{name}").attention
    (out, lse), gradients = implementation.function(q, k, v, grad_out, causal)
    assert out.shape == q.shape
    assert lse.shape == q.shape[:-1]
    assert lse.dtype == torch.float32
    assert [g.shape for g in gradients] == [q.shape, k.shape, v.shape]


TRITON_CASES = [
    {"seq_len": 65, "causal": False, "head_dim": 16},
    {"seq_len": 100, "causal": True, "head_dim": 40},
    {"seq_len": 33, "causal": True, "head_dim": 16, "extra_queries": 40},
    {"seq_len": 80, "causal": True, "head_dim": 16, "extra_queries": -40},
    {"seq_len": 70, "causal": True, "head_dim": 16, "data": "rising_maximum"},
    {"seq_len": 130, "causal": True, "head_dim": 16, "dtype": "float16"},
]
TRITON_SCRIPT = """
import importlib, json, sys
import numpy as np, torch
from suites.attention.inputs import make_inputs
from suites.attention.reference import measure_errors, reference
attention = importlib.import_module("impls.attention.triton_flash").attention.function
torch.set_num_threads(1)
for case in json.loads(sys.argv[1]):
    dtype = getattr(torch, case.pop("dtype", "float32"))
    inputs = make_inputs(np.random.default_rng(0), batch=1, heads=1, **case)
    tensors = {n: torch.tensor(a).to(dtype) if isinstance(a, np.ndarray) else a for n, a in inputs.items()}
    rounded = {n: a.double().numpy() if isinstance(a, torch.Tensor) else a for n, a in tensors.items()}
    outputs = [a for phase in attention(**tensors) for a in phase]
    named = dict(zip(("out", "lse", "dq", "dk", "dv"), (a.float().numpy() for a in outputs)))
    print(json.dumps(measure_errors(named, reference(**rounded), rounded, "")))
"""


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="package triton is not installed")
def test_triton_kernels_in_the_interpreter() -> None:
    """All tiles, masks and both passes without a GPU. bfloat16 is left out: the interpreter computes it as integers."""
    environment = os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", TRITON_SCRIPT, json.dumps(TRITON_CASES)]
    result = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr
    errors = [json.loads(line) for line in result.stdout.splitlines()]
    for case, found in zip(TRITON_CASES, errors, strict=True):
        assert max(found.values()) < (4e-3 if "dtype" in case else 5e-6), (case, found)
