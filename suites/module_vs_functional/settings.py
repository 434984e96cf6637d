"""Which layer is called and how: the description that every call style and the reference are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Layer = Literal["linear", "conv2d", "relu", "layer_norm", "batch_norm2d", "dropout", "embedding"]
Variant = Literal["plain", "parametrized", "own_call", "autocast"]

LAYERS: tuple[Layer, ...] = ("linear", "conv2d", "relu", "layer_norm", "batch_norm2d", "dropout", "embedding")
CHANNELS = 16
DROPOUT_P = 0.5
EPS = 1e-5
MOMENTUM = 0.1
PADDING = 1


@dataclass(frozen=True)
class Settings:
    """One layer, or a chain of equal Linear layers.

    :param depth: how many layers there are, each with weights of its own and called one after another.
    :param training: modules are in training mode, and functions are told so; otherwise eval.
    :param grad: the graph is built, and gradients are part of the answer.
    :param hooks: forward hooks on each module, which look and return nothing.
    :param variant: ``parametrized``: the weight is twice the parameter, by ``torch.nn.utils.parametrize``;
        ``own_call``: the module's class overrides ``__call__`` with one that passes everything on; ``autocast``: calls
        are made under automatic mixed precision to bfloat16.
    :param strided: the input is not contiguous: its last two dimensions lie in memory in the other order.
    :param seed: what the generator is seeded with before each form of a random layer.
    """

    layer: Layer
    depth: int = 1
    training: bool = False
    grad: bool = False
    hooks: int = 0
    variant: Variant = "plain"
    strided: bool = False
    seed: int = 0
