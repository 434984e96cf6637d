"""What the notes, the error message and torch's threads say about expand and in-place writes."""

from __future__ import annotations

from harness.contract import Band, Cell, Claim, CostGrowth, ProbeValue, Scalar, Where

NOTES = "notes, page 001"
NONE = Band(0, 0)
PATTERNS = 20
VIEW, CLONE, REPEAT, CHECKER = "expand", "expand_clone", "repeat", "overlap_search"
GROUPS = ("in place", "out=")
CASE: dict[str, Scalar] = {"operation": "weigh", "data": "rows"}
FACTORS = (10, 100, 1_000, 10_000)
COPIED_FACTORS = (600, 1_400, 3_400, 5_000, 8_000)
"""Up to 32 MiB, from where on glibc gives every copy fresh pages; those under 50 times the empty call do not count."""


def _writing(group: str, value: str) -> ProbeValue:
    return ProbeValue("writing", value, {"group": group}, VIEW)


def _cured_cells() -> tuple[Cell, ...]:
    return (
        Cell("the patterns and writes of expand.1 that raise", ProbeValue("patterns", "cured"), Band(1, 1)),
        *(
            Cell(f"every call of expand.3 that raises, {group}", _writing(group, "cured"), Band(1, 1))
            for group in GROUPS
        ),
    )


def _answer_cells() -> tuple[Cell, ...]:
    cells = []
    for group in GROUPS:
        for mode, prefix in (("default mode", ""), ("deterministic mode", "deterministic_")):
            for answer, title in (
                ("differ", "operations after which the view holds something else"),
                ("differ_base", "operations that give the right view and change its base"),
                ("match", "operations that do what they do to a clone"),
            ):
                cells.append(Cell(f"{group}, {mode}: {title}", _writing(group, prefix + answer), NONE))
            warned = _writing(group, f"{prefix}warned_match")
            cells.append(Cell(f"{group}, {mode}: the same with a warning", warned, NONE, refuted_in=Band(-1, -1)))
            raising = _writing(group, f"{prefix}raise")
            cells.append(Cell(f"{group}, {mode}: operations that raise (decides nothing)", raising, Band()))
        silent, tested = _writing(group, "silent"), _writing(group, "tested")
        cells.append(Cell(f"{group}: operations that differ without a warning (decides nothing)", silent, Band()))
        cells.append(Cell(f"{group}: operations tested (decides nothing)", tested, Band()))
    return tuple(cells)


def _stride_cells() -> tuple[Cell, ...]:
    cells = []
    for compiled, title in ((False, "eager"), (True, "torch.compile")):
        case: dict[str, Scalar] = {"compiled": compiled}
        share = ProbeValue("strides", "raising_share", case)
        cells.append(Cell(f"{title}: share of overlapping views and writes that raise", share, Band(1, 1)))
        differ = ProbeValue("strides", "differ", case)
        cells.append(Cell(f"{title}: pairs after which the view holds something else", differ, NONE))
    for value, title in (("false_negatives", "overlaps missed"), ("false_positives", "overlaps that are none")):
        ours = ProbeValue("checker", value, {"count": 10_000}, CHECKER)
        cells.append(Cell(f"our checker, 10,000 random sizes and strides: {title}", ours, NONE))
    return tuple(cells)


def _cost_cells() -> tuple[Cell, ...]:
    cells = []
    for factor in FACTORS:
        excess = ProbeValue("storage", f"excess_bytes_{factor}", {}, VIEW)
        cells.append(Cell(f"bytes of storage beyond those of x, {factor} rows", excess, NONE))
    for name in (CLONE, REPEAT):
        copies = ProbeValue("storage", "copies_1000", {}, name)
        cells.append(Cell(f"storage of {name} over that of x, 1000 rows", copies, Band(1_000, 1_000)))
    where = Where(CASE, phase="make", until="make")
    growth = CostGrowth(VIEW, "factor", FACTORS, where)
    cells.append(Cell("expand: exponent of time in the factor", growth, Band(-0.05, 0.05)))
    for name in (CLONE, REPEAT):
        growth = CostGrowth(name, "factor", COPIED_FACTORS, where, empty=0)
        cells.append(Cell(f"{name}: exponent of time in the factor", growth, Band(0.9, 1.1)))
    return tuple(cells)


CLAIMS = (
    Claim(
        id="expand.1",
        kind="result",
        statement="The error 'more than one element of the written-to tensor refers to a single memory location' comes "
        "from using expand or expand_as before backward.",
        source=NOTES,
        sentence="出现这种情况可能是在.backward()之前使用了 .expand()或者.expand_as()函数。",
        cells=(
            Cell(
                "patterns without a write that expand, then call backward: how many of 20 raise",
                ProbeValue("patterns", "raising_before_backward"),
                Band(PATTERNS, PATTERNS),
                refuted_in=NONE,
            ),
            Cell(
                "writes into an expanded tensor without any backward: how many of 20 raise (decides nothing)",
                ProbeValue("patterns", "raising_writes"),
                Band(),
            ),
            Cell(
                "patterns whose gradient is not exactly the sum over the copies (decides nothing)",
                ProbeValue("patterns", "wrong_gradients"),
                Band(),
            ),
        ),
        unit="patterns",
        profile="quick",
        remark="The notes say that it may. Reproduced if all patterns of the first group raise, refuted if none does.",
    ),
    Claim(
        id="expand.2",
        kind="result",
        statement="Adding clone after expand or expand_as solves it.",
        source=NOTES,
        sentence="解决办法:在 .expand()或者.expand_as()函数后面添加.clone()就可以解决。",
        cells=_cured_cells(),
        profile="quick",
        remark="The share of what raises that succeeds after clone() and holds what it gives out of place. What draws "
        "random numbers, or has no form out of place, is compared with itself on a tensor that was filled one by one.",
    ),
    Claim(
        id="expand.3",
        kind="result",
        statement="Every in-place operation on an expanded tensor raises.",
        source="the error message; torch documentation, Tensor.expand (clone first); PyTorch issue #17935",
        cells=_answer_cells(),
        unit="operations",
        profile="quick",
        remark="All public operations of the installed torch that write elements of a tensor, found in its schemas, "
        "its methods and functions, each with the first arguments for which it works on a clone and changes it, in "
        "float32, float64, int64 and bool; counted under its most harmful answer. The table by operation and version "
        "of torch is reports/published/in_place_operations.md.",
    ),
    Claim(
        id="expand.4",
        kind="result",
        statement="Overlap is always detected before an in-place write.",
        source="PyTorch pull request #17926; issues #17935, #98143 and #165409",
        cells=_stride_cells(),
        profile="quick",
        remark="Six views that overlap without a stride of 0, and add_, mul_ and abs_. The pull request itself says "
        "that torch finds such views too hard to decide and lets the write through.",
    ),
    Claim(
        id="expand.5",
        kind="cost",
        statement="expand allocates nothing and takes the same time at any size; copies take time in proportion.",
        source="torch documentation, Tensor.expand: does not allocate new memory",
        cells=_cost_cells(),
        profile="quick",
        remark="(1, 1024) float32. The tolerances of the exponents, 0.05 and 0.1, are ours. Of copies "
        "those sizes count that take 50 times what the call on no rows does, which leaves less than 1.5 decades, in "
        "warm memory: at 10,000 rows, 41 MB, every copy gets fresh pages, whose faults are in the time of that case. "
        "The caches that the sizes pass are in the exponent.",
    ),
)
