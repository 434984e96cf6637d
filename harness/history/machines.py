"""Whether two figures come from the same kind of machine, by what each tool says of it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.naming import slug


@dataclass(frozen=True)
class Machine:
    """What a file says of the machine that it was measured on.

    :param cpu: the CPU's model; empty where it is not said.
    :param cpus: how many of them; ``None`` where it is not said.
    :param architecture: such as ``x86_64``; empty where it is not said.
    :param alias: what asv's user calls it; the name of the host, which other tools store, is nobody's business.
    """

    cpu: str = ""
    cpus: int | None = None
    architecture: str = ""
    alias: str = ""

    @property
    def kind(self) -> str:
        """The same for two machines of the same kind, whichever tool says it."""
        if not self.cpu:
            return slug(self.alias) if self.alias else "unknown"
        return slug(f"{self.cpu}-{self.cpus}cpu" if self.cpus else self.cpu)


def why_not_the_same(ours: Machine, theirs: Machine) -> str:
    """Why figures of the two cannot be compared; empty when they can."""
    for name in ("cpu", "cpus", "architecture"):
        values = [getattr(machine, name) for machine in (ours, theirs)]
        if not all(values):
            return f"one of them does not say its machine's {name}, so no one can tell whether it was the same machine"
        if len({_plain(value) for value in values}) > 1:
            return (
                f"they come from different machines ({name}: {values[0]!r} and {values[1]!r}); "
                "figures of different machines say nothing about the code"
            )
    if ours.alias and theirs.alias and ours.alias != theirs.alias:
        return f"they come from machines that asv knows as {ours.alias!r} and {theirs.alias!r}"
    return ""


def _plain(value: object) -> str:
    return " ".join(str(value).lower().split())
