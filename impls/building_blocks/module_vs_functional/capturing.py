"""A call captured in a CUDA graph, to be replayed on the same tensors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from harness.contract import Inline
from impls.building_blocks.module_vs_functional.layers import Prepared

WARM_UP_CALLS = 3


def replayed(prepared: Prepared, call: Callable[[Tensor], Tensor]) -> Inline:
    """The replay of ``call``, which writes its output where the captured call did.

    It runs beforehand on a stream of its own, as torch asks for before capturing: libraries that set themselves up in
    the first call cannot do so while it is captured.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream), torch.no_grad():
        for _ in range(WARM_UP_CALLS):
            call(prepared.x)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.no_grad(), torch.cuda.graph(graph):
        output = call(prepared.x)
    plain = prepared.inline("graph.replay()", graph=graph)
    return Inline(plain.expression, plain.names, answer=lambda _: prepared.answer(output), within=plain.within)
