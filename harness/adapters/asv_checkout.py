"""An environment of asv that measures every commit's own checkout with the Python that asv itself runs in.

asv's environments install each commit and all that it needs anew, which takes minutes where torch is among it, and a
network. Where the commits need the same packages that is time for nothing:
``asv continuous --environment checkout:3.11 main HEAD``. It is found because ``asv.conf.json`` names this module under
``plugins``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asv import util
from asv.environment import Environment, EnvironmentUnavailable


class CheckoutEnvironment(Environment):  # type: ignore[misc]
    """A folder with a checkout and no packages of its own.

    :raises EnvironmentUnavailable: another version of Python is asked for than the one that runs.
    """

    tool_name = "checkout"
    matches_python_fallback = False

    def __init__(
        self, conf: Any, python: str, requirements: Mapping[str, str], tagged_env_vars: Mapping[tuple[str, str], str]
    ) -> None:
        if not self.matches(python):
            raise EnvironmentUnavailable(f"checkout: this is Python {_running()}, not {python}")
        # Its name is made of these before asv's own class sets them.
        self._python = python
        self._requirements = dict(requirements)
        super().__init__(conf, python, self._requirements, tagged_env_vars)

    @classmethod
    def matches(cls, python: str) -> bool:
        return python == _running()

    def check_presence(self) -> bool:
        return Path(self._path).is_dir()

    def _setup(self) -> None:
        Path(self._path).mkdir(parents=True)

    def install_project(self, conf: Any, repo: Any, commit_hash: str) -> None:
        """Nothing is installed: the checkout comes first on the path of whoever measures it."""
        self.checkout_project(repo, commit_hash)

    def find_executable(self, executable: str) -> str:
        return sys.executable if executable == "python" else str(util.which(executable))

    def run(self, args: Sequence[str], **kwargs: Any) -> Any:
        environment = {**kwargs.pop("env", os.environ), **self._global_env_vars}
        inherited = environment.get("ASV_PYTHONPATH") or environment.pop("PYTHONPATH", "")
        # The name under which asv lets a path through to the process that measures.
        environment["ASV_PYTHONPATH"] = os.pathsep.join(filter(None, (self._build_root, inherited)))
        return util.check_output([sys.executable, *args], env=environment, **kwargs)


def _running() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
