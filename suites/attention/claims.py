"""What is said about tiled attention: the memory it saves, the bytes it moves, the speed it gains."""

from __future__ import annotations

import math

from harness.contract import Band, Cell, Claim, CostGrowth, CostRatio, ProbeGrowth, ProbeValue, Where

LONG = tuple(2**power for power in range(9, 15))
CPU_SHAPE = {"batch": 1, "heads": 4, "head_dim": 64, "causal": False}
FIGURE_SHAPE = {"batch": 64, "heads": 16, "seq_len": 1024, "head_dim": 64, "causal": False}
FIGURE_SOURCE = "FlashAttention (Dao et al. 2022), Fig. 2 left: A100, N = 1024, d = 64, 16 heads, batch 64"
# 192 KB of an A100's on-chip memory hold 98304 float16 numbers: Bc = ceil(M / 4d) = 384 keys.
PAPER_KEY_TILE = 384
OTHER_KEY_TILES = (128, 256)
ON_CHIP_ELEMENTS = tuple(2**power for power in range(11, 19))


def memory_slope(implementation: str, slope: float) -> Cell:
    where = Where(CPU_SHAPE, phase="forward", until="forward")
    return Cell(
        f"{implementation}: peak extra bytes against N",
        CostGrowth(implementation, "seq_len", LONG, where, instrument="memory"),
        Band(slope - 0.1, slope + 0.1),
    )


def figure_value(
    value: str, key_tile: int = PAPER_KEY_TILE, *, dropout: bool = False, mask: bool = False
) -> ProbeValue:
    case = {"key_tile": key_tile, "dropout": dropout, "mask": mask}
    return ProbeValue("figure_2", value, case, implementation="numpy_tiled_fa1")


# 75 % of the lower printed ratio (35.3 / 4.4) to 125 % of the higher one (40.3 / 4.4); the two ranges overlap.
BYTES_BAND = Band(0.75 * 35.3 / 4.4, 1.25 * 40.3 / 4.4)
BYTES_CELLS = tuple(
    Cell(
        f"{label}, tiles of {key_tile} keys",
        figure_value("standard_over_flash_bytes", key_tile, dropout=dropout, mask=mask),
        BYTES_BAND,
    )
    for label, dropout, mask in (
        ("Algorithms 0 and 3 as printed", False, False),
        ("with dropout as a kernel of its own", True, False),
        ("with dropout and mask as kernels of their own", True, True),
    )
    for key_tile in (PAPER_KEY_TILE, *OTHER_KEY_TILES)
)


def speed_up(seq_len: int, band: Band, note: str = "") -> Cell:
    where = Where(CPU_SHAPE | {"seq_len": seq_len}, phase="forward", until="forward")
    return Cell(f"N = {seq_len}{note}", CostRatio("torch_math", "torch_flash", where), band)


def fa3_speed_up(head_dim: int, causal: bool) -> Cell:
    case = {"batch": 1, "heads": 2048 // head_dim, "seq_len": 16384, "head_dim": head_dim, "causal": causal}
    where = Where(case, dtype="float16", device="cuda", phase="forward", until="forward")
    label = f"d = {head_dim}, {'causal' if causal else 'full'}"
    return Cell(label, CostRatio("flash_attn2", "flash_attn3", where), Band(1.5, 2.0))


CLAIMS = (
    Claim(
        "attention.1",
        "cost",
        "Tiling with an online softmax fuses attention so that the intermediate logits and attention scores need not "
        "be stored in main memory.",
        "notes, page 002",
        (
            memory_slope("numpy_tiled_fa2", 1.0),
            memory_slope("torch_flash", 1.0),
            memory_slope("numpy_naive", 2.0),
            memory_slope("torch_math", 2.0),
        ),
        sentence="FlashAttention的关键创新在于使用类似于在线Softmax的思想来对自注意力计算进行分块(tiling),"
        "从而能够融合整个多头注意力层的计算,而无需访问GPU全局内存来存储中间的logits和注意力分数",
        remark="The memory instrument counts the growth over the call, which includes the outputs: they grow with N, "
        "so the slopes looked for are the same. The longest case needs 4.3 GB for one tensor of scores and several "
        "times that in torch_math. The band is ours; the source states no exponent.",
    ),
    Claim(
        "attention.2a",
        "count",
        "Standard attention takes 66.6 GFLOPs and FlashAttention 75.2 GFLOPs at the shape of the figure, forward and "
        "backward.",
        FIGURE_SOURCE,
        tuple(
            Cell(
                f"printed over counted, in {unit.upper()}",
                figure_value(f"printed_over_counted_{unit}"),
                Band(0.95, 1.05),
            )
            for unit in ("flop", "mac")
        ),
        combine="any",
        profile="quick",
        remark="A cell shows whichever of the two figures is further from its count. Counted are the matrix products "
        "of both algorithms on one head, times batch x heads. The source prints no tolerance; the band is ours.",
    ),
    Claim(
        "attention.2b",
        "count",
        "FlashAttention does 1.13 times the FLOPs of standard attention, forward and backward.",
        FIGURE_SOURCE + " (75.2 / 66.6)",
        (
            Cell(
                "counted FLOPs, FlashAttention over standard",
                figure_value("flash_over_standard_flops"),
                Band(0.95 * 1.13, 1.05 * 1.13),
            ),
        ),
        profile="quick",
        remark="The source prints no tolerance; the band of 5 % is ours.",
    ),
    Claim(
        "attention.2c",
        "count",
        "FlashAttention moves 9.2 times fewer bytes to and from main memory than standard attention (40.3 GB against "
        "4.4 GB).",
        FIGURE_SOURCE,
        BYTES_CELLS,
        combine="any",
        profile="quick",
        remark="Another stored version of the paper prints 35.3 GB against 4.4 GB, so 8.0 times; the band reaches from "
        "25 % below the lower to 25 % above the higher ratio and is ours. The figure gives neither its block sizes nor "
        "the kernels of its baseline, so every cell is one convention; the probe's standard_bytes and flash_bytes are "
        "its absolute counts. Bytes are those of the instrumented algorithms in float16; a GPU's own DRAM counters are "
        "not read.",
    ),
    Claim(
        "attention.2d",
        "cost",
        "FlashAttention is 5.7 times faster than standard attention, forward and backward (41.7 ms against 7.3 ms).",
        FIGURE_SOURCE,
        (
            Cell(
                "time of torch_math over torch_flash",
                CostRatio("torch_math", "torch_flash", Where(FIGURE_SHAPE, dtype="float16", device="cuda")),
                Band(3.0, math.inf),
            ),
        ),
        remark="Another stored version of the paper prints 35.1 ms against 11.7 ms, so 3.0 times, which is the band's "
        "lower end. torch_flash is FlashAttention-2 and the baseline has no dropout, so this is the claim on the GPU "
        "at hand, not a repetition on an A100.",
    ),
    Claim(
        "attention.3",
        "count",
        "FlashAttention needs Theta(N² d² / M) accesses of main memory with M numbers on the chip, standard attention "
        "Theta(N d + N²).",
        "FlashAttention (Dao et al. 2022), Theorem 2",
        (
            Cell(
                "exponent of counted accesses in M, N = 4096, d = 64",
                ProbeGrowth(
                    ProbeValue(
                        "main_memory_accesses",
                        "accesses",
                        {"seq_len": 4096, "head_dim": 64},
                        implementation="numpy_tiled_fa1",
                    ),
                    "on_chip_elements",
                    ON_CHIP_ELEMENTS,
                ),
                Band(-1.05, -0.95),
            ),
        ),
        remark="M runs from 32 d to N d, where every tile divides N; Bc = ceil(M / 4d), Br = min(Bc, d). What does not "
        "depend on M (reading k and v, writing zeros) flattens the line at its upper end. The band is ours.",
    ),
    Claim(
        "attention.4a",
        "count",
        "The forward pass of FlashAttention-3 is 1.5 to 2.0 times as fast as that of FlashAttention-2: the paper's own "
        "figures.",
        "FlashAttention-3 (Shah et al. 2024), abstract and figures",
        tuple(
            Cell(
                f"printed TFLOP/s, N = 16k, {row}",
                ProbeValue("published_ratio", "fa3_over_fa2", {"row": row}),
                Band(1.5, 2.0),
            )
            for row in ("d=64 full", "d=128 full", "d=128 causal", "d=256 full", "d=256 causal")
        ),
        profile="quick",
        remark="Arithmetic on printed figures, nothing is run. Which of the figures' curves are causal was inferred.",
    ),
    Claim(
        "attention.4b",
        "cost",
        "The forward pass of FlashAttention-3 is 1.5 to 2.0 times as fast as that of FlashAttention-2: measured.",
        "FlashAttention-3 (Shah et al. 2024), abstract",
        tuple(fa3_speed_up(head_dim, causal) for head_dim in (64, 128, 256) for causal in (False, True)),
        remark="The papers' protocol: 16384 tokens, heads x head_dim = 2048, N = 16384, float16. Needs a Hopper GPU "
        "and the packages flash-attn and flash-attn-3.",
    ),
    Claim(
        "attention.5",
        "cost",
        "On a CPU flash attention is at least twice as fast as naive attention at N = 4096.",
        "project statement",
        (
            speed_up(1024, Band(), ", reported only"),
            speed_up(2048, Band(), ", reported only"),
            speed_up(4096, Band(2.0, math.inf)),
        ),
        remark="torch's own backends, forward, one thread. Only N = 4096 decides; the other cells have no band.",
    ),
    Claim(
        "attention.6",
        "cost",
        "Online softmax needs 3 instead of 4 memory accesses per element and is therefore at most 1.33 times as fast "
        "as safe softmax.",
        "Online normalizer calculation for softmax (Milakov & Gimelshein 2018)",
        (
            *(
                Cell(
                    f"loads and stores per element, {name}, V = {width}",
                    ProbeValue("softmax_accesses", name, {"width": width}, implementation="numba_parallel"),
                    Band(accesses, accesses),
                )
                for width in (1_000, 100_000)
                for name, accesses in (("safe", 4.0), ("online", 3.0))
            ),
            *(
                Cell(
                    f"time of safe over online, V = {width}",
                    ProbeValue(
                        "softmax_time_ratio", "safe_over_online", {"width": width}, implementation="numba_parallel"
                    ),
                    Band(-math.inf, 1.40),
                )
                for width in (1_000, 10_000, 100_000, 1_000_000)
            ),
        ),
        remark="The published figure is unverified, the bound of 1.40 is ours. Safe softmax is no implementation of "
        "this suite, so its time is taken inside the probe: one thread, both versions compiled from the code that is "
        "counted, 25 blocks in each of which both run in random order, the mean of the ratios. 4000 rows up to V = "
        "4000, then 16 million elements.",
    ),
)
