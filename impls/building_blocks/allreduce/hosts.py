"""Ranks as hosts: each in a network namespace of its own, joined by a bridge over links that the kernel throttles.

All namespaces belong to a user namespace of this call, so that no privileges are needed where the system lets users
make those, and nothing of the machine's own network is touched. They go when the last process in them ends.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.contract import Unavailable
from impls.building_blocks.allreduce.messages import GlooEndpoint, Loopback
from impls.building_blocks.ranks.team import die_with
from suites.allreduce.settings import LINK_BYTES_PER_S

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
INTERFACE, BRIDGE = "eth0", "switch0"
_LIBC = ctypes.CDLL(None, use_errno=True)


class Hosts(Loopback):
    """The process that holds the bridge is made first; ranks move into their namespaces when they join.

    :param delay_s: on each link, one way.
    :raises Unavailable: the machine cannot make such a network; the message says what it lacks.
    """

    def __init__(self, ranks: int, delay_s: float = 0.0) -> None:
        for program in ("ip", "tc"):
            if not shutil.which(program):
                raise Unavailable(f"needs the program {program} (iproute2) for network namespaces")
        super().__init__(ranks)
        self._discipline = _discipline(delay_s)
        self._bridge = 0
        try:
            self._bridge = _fork_bridge(self._discipline)
        finally:
            if not self._bridge:
                super().close()

    def join(self, rank: int, interface: str = INTERFACE) -> GlooEndpoint:
        parent = os.getppid()
        _enter(self._bridge, "user", CLONE_NEWUSER)
        _call("unshare", CLONE_NEWNET)
        die_with(parent)
        port = f"port{rank}"
        _do("ip", "link", "add", interface, "type", "veth", "peer", "name", port, "netns", str(self._bridge))
        with _inside(self._bridge):
            _do("ip", "link", "set", port, "master", BRIDGE, "up")
        _do("ip", "address", "add", f"10.0.{rank // 250}.{rank % 250 + 1}/16", "dev", interface)
        _do("ip", "link", "set", interface, "up")
        _do("tc", "qdisc", "add", "dev", interface, "root", *self._discipline)
        return super().join(rank, interface)

    def close(self) -> None:
        os.kill(self._bridge, signal.SIGKILL)
        os.waitpid(self._bridge, 0)
        super().close()


def _discipline(delay_s: float) -> tuple[str, ...]:
    """The queueing discipline of a link; only netem can delay."""
    rate = f"{LINK_BYTES_PER_S * 8}bit"
    if delay_s:
        return ("netem", "delay", f"{delay_s * 1e6:.0f}us", "rate", rate, "limit", "100000")
    return ("tbf", "rate", rate, "burst", "64kb", "latency", "1s")


def _fork_bridge(discipline: tuple[str, ...]) -> int:
    """A process in new namespaces that holds the bridge; the process's number once that is there."""
    read, write = os.pipe()
    parent = os.getpid()
    process = os.fork()
    if process == 0:
        os.close(read)
        _be_bridge(parent, write, discipline)
    os.close(write)
    try:
        with os.fdopen(read) as end:
            said = end.readline().rstrip("\n")
    except BaseException:
        said = "was interrupted"
        raise
    finally:
        if said != "ready":
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
    if said != "ready":
        raise Unavailable(f"no network of namespaces can be made here: {said or 'the process ended without a word'}")
    return process


def _be_bridge(parent: int, write: int, discipline: tuple[str, ...]) -> None:
    try:
        user, group = os.getuid(), os.getgid()
        _call("unshare", CLONE_NEWUSER | CLONE_NEWNET)
        die_with(parent)
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
        _do("ip", "link", "add", BRIDGE, "type", "bridge")
        _do("ip", "link", "set", BRIDGE, "up")
        _do("tc", "qdisc", "add", "dev", "lo", "root", *discipline)
        os.write(write, b"ready\n")
        while True:
            signal.pause()
    except BaseException as error:
        os.write(write, f"{error}\n".encode())
    finally:
        os._exit(1)


@contextmanager
def _inside(process: int) -> Iterator[None]:
    """Act in the network of another process for a while."""
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        _enter(process, "net", CLONE_NEWNET)
        yield
    finally:
        _call("setns", own, CLONE_NEWNET)
        os.close(own)


def _enter(process: int, kind: str, flag: int) -> None:
    descriptor = os.open(f"/proc/{process}/ns/{kind}", os.O_RDONLY)
    try:
        _call("setns", descriptor, flag)
    finally:
        os.close(descriptor)


def _call(name: str, *arguments: int) -> None:
    if getattr(_LIBC, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _do(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {' '.join(done.stderr.split())}")
