"""What the layers are said to compute, in float64 NumPy by their definitions, with gradients."""

from __future__ import annotations

import numpy as np

from suites.module_vs_functional.settings import DROPOUT_P, EPS, PADDING, Settings

Answer = dict[str, np.ndarray]


def by_definition(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    running: np.ndarray,
    cotangent: np.ndarray,
    settings: Settings,
    output: np.ndarray,
) -> Answer:
    """Output and gradients, shaped as the reference's; those of linear, which are large, only where grad mode is on.

    :param output: what was delivered: dropout in training is held to the mask that it shows, which is not predicted.
    """
    floats = [array.astype(np.float64) for array in (weight, bias, running, cotangent)]
    weight, bias, running, cotangent = floats
    w, b = (stack[0] if stack.size else None for stack in (weight, bias))
    wide = x.astype(np.float64)
    match settings.layer:
        case "linear":
            return _linear(wide, weight, bias, cotangent, settings)
        case "conv2d":
            return _conv2d(wide, weight[0], b, cotangent)
        case "relu":
            return {"output": np.maximum(wide, 0), "grad_input": cotangent * (wide > 0)}
        case "layer_norm":
            return _normalised(wide, w, b, cotangent, axes=(-1,), parameter_axes=(0,))
        case "batch_norm2d":
            known = None if settings.training else running[:, :, None, None]
            shaped = [None if each is None else each[:, None, None] for each in (w, b)]
            return _normalised(wide, shaped[0], shaped[1], cotangent, (0, 2, 3), (0, 2, 3), known)
        case "dropout":
            kept = (output != 0) | (wide == 0) if settings.training else np.ones(wide.shape)
            factor = kept / (1 - DROPOUT_P) if settings.training else kept
            return {"output": wide * factor, "grad_input": cotangent * factor}
        case "embedding":
            grad = np.zeros_like(weight[0])
            np.add.at(grad, x, cotangent)
            return {"output": weight[0][x], "grad_weight": grad[None]}


def _linear(
    x: np.ndarray, weights: np.ndarray, biases: np.ndarray, cotangent: np.ndarray, settings: Settings
) -> Answer:
    """y = x (factor W)^T + b, layer after layer; the factor is the parametrisation's."""
    factor = 2.0 if settings.variant == "parametrized" else 1.0
    entered = [x]
    for number, weight in enumerate(weights):
        entered.append(entered[-1] @ (factor * weight).T + (biases[number] if biases.size else 0.0))
    if not settings.grad:
        return {"output": entered[-1]}
    grads: list[tuple[np.ndarray, np.ndarray]] = []
    back = cotangent
    for before, weight in zip(reversed(entered[:-1]), reversed(weights), strict=True):
        grads.append((factor * back.T @ before, back.sum(axis=0)))
        back = back @ (factor * weight)
    grad_weights, grad_biases = (np.stack(each[::-1]) for each in zip(*grads, strict=True))
    return {"output": entered[-1], "grad_input": back, "grad_weight": grad_weights, "grad_bias": grad_biases}


def _conv2d(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, cotangent: np.ndarray) -> Answer:
    """Correlation with a 3 x 3 window on an input with a border of zeros."""
    height, width = x.shape[2:]
    border = ((0, 0), (0, 0), (PADDING, PADDING), (PADDING, PADDING))
    padded = np.pad(x, border)
    output, grad_padded, grad_weight = np.zeros_like(cotangent), np.zeros_like(padded), np.zeros_like(weight)
    for row in range(weight.shape[2]):
        for column in range(weight.shape[3]):
            seen = (slice(None), slice(None), slice(row, row + height), slice(column, column + width))
            taps = weight[:, :, row, column]
            output += np.einsum("oi,bihw->bohw", taps, padded[seen])
            grad_padded[seen] += np.einsum("oi,bohw->bihw", taps, cotangent)
            grad_weight[:, :, row, column] = np.einsum("bohw,bihw->oi", cotangent, padded[seen])
    if bias is not None:
        output += bias[:, None, None]
    return {
        "output": output,
        "grad_input": grad_padded[:, :, PADDING:-PADDING, PADDING:-PADDING],
        "grad_weight": grad_weight[None],
        "grad_bias": cotangent.sum(axis=(0, 2, 3))[None],
    }


def _normalised(
    x: np.ndarray,
    weight: np.ndarray | None,
    bias: np.ndarray | None,
    cotangent: np.ndarray,
    axes: tuple[int, ...],
    parameter_axes: tuple[int, ...],
    known: np.ndarray | None = None,
) -> Answer:
    """(x - mean) / sqrt(variance + eps) * w + b, with the statistics of ``axes`` or with ``known`` ones."""
    mean, variance = known if known is not None else (x.mean(axes, keepdims=True), x.var(axes, keepdims=True))
    scale = 1 / np.sqrt(variance + EPS)
    unit = (x - mean) * scale
    scaled = cotangent if weight is None else cotangent * weight
    grad = scaled
    if known is None and x.size:
        grad = scaled - scaled.mean(axes, keepdims=True) - unit * (scaled * unit).mean(axes, keepdims=True)
    return {
        "output": unit * (1.0 if weight is None else weight) + (0.0 if bias is None else bias),
        "grad_input": grad * scale,
        "grad_weight": (cotangent * unit).sum(parameter_axes)[None],
        "grad_bias": cotangent.sum(parameter_axes)[None],
    }
