"""Training on the whole batch in one process, in float64 NumPy with the derivatives written out by hand."""

from __future__ import annotations

import numpy as np

from suites.data_parallel.settings import Settings


def reference(
    features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> dict[str, np.ndarray]:
    """Parameters after the last step, the loss of every step before its update, and the same parameters for each rank.

    :param features: (rows, in_features).
    :param targets: (rows, out_features) for ``mse``, class numbers (rows,) for ``cross_entropy``.
    :param initial_parameters: (parameter_count,).
    :returns: ``parameters`` (parameter_count,), ``losses`` (steps,), ``rank_parameters`` (workers, parameter_count).
    """
    parameters = initial_parameters.astype(np.float64)
    velocity = np.zeros_like(parameters)
    losses = np.empty(settings.steps)
    for step in range(settings.steps):
        first, last = settings.rows(step, len(features))
        losses[step], gradient = _loss_and_gradient(parameters, features[first:last], targets[first:last], settings)
        velocity = settings.momentum * velocity + gradient
        parameters = parameters - settings.learning_rate * velocity
    everywhere = np.broadcast_to(parameters, (settings.workers, len(parameters)))
    return {"parameters": parameters, "losses": losses, "rank_parameters": everywhere}


def _loss_and_gradient(
    parameters: np.ndarray, inputs: np.ndarray, targets: np.ndarray, settings: Settings
) -> tuple[float, np.ndarray]:
    offsets = _offsets(settings)
    used = _layer_of_each_position(settings)
    weights = [parameters[a : a + o * i].reshape(o, i) for a, o, i in offsets]
    biases = [parameters[a + o * i : a + o * i + o] for a, o, i in offsets]
    activations = [inputs]
    for position, layer in enumerate(used):
        before = activations[-1] @ weights[layer].T + biases[layer]
        activations.append(np.tanh(before) if position < len(used) - 1 else before)
    loss, error = _loss(activations[-1], targets, settings)
    gradient = np.zeros_like(parameters)
    for position in reversed(range(len(used))):
        layer = used[position]
        start, rows, columns = offsets[layer]
        gradient[start : start + rows * columns] += (error.T @ activations[position]).ravel()
        gradient[start + rows * columns : start + rows * columns + rows] += error.sum(axis=0)
        if position:
            error = (error @ weights[layer]) * (1.0 - activations[position] ** 2)
    return loss, gradient


def _loss(outputs: np.ndarray, targets: np.ndarray, settings: Settings) -> tuple[float, np.ndarray]:
    """The loss and its derivative by the outputs."""
    if settings.loss == "mse":
        terms = outputs.size if settings.reduction == "mean" else 1
        difference = outputs - targets
        return float(np.sum(difference**2) / terms), 2.0 * difference / terms
    terms = len(outputs) if settings.reduction == "mean" else 1
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    log_probability = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    chosen = (np.arange(len(outputs)), targets)
    error = np.exp(log_probability)
    error[chosen] -= 1.0
    return float(-log_probability[chosen].sum() / terms), error / terms


def _offsets(settings: Settings) -> list[tuple[int, int, int]]:
    """Where each layer begins in the flat array, with its rows and columns."""
    offsets, start = [], 0
    for rows, columns in settings.layer_shapes():
        offsets.append((start, rows, columns))
        start += rows * columns + rows
    return offsets


def _layer_of_each_position(settings: Settings) -> list[int]:
    """Which layer stands at each of the ``depth`` positions of the network."""
    if not settings.tied or settings.depth < 3:
        return list(range(settings.depth))
    return [0, *[1] * (settings.depth - 2), 2]
