"""`torch.compile` for the call styles, where there is a C++ compiler."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import torch

from harness.contract import Unavailable


def compiled(called: Callable[..., Any]) -> Callable[..., Any]:
    """``called`` as one graph; it is compiled by its first call.

    What was compiled in this process before is forgotten: a function that is compiled anew for each of many inputs ends
    up not compiled at all.

    :raises Unavailable: there is no C++ compiler.
    """
    compilers = (os.environ.get("CXX", ""), "g++", "clang++")
    if not any(shutil.which(name) for name in compilers if name):
        raise Unavailable("torch.compile needs a C++ compiler; none of CXX, g++ and clang++ was found")
    torch.compiler.reset()
    made: Callable[..., Any] = torch.compile(called, fullgraph=True, dynamic=False)
    return made
