"""What is said about all-reduce, with the bands fixed before any measurement."""

from __future__ import annotations

from harness.contract import (
    Band,
    Cell,
    CheapestRatio,
    Claim,
    ModelError,
    ProbeDifference,
    ProbeRatio,
    ProbeValue,
    Where,
)
from harness.contract.cases import Profile, Scalar
from suites.allreduce.model import ALGORITHMS, OTHERS

NOTES = "notes, page 003"
KIB, MIB = 256, 262_144
"""Elements of four bytes."""

COMPOSED = "reduce_scatter_all_gather"
SIZES = tuple(KIB * 4**power for power in range(9))
EXACT = Band(0.0, 0.0)
TREE = "double_tree"
NEARLY_EQUAL = Band(high=1.05)
LARGEST_SIMULATED = 1024
MANY_MESSAGES = ("ring", "segmented_ring")


def _agreement(ranks: int, implementation: str, value: str) -> ProbeValue:
    return ProbeValue("agreement", value, {"ranks": ranks}, implementation)


def _traffic(
    label: str, implementation: str, value: str, band: Band, where: str, ranks: tuple[int, int], beside: int = 0
) -> Cell:
    case: dict[str, Scalar] = {"where": where, "lowest": ranks[0], "highest": ranks[1], "beside": beside}
    slow = ranks[1] == LARGEST_SIMULATED
    span = f"P = {ranks[0]}" if ranks[0] == ranks[1] else f"P = {ranks[0]} to {ranks[1]}"
    span += f" and {beside}" if beside else ""
    profile: Profile = "full" if slow else "quick"
    place = "simulated" if where == "simulator" else where
    evidence = ProbeValue("traffic", value, case, implementation)
    return Cell(f"{implementation}, {place}, {span}: {label}", evidence, band, profile=profile)


def _against_table(implementation: str, where: str, ranks: tuple[int, int], beside: int = 0) -> tuple[Cell, ...]:
    """The double tree's figures are upper limits, so that nothing says how far it may be below them."""
    words = {
        "bytes_off": "bytes off the formula",
        "messages_off": "messages off the formula",
        "bytes_above": "bytes above the formula",
        "messages_above": "messages above the formula",
        "elements_off_per_step": "elements off per step, N not divisible by P",
        "over_least": "busiest rank over 2 (P - 1) / P S",
        "root_bytes_off": "bytes in and out of the root off 2 (P - 1) S",
    }
    bands = (
        {"bytes_above": Band(high=0.0), "messages_above": Band(high=0.0)}
        if implementation == TREE
        else {"bytes_off": EXACT, "messages_off": EXACT, "elements_off_per_step": Band(high=1.0)}
    )
    bands["over_least"] = Band(low=1.0)
    if implementation == "parameter_server":
        bands["root_bytes_off"] = EXACT
    return tuple(
        _traffic(words[value], implementation, value, band, where, ranks, beside) for value, band in bands.items()
    )


def _model_error(implementation: str, transport: str) -> Cell:
    where = tuple(Where({"ranks": ranks, "transport": transport}, phase="reduce") for ranks in (2, 4))
    return Cell(
        f"{implementation}, {transport}",
        ModelError("alpha_beta_gamma", implementation, ALGORITHMS, "n", SIZES[::2], SIZES[1::2], where),
        Band(high=0.2),
    )


def _own_line(implementation: str, transport: str, ranks: int) -> Cell:
    where = (Where({"ranks": ranks, "transport": transport}, phase="reduce"),)
    return Cell(
        f"{implementation}, {transport}, P = {ranks}",
        ModelError("line", implementation, (implementation,), "n", SIZES[::2], SIZES[1::2], where),
        Band(high=0.2),
    )


def _size(n: int) -> str:
    return f"{n // KIB} KiB" if n < MIB else f"{n // MIB} MiB"


def _ring_efficiency(transport: str, ranks: int, n: int) -> Cell:
    where = Where({"n": n, "ranks": ranks, "transport": transport}, phase="reduce")
    return Cell(f"{transport}, P = {ranks}, {_size(n)}", CheapestRatio("ring", OTHERS, where), NEARLY_EQUAL)


def _simulated_efficiency(ranks: int, n: int) -> Cell:
    ring, *others = (ProbeValue("simulated", "duration_s", {"ranks": ranks, "n": n}, name) for name in ALGORITHMS)
    return Cell(f"simulated, P = {ranks}, {_size(n)}", ProbeRatio(ring, tuple(others)), NEARLY_EQUAL)


CLAIMS = (
    Claim(
        id="allreduce.1",
        kind="result",
        statement="An all-reduce can be built from a reduce-scatter and an all-gather.",
        source=NOTES,
        sentence="allreduce 可以通过 reducescatter 和 allgather 这两个更基本的集群通信操作来实现。",
        cells=tuple(
            cell
            for ranks in (2, 3, 4, 7, 8)
            for cell in (
                Cell(
                    f"P = {ranks}: bits of the composition and of the ring",
                    ProbeDifference(_agreement(ranks, COMPOSED, "digest"), _agreement(ranks, "ring", "digest")),
                    EXACT,
                ),
                *(
                    Cell(
                        f"P = {ranks}: largest error of {name} over its bound",
                        _agreement(ranks, name, "error_over_bound"),
                        Band(high=1.0),
                    )
                    for name in (COMPOSED, "ring")
                ),
            )
        ),
        profile="quick",
        remark="Sums of 0, 1, P - 1, P and 1,000,003 elements, normal and of magnitudes from 1e-8 to 1e8. The "
        "composition's all-gather is another one than the ring's second half: every rank sends to every other. Results "
        "are compared by a hash of 48 bits. The bound is (P - 1 + 1) u times the sum of the addends' sizes, u = 2^-24.",
    ),
    Claim(
        id="allreduce.2",
        kind="count",
        statement="A ring sends 2 (P - 1) / P times the buffer per rank, which is optimal; a server's root moves "
        "2 (P - 1) times the buffer.",
        source="Patarasuk and Yuan 2009; nccl-tests, PERFORMANCE.md",
        cells=(
            *(cell for name in ("ring", "parameter_server") for cell in _against_table(name, "shared", (2, 16))),
            *(cell for name in ("ring", "parameter_server") for cell in _against_table(name, "gloo", (4, 4))),
            *(cell for name in OTHERS[1:] for cell in _against_table(name, "shared", (7, 8))),
            *(
                cell
                for name in ALGORITHMS
                for cell in _against_table(
                    name, "simulator", (2, 33), beside=0 if name in MANY_MESSAGES else LARGEST_SIMULATED
                )
            ),
            *(
                cell
                for name in MANY_MESSAGES
                for cell in _against_table(name, "simulator", (LARGEST_SIMULATED, LARGEST_SIMULATED))
            ),
        ),
        profile="quick",
        remark="Counted as messages are handed over, in real processes and in the simulator, which carry out the same "
        "schedules; P is every number from the first to the second. What a figure is off is relative to the formula, "
        "the worst over P. The busiest rank is the one that sends or receives most. The double tree's formula, 2 S and "
        "four messages for each segment, is an upper limit. What libraries send themselves is not seen.",
    ),
    Claim(
        id="allreduce.3",
        kind="cost",
        statement="The α-β-γ model predicts the time of an all-reduce.",
        source="Thakur, Rabenseifner and Gropp 2005",
        cells=tuple(
            _model_error(implementation, transport) for transport in ("shared", "gloo") for implementation in ALGORITHMS
        ),
        remark="Median of |predicted / measured - 1| at 4 KiB, 64 KiB, 1 MiB and 16 MiB, with P = 2 and 4; latency, "
        "time per byte and time per byte added are one set for all algorithms of a transport, fitted at 1 KiB, 16 KiB, "
        "256 KiB, 4 MiB and 64 MiB. The band of 20 % is ours. Ranks that are more than the processors share them, "
        "which the model knows nothing of.",
    ),
    Claim(
        id="allreduce.4",
        kind="cost",
        statement="Communication along a ring is efficient: no other of our algorithms is more than 5 % faster.",
        source=f"{NOTES} (the sentence is cut off there)",
        sentence="基于 ring 状通信可以高…",
        cells=(
            *(
                _ring_efficiency(transport, ranks, n)
                for transport in ("gloo", "shared", "throttled")
                for ranks in (4, 8)
                for n in (4 * KIB, 64 * KIB, MIB, 16 * MIB, 64 * MIB)
            ),
            *(
                _simulated_efficiency(ranks, n)
                for ranks in (4, 8, 64, LARGEST_SIMULATED)
                for n in (4 * KIB, 64 * KIB, MIB, 16 * MIB, 64 * MIB)
            ),
        ),
        remark="The band is ours. Over loopback (gloo) and in shared memory it is processes and copying that are "
        "measured; what holds in a network is said by the throttled cells, where a token bucket holds each rank's "
        "sending to 100 MB/s, and by the simulated ones, with links of 10 µs and 1 GB/s. Simulated durations are "
        "compared with simulated ones only. A ring with segments counts as another algorithm.",
    ),
    Claim(
        id="allreduce.5",
        kind="cost",
        statement="Between hosts on throttled links a ring is efficient: no other of our algorithms is more than 5 % "
        "faster.",
        source="ours: allreduce.4 between network namespaces",
        cells=tuple(
            _ring_efficiency(transport, 4, n)
            for transport in ("hosts", "distant_hosts")
            for n in (4 * KIB, 64 * KIB, MIB, 16 * MIB)
        ),
        remark="Every rank is in a network namespace of its own, joined to the others by a bridge; the kernel holds "
        "what it sends to 100 MB/s (hosts) and delays it by 2 ms (distant hosts, where the kernel has netem). Needs "
        "iproute2 and user namespaces. The band is that of allreduce.4.",
    ),
    Claim(
        id="allreduce.6",
        kind="cost",
        statement="With constants of its own for each algorithm and number of ranks, a line in the size predicts the "
        "time.",
        source="ours: allreduce.3 with fewer workloads sharing their constants",
        cells=tuple(
            _own_line(implementation, transport, ranks)
            for transport in ("shared", "gloo")
            for ranks in (2, 4)
            for implementation in ALGORITHMS
        ),
        remark="A latency and a time per byte, from the same measurements and at the same sizes as allreduce.3; the "
        "band is the same.",
    ),
)
