"""The reference: torch's own operators, ``torch.ops.aten.*``, called directly, bit for bit.

That these operators compute what the layers are said to compute is checked against formulas in float64
(:mod:`suites.module_vs_functional.formulas`).
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np

from suites.module_vs_functional.settings import DROPOUT_P, EPS, MOMENTUM, PADDING, Settings


def reference(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    running: np.ndarray,
    cotangent: np.ndarray,
    settings: Settings,
) -> dict[str, np.ndarray]:
    """The output, and the gradients of sum(output * cotangent), empty where grad mode is off.

    :param x: input of the layer, see :func:`suites.module_vs_functional.suite.make_inputs`; int64 for embedding.
    :param weight: (depth, ...) one weight per layer; empty where the layer has none.
    :param bias: (depth, ...) likewise; empty for ``bias=None``.
    :param running: (2, channels) running mean and variance of batch normalisation; empty elsewhere.
    :param cotangent: of the output's shape.
    :returns: ``output``, ``grad_input``, ``grad_weight``, ``grad_bias`` in the dtype of the inputs.
    """
    import torch

    leaf = settings.grad
    value = torch.tensor(x)
    if settings.strided:
        value = value.mT.contiguous().mT
    if leaf and x.dtype.kind == "f":
        value.requires_grad_()
    first, last = value, value
    parameters: list[list[Any]] = [
        [torch.tensor(each).requires_grad_(leaf) for each in stack] if stack.size else [None] * settings.depth
        for stack in (weight, bias)
    ]
    mean, variance = (torch.tensor(row) for row in running) if running.size else (None, None)
    mixed = torch.autocast("cpu", torch.bfloat16) if settings.variant == "autocast" else nullcontext()
    torch.default_generator.manual_seed(settings.seed)
    with mixed, torch.set_grad_enabled(leaf):
        for w, b in zip(*parameters, strict=True):
            doubled = 2 * w if w is not None and settings.variant == "parametrized" else w
            last = _call(last, doubled, b, (mean, variance), settings)
    last = last.to(parameters[0][0].dtype if weight.size else first.dtype)
    outputs = {"output": last.detach().numpy()}
    leaves = [first] if first.requires_grad else []
    of = {"grad_input": leaves, "grad_weight": parameters[0], "grad_bias": parameters[1]}
    wanted = {name: [leaf for leaf in each if leaf is not None and leaf.requires_grad] for name, each in of.items()}
    everything = [leaf for each in wanted.values() for leaf in each]
    gradients = iter(torch.autograd.grad(last, everything, torch.tensor(cotangent)) if everything else ())
    for name, each in wanted.items():
        found = [next(gradients).numpy() for _ in each]
        outputs[name] = (
            np.zeros(0, dtype=cotangent.dtype) if not found else found[0] if name == "grad_input" else np.stack(found)
        )
    return outputs


def _call(x: Any, w: Any, b: Any, statistics: tuple[Any, Any], settings: Settings) -> Any:
    import torch

    aten = torch.ops.aten
    match settings.layer:
        case "linear":
            return aten.linear(x, w, b)
        case "conv2d":
            return aten.conv2d(x, w, b, [1, 1], [PADDING, PADDING])
        case "relu":
            return aten.relu(x)
        case "layer_norm":
            return aten.layer_norm(x, list(w.shape), w, b, EPS)
        case "batch_norm2d":
            cudnn = torch.backends.cudnn.enabled
            return aten.batch_norm(x, w, b, *statistics, settings.training, MOMENTUM, EPS, cudnn)
        case "dropout":
            return aten.dropout(x, DROPOUT_P, settings.training)
        case "embedding":
            return aten.embedding(w, x)
