"""Ranks as forked processes that train in step and leave their results in shared memory.

A rank is forked from the process that calls, which must not have initialised CUDA. It has the parent's data and
modules at once, so that starting costs milliseconds instead of an interpreter and an import of torch. Autograd runs
in the ranks only: torch refuses a backward pass in a fork of a process whose autograd has started device threads.
A rank is killed by the kernel when its parent ends, however that happens.
"""

from __future__ import annotations

import ctypes
import gc
import os
import selectors
import signal
import struct
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from impls.building_blocks.data_parallel.model import loss_terms
from impls.building_blocks.data_parallel.rank import MakeTrainer, MakeTransport, Rank, shared_array
from suites.data_parallel.settings import Settings

PR_SET_PDEATHSIG = 1
COMMAND = struct.Struct("qq")
READY, FAILED = b"+", b"-"
_LIBC = ctypes.CDLL(None, use_errno=True)


class RankProcesses:
    """P forked ranks that train the same steps when told to.

    :ivar traffic: (workers, steps, 3) calls, payload bytes and sent bytes of every step.
    """

    def __init__(
        self,
        make_trainer: MakeTrainer,
        make_transport: MakeTransport,
        features: np.ndarray,
        targets: np.ndarray,
        initial_parameters: np.ndarray,
        settings: Settings,
    ) -> None:
        ranks = settings.workers
        self._settings, self._make_trainer = settings, make_trainer
        self._data = (features, targets, initial_parameters)
        self._row_sums = shared_array((ranks, settings.steps), np.float64)
        self._parameters = shared_array((ranks, len(initial_parameters)), initial_parameters.dtype)
        self.traffic = shared_array((ranks, settings.steps, 3), np.int64)
        self._processes: list[int] = []
        self._commands: list[int] = []
        self._reports: list[int] = []
        self._transport = make_transport(settings, initial_parameters.dtype)

    def start(self) -> None:
        """Fork the ranks and wait until each has its replica and its connections."""
        for number in range(self._settings.workers):
            command_read, command_write = os.pipe()
            report_read, report_write = os.pipe()
            parent = os.getpid()
            with warnings.catch_warnings():
                # Python 3.12 warns of any fork beside threads; a rank uses no lock that one of them could hold.
                warnings.simplefilter("ignore", DeprecationWarning)
                process = os.fork()
            if process == 0:
                self._be_rank(number, parent, command_read, report_write)
            os.close(command_read)
            os.close(report_write)
            self._processes.append(process)
            self._commands.append(command_write)
            self._reports.append(report_read)
        self._await_all()

    def run(self, first: int, last: int) -> None:
        """Train steps ``first`` to ``last`` - 1 on every rank; after the last of all steps results are there."""
        for command in self._commands:
            os.write(command, COMMAND.pack(first, last))
        self._await_all()

    def results(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Parameters (parameter_count,), losses (steps,) and parameters of every rank (workers, parameter_count)."""
        losses = self._row_sums.sum(axis=0) / loss_terms(self._settings)
        return self._parameters[0], losses, self._parameters

    def stop(self) -> None:
        """End the ranks; they hold nothing that would need an orderly end."""
        for process in self._processes:
            os.kill(process, signal.SIGKILL)
        for process in self._processes:
            os.waitpid(process, 0)
        for end in (*self._commands, *self._reports):
            os.close(end)
        self._processes, self._commands, self._reports = [], [], []
        self._transport.close()

    def _await_all(self) -> None:
        with selectors.DefaultSelector() as selector:
            for number, report in enumerate(self._reports):
                selector.register(report, selectors.EVENT_READ, number)
            while selector.get_map():
                for key, _ in selector.select():
                    if os.read(key.fd, 1) != READY:
                        raise RuntimeError(f"rank {key.data} failed:\n{_read_all(key.fd)}")
                    selector.unregister(key.fd)

    def _be_rank(self, number: int, parent: int, commands: int, reports: int) -> None:
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)
            for end in (*self._commands, *self._reports):
                os.close(end)
            # Else the first collection would touch, and so copy, every page that the parent's objects lie on.
            gc.freeze()
            torch.set_num_threads(1)
            rank = Rank(number, self._settings, *self._data, shared=self._transport)
            self._serve(rank, commands, reports)
        except BaseException:
            os.write(reports, FAILED + traceback.format_exc().encode()[-60_000:])
        finally:
            os._exit(1)

    def _serve(self, rank: Rank, commands: int, reports: int) -> None:
        trainer = self._make_trainer(rank)
        os.write(reports, READY)
        while True:
            command = os.read(commands, COMMAND.size)
            if not command:
                return
            first, last = COMMAND.unpack(command)
            for step in range(first, last):
                before = rank.traffic.calls, rank.traffic.payload_bytes, rank.traffic.sent_bytes
                self._row_sums[rank.number, step] = trainer.step(step)
                after = rank.traffic.calls, rank.traffic.payload_bytes, rank.traffic.sent_bytes
                self.traffic[rank.number, step] = np.subtract(after, before)
            if last == self._settings.steps:
                self._parameters[rank.number] = trainer.parameters()
            os.write(reports, READY)


def train_in_processes(
    make_trainer: MakeTrainer,
    make_transport: MakeTransport,
    features: np.ndarray,
    targets: np.ndarray,
    initial_parameters: np.ndarray,
    settings: Settings,
) -> Iterator[Any]:
    """The phases of one call: start the ranks, warm up, train and deliver; the ranks end with the generator."""
    ranks = RankProcesses(make_trainer, make_transport, features, targets, initial_parameters, settings)
    try:
        ranks.start()
        yield
        ranks.run(0, settings.warm_up_steps)
        yield
        ranks.run(settings.warm_up_steps, settings.steps)
        yield ranks.results()
    finally:
        ranks.stop()


def traffic_of(make_trainer: MakeTrainer, make_transport: MakeTransport) -> Callable[..., np.ndarray]:
    """A function that trains and returns the traffic of every rank and step instead of the results."""

    def count(
        features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
    ) -> np.ndarray:
        """(workers, steps, 3): calls, payload bytes, sent bytes."""
        ranks = RankProcesses(make_trainer, make_transport, features, targets, initial_parameters, settings)
        try:
            ranks.start()
            ranks.run(0, settings.steps)
            return ranks.traffic
        finally:
            ranks.stop()

    return count


def _read_all(descriptor: int) -> str:
    parts = []
    while part := os.read(descriptor, 65_536):
        parts.append(part)
    return b"".join(parts).decode(errors="replace") or "it ended without a word"
