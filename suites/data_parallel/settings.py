"""What is trained and how: the description that every implementation and the reference are given."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal


@dataclass(frozen=True)
class Settings:
    """A multi-layer perceptron, its loss, its optimiser, and how a batch is shared out.

    The network is ``depth`` linear layers, in_features -> hidden -> ... -> hidden -> out_features, with tanh between
    them: a smooth activation, since a float32 rounding that flips a ReLU changes a gradient by more than rounding.
    The parameters lie in one flat array in the order of the layers, for each its weight (out, in) row by row and then
    its bias. SGD with momentum: v <- momentum * v + g, p <- p - learning_rate * v, from v = 0.

    Step s trains on rows s*batch to (s+1)*batch of the data, beginning again at the end of the data; rank r of P has
    the rows r*batch//P to (r+1)*batch//P of each batch, which is none where there are fewer rows than ranks.

    :param warm_up_steps: how many of ``steps`` belong to the phase ``warm_up``, at least one fewer than ``steps``.
    :param loss: ``mse``, the squared error, or ``cross_entropy`` with class numbers as targets.
    :param reduction: ``mean`` over the batch (for ``mse`` over rows and outputs), or ``sum``.
    :param micro_batches: how many parts a rank computes its shard in, with one exchange of gradients after the last.
    :param bucket_cap_bytes: upper limit of a gradient bucket; a larger parameter has a bucket of its own.
    :param tied: the layers between the first and the last are one layer, used ``depth - 2`` times.
    :param unused: one more layer, hidden -> hidden, is registered after the others and takes no part.
    :param weigh_shards: scale each rank's loss such that the average of the gradients over ranks is the gradient of
        the whole batch, whatever the reduction and the sizes of the shards. Without it each rank's loss is the plain
        mean or sum over its own rows, and the average is right only for the mean over equal shards.
    """

    in_features: int
    hidden: int
    depth: int
    out_features: int
    batch: int
    workers: int
    steps: int
    warm_up_steps: int
    learning_rate: float
    momentum: float
    loss: Literal["mse", "cross_entropy"] = "mse"
    reduction: Literal["mean", "sum"] = "mean"
    micro_batches: int = 1
    bucket_cap_bytes: int = 25 * 2**20
    tied: bool = False
    unused: bool = False
    weigh_shards: bool = True

    def rows(self, step: int, row_count: int) -> tuple[int, int]:
        """First row of the batch of ``step`` and the row after its last, of data with ``row_count`` rows."""
        first = step % (row_count // self.batch) * self.batch
        return first, first + self.batch

    def shard(self, rank: int) -> tuple[int, int]:
        """First row of a rank's shard and the row after its last, counted from the beginning of the batch."""
        return rank * self.batch // self.workers, (rank + 1) * self.batch // self.workers

    def layer_shapes(self) -> list[tuple[int, int]]:
        """(out, in) of every layer that has parameters of its own, in the order of the flat array."""
        widths = [self.in_features, *[self.hidden] * (self.depth - 1), self.out_features]
        shapes = [(after, before) for before, after in pairwise(widths)]
        if self.tied and self.depth > 3:
            shapes = [shapes[0], shapes[1], shapes[-1]]
        return shapes + [(self.hidden, self.hidden)] * self.unused

    @property
    def parameter_count(self) -> int:
        return sum(rows * columns + rows for rows, columns in self.layer_shapes())
