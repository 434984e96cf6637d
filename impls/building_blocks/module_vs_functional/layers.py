"""Modules made of given tensors, with what is called in each style around them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook
from torch.nn.utils import parametrize

from harness.contract import Inline
from suites.module_vs_functional.settings import DROPOUT_P, EPS, MOMENTUM, PADDING, Settings

Outputs = tuple[Tensor, Tensor, Tensor, Tensor]


class Doubled(nn.Module):
    """The parametrisation: twice the parameter, which is exact."""

    def forward(self, original: Tensor) -> Tensor:
        return 2 * original


class LinearWithOwnCall(nn.Linear):
    """A class that overrides ``__call__``, as trackers do, and changes nothing."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(*args, **kwargs)


@dataclass(frozen=True)
class Prepared:
    """What the styles call: the input, the modules, and what the answer takes gradients of.

    :param weights: the parameters behind the modules' weights, one per module, none where they have none.
    """

    x: Tensor
    modules: tuple[nn.Module, ...]
    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]
    cotangent: Tensor
    settings: Settings

    @property
    def layer(self) -> nn.Module:
        (layer,) = self.modules
        return layer

    @property
    def captured(self) -> list[tuple[Tensor, Tensor]]:
        """Weight and bias of every module, looked up once; parametrised ones are computed once."""
        return [(cast(Tensor, module.weight), cast(Tensor, module.bias)) for module in self.modules]

    def inline(self, expression: str, /, **names: Any) -> Inline:
        """``expression`` with the input as ``x``, in the settings' grad mode."""
        torch.default_generator.manual_seed(self.settings.seed)
        return Inline(expression, {"x": self.x, **names}, answer=self.answer, within=self.within)

    def within(self) -> AbstractContextManager[Any]:
        if self.settings.variant == "autocast":
            return torch.autocast("cpu", torch.bfloat16)
        return torch.set_grad_enabled(self.settings.grad)

    def answer(self, value: Tensor) -> Outputs:
        """The output and the gradients of sum(output * cotangent), empty where grad mode is off."""
        value = value.to(self.cotangent.dtype)
        leaves = [(self.x,) if self.x.requires_grad else (), self.weights, self.biases]
        if not self.settings.grad:
            leaves = [(), (), ()]
        everything = [leaf for each in leaves for leaf in each]
        gradients = iter(torch.autograd.grad(value, everything, self.cotangent) if everything else ())
        entries, weights, biases = ([next(gradients) for _ in each] for each in leaves)
        nothing = self.cotangent.new_zeros(0)
        return (
            value.detach(),
            entries[0] if entries else nothing,
            torch.stack(weights) if weights else nothing,
            torch.stack(biases) if biases else nothing,
        )


def prepare(
    x: Tensor, weight: Tensor, bias: Tensor, running: Tensor, cotangent: Tensor, settings: Settings
) -> Prepared:
    """Modules that hold these tensors themselves, in training or eval mode, with the hooks that are asked for.

    :raises RuntimeError: a hook on all modules is registered, by a profiler or a tracker: every call would pay for it.
    """
    if _has_any_global_hook():
        raise RuntimeError("a global hook on modules is registered, so that no module call takes the short way")
    if settings.strided:
        x = x.mT.contiguous().mT
    if settings.grad and x.is_floating_point():
        x = x.detach().requires_grad_()
    modules = []
    for number in range(settings.depth):
        module = _module(settings, x, weight[number] if weight.numel() else None, bias.numel() > 0)
        if weight.numel():
            module.weight = nn.Parameter(weight[number])
        if bias.numel():
            module.bias = nn.Parameter(bias[number])
        if running.numel():
            module.running_mean, module.running_var = (row.clone() for row in running)
            module.num_batches_tracked = torch.tensor(0)
        if settings.variant == "parametrized":
            parametrize.register_parametrization(module, "weight", Doubled())
        for _ in range(settings.hooks):
            module.register_forward_hook(_look)
        modules.append(module.train(settings.training))
    named = [dict(module.named_parameters()) for module in modules]
    weights = [value for each in named for name, value in each.items() if "weight" in name]
    biases = [value for each in named for name, value in each.items() if "bias" in name]
    return Prepared(x, tuple(modules), tuple(weights), tuple(biases), cotangent, settings)


def _look(module: nn.Module, inputs: Any, output: Any) -> None:
    """A hook that looks and returns nothing."""


def _module(settings: Settings, x: Tensor, weight: Tensor | None, bias: bool) -> nn.Module:
    """An empty module, whose parameters are put in afterwards: on the meta device nothing is drawn for them."""
    make: dict[str, Callable[[], nn.Module]] = {
        "relu": nn.ReLU,
        "dropout": partial(nn.Dropout, DROPOUT_P),
    }
    if weight is not None:
        linear = LinearWithOwnCall if settings.variant == "own_call" else nn.Linear
        rows, columns = weight.shape[0], weight.shape[-1]
        make |= {
            "linear": partial(linear, columns, rows, bias=bias, device="meta"),
            "conv2d": partial(nn.Conv2d, rows, rows, columns, padding=PADDING, bias=bias, device="meta"),
            "layer_norm": partial(nn.LayerNorm, rows, eps=EPS, bias=bias, device="meta"),
            "batch_norm2d": partial(nn.BatchNorm2d, rows, eps=EPS, momentum=MOMENTUM, device="meta"),
            "embedding": partial(nn.Embedding, rows, columns, device="meta"),
        }
    return make[settings.layer]()
