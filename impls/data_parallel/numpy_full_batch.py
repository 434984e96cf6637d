"""The whole batch in one process, forward and backward pass by hand in NumPy."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from suites.data_parallel.suite import SUITE, Settings

Layer = tuple[np.ndarray, np.ndarray]


@implements(SUITE, dtypes=("float32", "float64"))
def train(
    features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> Iterator[Any]:
    flat = initial_parameters.copy()
    layers, gradients = _views(flat, settings), np.zeros_like(flat)
    into = _views(gradients, settings)
    path = list(range(settings.depth))
    if settings.tied:
        path = [min(position, 1) for position in path[:-1]] + [min(settings.depth - 1, 2)]
    velocity = np.zeros_like(flat)
    rate, momentum = flat.dtype.type(settings.learning_rate), flat.dtype.type(settings.momentum)
    losses = np.empty(settings.steps)
    yield
    for step in range(settings.steps):
        if step == settings.warm_up_steps:
            yield
        first, last = settings.rows(step, len(features))
        losses[step] = _backward(layers, into, path, features[first:last], targets[first:last], settings)
        velocity *= momentum
        velocity += gradients
        flat -= rate * velocity
    yield flat, losses, np.broadcast_to(flat, (settings.workers, len(flat)))


def _views(flat: np.ndarray, settings: Settings) -> list[Layer]:
    """Weight (out, in) and bias (out,) of each layer as views of the flat array."""
    views: list[Layer] = []
    start = 0
    for rows, columns in settings.layer_shapes():
        middle, end = start + rows * columns, start + rows * columns + rows
        views.append((flat[start:middle].reshape(rows, columns), flat[middle:end]))
        start = end
    return views


def _backward(
    layers: list[Layer],
    into: list[Layer],
    path: list[int],
    inputs: np.ndarray,
    targets: np.ndarray,
    settings: Settings,
) -> float:
    """Put the gradients into ``into`` and return the loss."""
    values = [inputs]
    for layer in path:
        weight, bias = layers[layer]
        value = values[-1] @ weight.T
        value += bias
        if len(values) < len(path):
            np.tanh(value, out=value)
        values.append(value)
    loss, error = _loss(values.pop(), targets, settings)
    written: set[int] = set()
    for position in range(len(path) - 1, -1, -1):
        layer, value = path[position], values[position]
        weight_gradient, bias_gradient = into[layer]
        if layer in written:
            weight_gradient += error.T @ value
            bias_gradient += error.sum(axis=0)
        else:
            np.matmul(error.T, value, out=weight_gradient)
            np.sum(error, axis=0, out=bias_gradient)
            written.add(layer)
        if position:
            error = error @ layers[layer][0]
            error *= 1 - value * value
    return loss


def _loss(outputs: np.ndarray, targets: np.ndarray, settings: Settings) -> tuple[float, np.ndarray]:
    """The loss and its derivative by the outputs."""
    mean = settings.reduction == "mean"
    if settings.loss == "mse":
        error = outputs - targets
        terms = outputs.dtype.type(outputs.size if mean else 1)
        return float(np.vdot(error, error) / terms), error * (2 / terms)
    error = outputs - outputs.max(axis=1, keepdims=True)
    rows = np.arange(len(outputs))
    chosen = error[rows, targets]
    np.exp(error, out=error)
    sums = error.sum(axis=1, keepdims=True)
    terms = outputs.dtype.type(len(outputs) if mean else 1)
    loss = float((np.log(sums[:, 0]) - chosen).sum() / terms)
    error /= sums
    error[rows, targets] -= 1
    return loss, error / terms
