"""What tells who measured, where, and with which secrets, taken out of the texts that are stored.

Figures need the machine's kind, never its owner. The structured part of an environment names no one by construction
(:mod:`harness.environment`); this module is for free text: messages of exceptions, which quote paths, host names and
whatever else a contestant had in its hands, and the paths that implementations come from.
"""

from __future__ import annotations

import getpass
import ipaddress
import os
import pwd
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

USER = "<user>"
HOST = "<host>"
ADDRESS = "<address>"
VARIABLE = "<environment>"

PUBLIC_VARIABLES = re.compile(
    r"LANG|LC_\w+|TERM|COLORTERM|SHELL|EDITOR|PAGER|TZ|PYTHON\w*|CI|DEBIAN_FRONTEND|\w+_VERSION|PYTEST_\w+|BAKEOFF_\w+"
    r"|(?:OMP|MKL|OPENBLAS|BLIS|VECLIB|NUMEXPR|NUMBA|KMP|GOMP|TORCH|TRITON|CUDA|NCCL|MALLOC)_\w+"
)
"""Environment variables whose values may stand in a message: they say how something ran, not who ran it."""

# Accounts that half the machines of the world have.
_COMMON_USERS = {
    "root", "user", "admin", "administrator", "nobody", "runner", "ubuntu", "debian", "docker", "jovyan", "vscode",
    "home", "build", "app",
}  # fmt: skip
_COMMON_HOSTS = {"localhost", "localdomain", "local", "docker", "host", "linux"}
# Shorter values (``1``, ``true``, ``xterm``) are everywhere by chance and no secret worth the name.
_SHORTEST_SECRET = 8
# A secret that is part of what is written in its place would be found for ever.
_MOST_PASSES = 5

_OTHER_HOME = re.compile(r"(/home/|/Users/|[\\/]Users[\\/])(?![<~])[^\s/\\:;,'\"<>()]+")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_MAC = re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])")
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]\w)(?!\w)")
_IPV6 = re.compile(r"(?<![\w:])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(?:\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])")
_DEVICE_ID = re.compile(r"\b(?:GPU|MIG)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)


@dataclass(frozen=True)
class Scrubber:
    """Knows what to hide.

    :param folders: folders by what is shown in their place, such as ``~`` for the user's home.
    :param users: names of the user.
    :param hosts: names of the machine.
    :param secrets: values of environment variables.
    """

    folders: Mapping[str, str]
    users: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    def text(self, text: str) -> str:
        """``text`` without secrets, home, user, host, addresses and serial numbers; anything else stays.

        What stands where something was taken out may make an address of what was beside it, so it is looked at again.
        """
        for _ in range(_MOST_PASSES):
            before, text = text, self._pass(text)
            if text == before:
                break
        return text

    def _pass(self, text: str) -> str:
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, VARIABLE)
        for folder in sorted(self.folders, key=len, reverse=True):
            text = _without_folder(text, folder, self.folders[folder])
        text = _OTHER_HOME.sub(rf"\g<1>{USER}", text)
        text = _MAIL.sub(ADDRESS, text)
        text = _MAC.sub(ADDRESS, text)
        text = _IPV4.sub(_address, text)
        text = _IPV6.sub(_address, text)
        text = _DEVICE_ID.sub(ADDRESS, text)
        return self.names(text)

    def names(self, text: str) -> str:
        """``text`` without the names of user and host."""
        for host in sorted(self.hosts, key=len, reverse=True):
            text = _word(host, re.IGNORECASE).sub(HOST, text)
        for user in sorted(self.users, key=len, reverse=True):
            text = _word(user).sub(USER, text)
        return text


@cache
def this_process() -> Scrubber:
    """What to hide here: the folder that the program was started in is shown as nothing, the user's home as ``~``."""
    return scrubber_of(os.environ, _folder_of_start())


def scrubber_of(environment: Mapping[str, str], start: str = "") -> Scrubber:
    """What to hide of the user and the machine that this process runs as, under ``environment``."""
    account = _account()
    homes = {environment.get("HOME", ""), environment.get("USERPROFILE", ""), account.pw_dir if account else ""}
    users = {environment.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")}
    users |= {Path(home).name for home in homes} | {account.pw_name if account else "", _login_name()}
    if account:
        users.add(account.pw_gecos.split(",")[0].strip())
    hosts = {socket.gethostname(), environment.get("HOSTNAME", ""), environment.get("HOST", "")}
    hosts |= {host.split(".")[0] for host in hosts}
    folders = {path: "~" for home in homes for path in _spellings(home)}
    folders |= {path: "" for path in _spellings(start) if path not in folders}
    return Scrubber(
        folders=folders,
        users=tuple(_telling(users, _COMMON_USERS)),
        hosts=tuple(_telling(hosts, _COMMON_HOSTS)),
        secrets=tuple(
            value
            for name, value in environment.items()
            if len(value) >= _SHORTEST_SECRET
            and value[0] not in "/~."
            and value not in users | hosts  # which have placeholders of their own, also as parts of paths
            and not PUBLIC_VARIABLES.fullmatch(name)
        ),
    )


def _telling(names: Iterable[str], common: set[str]) -> list[str]:
    return sorted(name for name in names if len(name) > 1 and name.lower() not in common and not name.isdecimal())


def _spellings(folder: str) -> set[str]:
    """The folder as it is written and with its links followed; none for the root of the file system."""
    if not Path(folder).is_absolute():
        return set()
    return {path for path in (os.path.normpath(folder), os.path.realpath(folder)) if path != os.sep}


def _without_folder(text: str, folder: str, shown: str) -> str:
    inside, itself = (f"{shown}/", shown) if shown else ("", ".")
    start = rf"(?<![\w/.~-]){re.escape(folder)}"
    text = re.sub(rf"{start}/+(?=[^\s/])", lambda _: inside, text)
    return re.sub(rf"{start}(?![\w-])", lambda _: itself, text)


def _word(name: str, flags: int = 0) -> re.Pattern[str]:
    """``name`` where it is no part of a longer word; an underscore or a dash ends one."""
    return re.compile(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", flags)


def _address(found: re.Match[str]) -> str:
    """A placeholder for an address of a network; the machine's own loop is no secret, a version number no address."""
    try:
        address = ipaddress.ip_address(found[0])
    except ValueError:
        return found[0]
    return found[0] if address.is_loopback or address.is_unspecified else ADDRESS


def _folder_of_start() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it was removed
        return ""


def _account() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(os.getuid())
    except KeyError:  # a container's user number without an account
        return None


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
