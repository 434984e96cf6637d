"""The functional call of each layer, with tensors that are captured beforehand."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

FUNCTIONAL = {
    "linear": "F.linear(x, weight, bias)",
    "conv2d": "F.conv2d(x, weight, bias, 1, padding)",
    "relu": "F.relu(x)",
    "layer_norm": "F.layer_norm(x, shape, weight, bias, eps)",
    "batch_norm2d": "F.batch_norm(x, mean, variance, weight, bias, training, momentum, eps)",
    "dropout": "F.dropout(x, p, training)",
    "embedding": "F.embedding(x, weight)",
}
LOOKED_UP = {
    "linear": "F.linear(x, layer.weight, layer.bias)",
    "conv2d": "F.conv2d(x, layer.weight, layer.bias, layer.stride, layer.padding)",
    "relu": "F.relu(x)",
    "layer_norm": "F.layer_norm(x, layer.normalized_shape, layer.weight, layer.bias, layer.eps)",
    "batch_norm2d": "F.batch_norm(x, layer.running_mean, layer.running_var, layer.weight, layer.bias, "
    "layer.training, layer.momentum, layer.eps)",
    "dropout": "F.dropout(x, layer.p, layer.training)",
    "embedding": "F.embedding(x, layer.weight)",
}
ATEN = {
    "linear": "aten.linear(x, weight, bias)",
    "conv2d": "aten.conv2d(x, weight, bias, [1, 1], padding)",
    "relu": "aten.relu(x)",
    "layer_norm": "aten.layer_norm(x, shape, weight, bias, eps)",
    "batch_norm2d": "aten.batch_norm(x, weight, bias, mean, variance, training, momentum, eps, True)",
    "dropout": "aten.dropout(x, p, training)",
    "embedding": "aten.embedding(weight, x)",
}
_ATTRIBUTES = {
    "weight": "weight",
    "bias": "bias",
    "padding": "padding",
    "shape": "normalized_shape",
    "mean": "running_mean",
    "variance": "running_var",
    "momentum": "momentum",
    "eps": "eps",
    "p": "p",
    "training": "training",
}


def captured(layer: nn.Module, expression: str) -> dict[str, Any]:
    """The values of the names in ``expression``, taken from the module once, outside any call."""
    code = compile(expression, "<style>", "eval")
    spaces = {"F": F, "aten": torch.ops.aten}
    return {
        name: spaces[name] if name in spaces else getattr(layer, _ATTRIBUTES[name])
        for name in code.co_names
        if name in spaces or name in _ATTRIBUTES
    }
