"""What textbooks, papers and the notes say about gradients by a tape, by forward mode and by differences."""

from __future__ import annotations

from harness.contract import Band, Cell, Claim, CostRatio, ProbeValue, RatioGrowth, Scalar, Where

NOTES = "notes, pages 001 and 002"
REVERSE = ("numpy_tape", "source_transform", "torch_grad", "torch_func_grad", "jax_grad")
WITH_COUNTERS = ("numpy_tape", "torch_grad")
SIZES = (10, 32, 100, 316, 1_000)
ONE_PASS = Band(-0.1, 0.1)
EVERY_AXIS = Band(0.9, 1.1)
SAVED_LAYERS, SAVED_BATCH, FLOAT32_BYTES = 32, 64, 4
DEPTHS = (16, 64, 256, 1_024)
DEEP: dict[str, Scalar] = {"program": "layers", "width": 128, "batch": 64}


def _layers(layers: int, width: int) -> dict[str, Scalar]:
    return {"program": "layers", "layers": layers, "width": width, "batch": 64}


def _gradient_over_value(implementation: str, case: dict[str, Scalar], dtype: str) -> CostRatio:
    where = Where(case, dtype, phase="gradient", until="gradient")
    return CostRatio(implementation, implementation, where, denominator_phase="value")


def _operation_cells() -> tuple[Cell, ...]:
    exact = tuple(
        Cell(
            f"{implementation}, {layers} layers of width {width}: operations of products",
            ProbeValue("operations", f"layers_{layers}x{width}", {}, implementation),
            Band(3 - 1 / layers - 1e-12, 3 - 1 / layers + 1e-12),
        )
        for implementation in WITH_COUNTERS
        for layers, width in ((4, 512), (6, 1024))
    )
    chain = ProbeValue("operations", "chain", {}, "numpy_tape")
    return (*exact, Cell("numpy_tape, chain of 1,000 scalar operations: all operations", chain, Band(high=5.0)))


def _cheap_cells() -> tuple[Cell, ...]:
    networks = tuple(
        Cell(
            f"{implementation}, {layers} layers of width {width}, float32",
            _gradient_over_value(implementation, _layers(layers, width), "float32"),
            Band(high=5.0),
        )
        for layers, width in ((4, 512), (6, 1024))
        for implementation in REVERSE
    )
    chain: dict[str, Scalar] = {"program": "chain", "n": 1, "length": 1_000}
    chains = tuple(
        Cell(
            f"{implementation}, chain of 1,000 scalar operations",
            _gradient_over_value(implementation, chain, "float64"),
            Band(high=5.0),
        )
        for implementation in ("scalar_tape", *REVERSE)
    )
    return networks + chains


def _slope(implementation: str, band: Band, label: str) -> Cell:
    where = Where({"program": "tanh_squares"}, "float64", phase="gradient", until="gradient")
    evidence = RatioGrowth(implementation, implementation, "n", SIZES, where, denominator_phase="value")
    return Cell(f"{implementation}, {label}: exponent of gradient over value in n", evidence, band)


def _runs(implementation: str, expected: int) -> Cell:
    evidence = ProbeValue("evaluations", "program_runs", {"n": 100}, implementation)
    return Cell(f"{implementation}: runs of the program for n = 100", evidence, Band(expected, expected))


def saved_bytes(width: int) -> int:
    """Each layer's input and the last output, and all weights but the first layer's, whose input needs no gradient."""
    activations = (SAVED_LAYERS + 1) * SAVED_BATCH * width
    return FLOAT32_BYTES * (activations + (SAVED_LAYERS - 1) * width**2)


def _saved_cells() -> tuple[Cell, ...]:
    cells = []
    for implementation in WITH_COUNTERS:
        for width in (256, 64, 128, 512, 1_024):
            with_history = ProbeValue("saved_bytes", f"tracked_{width}", {}, implementation)
            without = ProbeValue("saved_bytes", f"untracked_{width}", {}, implementation)
            expected = saved_bytes(width)
            cells.append(Cell(f"{implementation}, width {width}: saved", with_history, Band(expected, expected)))
            cells.append(Cell(f"{implementation}, width {width}: saved without history", without, Band(0, 0)))
    return tuple(cells)


def _checkpoint_counts() -> tuple[Cell, ...]:
    cells = []
    for implementation in ("checkpointed_tape", "torch_checkpoint"):
        grown = ProbeValue("checkpointing", "exponent", {}, implementation)
        differing = ProbeValue("checkpointing", "differing", {}, implementation)
        cells.append(Cell(f"{implementation}: exponent of the most saved bytes in L", grown, Band(0.45, 0.55)))
        cells.append(Cell(f"{implementation}: numbers of the gradient that differ in a bit", differing, Band(0, 0)))
    return tuple(cells)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="autograd.1",
        kind="count",
        statement="Cheap gradients, by operations: a value with its gradient takes at most 5 times those of the value; "
        "3 - 1/L times in L equal layers.",
        source="Baur and Strassen 1983; Griewank and Walther 2008; Baydin et al. 2018, section 3.2",
        cells=_operation_cells(),
        profile="quick",
        remark="Papers and section are quoted from memory: below 6 times, typically 2 to 3. The first layer needs no "
        "gradient of its input, hence 1/L. Counted while the tape runs, and by torch's own counter, which knows "
        "products alone. The clock is autograd.1.clock.",
    ),
    Claim(
        id="autograd.1.clock",
        kind="cost",
        statement="Cheap gradients, by the clock: a value with its gradient takes at most 5 times as long.",
        source="Baur and Strassen 1983; Griewank and Walther 2008; Baydin et al. 2018, section 3.2",
        cells=_cheap_cells(),
        remark="The theorem is about operations; what a tape spends on its own account, most of the time on single "
        "numbers, is beside it. Each cell is a verdict of its own. Eager torch and jax with jit differ by more than "
        "their libraries.",
    ),
    Claim(
        id="autograd.2",
        kind="count",
        statement="For a gradient in n numbers reverse mode runs the program once, forward mode n times, forward "
        "differences n + 1 times, central ones 2n times.",
        source="Griewank and Walther 2008, Evaluating Derivatives",
        cells=(
            _runs("numpy_tape", 1),
            _runs("dual_numbers", 100),
            _runs("finite_forward", 101),
            _runs("finite_central", 200),
        ),
        profile="quick",
        remark="Counted. The clock is autograd.2.clock.",
    ),
    Claim(
        id="autograd.2.clock",
        kind="cost",
        statement="Reverse mode's time relative to the value's is flat in n; that of forward mode and of differences "
        "is linear.",
        source="Griewank and Walther 2008, Evaluating Derivatives",
        cells=(
            *(_slope(name, ONE_PASS, "reverse") for name in ("numpy_tape", "source_transform", "torch_grad")),
            _slope("dual_numbers", EVERY_AXIS, "forward"),
            _slope("finite_forward", EVERY_AXIS, "differences"),
            _slope("finite_central", EVERY_AXIS, "differences"),
        ),
        remark="The sum of tanh(Wx)^2 with 256 rows, n = 10 to 1,000. The tolerance of 0.1 is ours.",
    ),
    Claim(
        id="autograd.3",
        kind="result",
        statement="The best step is about the square root of the machine's precision for forward differences and its "
        "cube root for central ones.",
        source="numerical analysis, such as Nocedal and Wright 2006, section 8.1",
        cells=tuple(
            Cell(
                f"{scheme} differences: decades from the rule",
                ProbeValue("best_step", "decades_off", {"scheme": scheme}, f"finite_{scheme}"),
                Band(-1.0, 1.0),
            )
            for scheme in ("forward", "central")
        ),
        unit="decades",
        profile="quick",
        remark="1.5e-8 and 6.1e-6, times max(1, abs(x)); medians over 20 smooth functions at each of ten points. The "
        "decade on either side is ours, the section number unverified.",
    ),
    Claim(
        id="autograd.4",
        kind="count",
        statement="Tracking history uses memory, in bytes that are known beforehand, and without it none is used.",
        source=NOTES,
        sentence="要阻止一个张量被跟踪历史,可以调用 .detach() 方法…为了防止跟踪历史记录(和使用内存),…",
        cells=_saved_cells(),
        unit="bytes",
        profile="quick",
        remark="The sentence is cut off in the notes; what follows is that the program is wrapped in no_grad. 32 "
        "layers, batch 64, float32: 4 ((L + 1) b d + (L - 1) d^2) bytes for width d. Each storage counts once, "
        "although hooks on saved tensors are shown the output of tanh twice and weights as transposed views.",
    ),
    Claim(
        id="autograd.5",
        kind="result",
        statement="Gradients of several backward passes add up in .grad.",
        source=NOTES,
        sentence="当完成计算后可以通过调用 .backward(),来自动计算所有的梯度。"
        "这个张量的所有梯度将会自动累加到.grad属性.",
        cells=tuple(
            Cell(
                f"{implementation}, {label}: relative difference",
                ProbeValue("accumulation", value, {}, implementation),
                Band(0, 1e-12),
            )
            for implementation in WITH_COUNTERS
            for value, label in (("three_times", "three passes"), ("micro_batches", "four quarters of a batch"))
        ),
        profile="quick",
        remark="The largest of 100 networks on the digits, float64, against three times the gradient and against the "
        "whole batch's. Resetting sets .grad to None by default.",
    ),
    Claim(
        id="autograd.6",
        kind="result",
        statement="The graph may be another in each iteration, and gradients are right all the same.",
        source=NOTES,
        sentence="autograd 包为张量上的所有操作提供了自动求导机制。它是一个在运行时定义(definebyrun)的框架,"
        "这意味着反向传播是根据代码如何运行来决定的,并且每次迭代可以是不同的.",
        cells=(
            *(
                cell
                for implementation in WITH_COUNTERS
                for cell in (
                    Cell(
                        f"{implementation}: largest relative error",
                        ProbeValue("changing_graphs", "largest_error", {}, implementation),
                        Band(0, 1e-10),
                    ),
                    Cell(
                        f"{implementation}: sizes of graphs",
                        ProbeValue("changing_graphs", "graph_sizes", {}, implementation),
                        Band(low=10),
                    ),
                )
            ),
            Cell(
                "control: source_transform, traced once: largest relative error",
                ProbeValue("changing_graphs", "largest_error", {}, "source_transform"),
                Band(low=1e-10),
            ),
        ),
        profile="quick",
        remark="1,000 random inputs of loops as long as Collatz's sequences, of Newton's method until it has "
        "converged, and of a recursion. At least ten sizes is ours. The control has to fail, and does where it is "
        "reproduced.",
    ),
    Claim(
        id="autograd.7",
        kind="count",
        statement="With the square root of L segments, checkpointing keeps memory in proportion to the square root of "
        "the number of layers L, and gradients are the same to the last bit.",
        source="Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost, section 4",
        cells=_checkpoint_counts(),
        profile="quick",
        remark="Bytes of activations in memory at the same time, L = 16 to 1,024. The tolerance of 0.05 is ours. The "
        "clock is autograd.7.clock.",
    ),
    Claim(
        id="autograd.7.clock",
        kind="cost",
        statement="With the square root of L segments, checkpointing takes at most 1.35 times as long.",
        source="Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost, section 4",
        cells=tuple(
            Cell(
                f"{checkpointed} over {plain}, L = {depth}",
                CostRatio(
                    checkpointed,
                    plain,
                    Where({**DEEP, "layers": depth}, phase="gradient", until="gradient"),
                ),
                Band(high=1.35),
            )
            for checkpointed, plain in (("checkpointed_tape", "numpy_tape"), ("torch_checkpoint", "torch_grad"))
            for depth in DEPTHS
        ),
        remark="One more forward pass: (1 + 1 + 2)/(1 + 2) = 1.33 by operations; layers of width 128, batch 64, "
        "float32. The limit is ours; the paper says one forward pass.",
    ),
)
