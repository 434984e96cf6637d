"""What is said about modules and functions, with the bands fixed before any measurement."""

from __future__ import annotations

from typing import Literal

from harness.contract import Band, Cell, Claim, ConstantOverhead, CostRatio, ProbeValue, Scalar, Where
from suites.module_vs_functional.settings import LAYERS

NOTES = "notes, page 001"
PULL_REQUEST = "PyTorch pull request #50431 (2021)"
SAME = Band(1 / 1.05, 1.05)
CROSSING_NS = 20 * 5000.0

STYLES = {
    "module": "layer(x)",
    "functional": "F.linear(x, w, b)",
    "functional_lookup": "F.linear(x, layer.weight, layer.bias)",
    "module_forward": "layer.forward(x)",
    "functional_call": "functional_call(layer, parameters, (x,))",
}
WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
DEPTHS = (1, 4, 16, 64, 256)


def _case(layer: str, width: int, batch: int, depth: int = 1) -> dict[str, Scalar]:
    return {"layer": layer, "width": width, "batch": batch, "depth": depth, "grad": False}


def _module_over_function(layer: str, width: int, batch: int) -> Cell:
    return Cell(
        f"{layer}, {width}² image" if layer == "conv2d" else f"{layer}, width {width}, batch {batch}",
        CostRatio("module", "functional", Where(_case(layer, width, batch))),
        SAME,
        refuted_in=Band(low=1.05),
    )


def _overhead(style: str, figure: Literal["slope", "spread", "crossing", "prediction"], label: str, band: Band) -> Cell:
    where = Where({"layer": "linear", "batch": 8, "depth": 1, "grad": False})
    return Cell(
        f"{STYLES[style]}: {label}" if label else STYLES[style],
        ConstantOverhead(style, "functional", "width", WIDTHS, where, figure),
        band,
        holding=0.0 if figure == "slope" else None,
    )


def _count(label: str, probe: str, value: str, expected: float, implementation: str = "") -> Cell:
    return Cell(label, ProbeValue(probe, value, implementation=implementation), Band(expected, expected))


_SIZES = ((8, 1), (64, 8), (256, 32), (1024, 256), (4096, 256))
_FUNCTION_OF = {layer: layer.removesuffix("2d") if layer == "batch_norm2d" else layer for layer in LAYERS}
_OTHER_RANDOM = ("dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "rrelu")

CLAIMS = (
    Claim(
        id="module_vs_functional.1",
        kind="cost",
        statement="The running efficiency of nn.Xxx and of nn.functional.xxx is nearly the same.",
        source=NOTES,
        sentence="运行效率也是近乎相同。",
        cells=(
            *(_module_over_function("linear", width, batch) for width, batch in _SIZES),
            *(_module_over_function("relu", width, batch) for width, batch in _SIZES),
            *(_module_over_function("conv2d", size, 1) for size in (8, 56)),
        ),
        remark="Time of the module over that of the function with captured weights, without grad mode, one thread. The "
        "notes give no figure; nearly the same is within 5 %, a band of ours, and refuted only where the module is "
        "slower. Where the verdict changes is module_vs_functional.8.",
    ),
    Claim(
        id="module_vs_functional.2",
        kind="cost",
        statement="The overhead is additive: a module takes a constant Δ longer than the function, whatever the size, "
        "so that 5 % are reached where the function takes 20 Δ.",
        source=f"model; {PULL_REQUEST} measured 4.74 µs for F.linear and 9.74 µs for nn.Linear",
        cells=tuple(
            cell
            for style in ("module", "functional_lookup", "module_forward")
            for cell in (
                _overhead(style, "slope", "Δ on the function's time, slope", Band(-0.02, 0.02)),
                _overhead(style, "spread", "largest over smallest Δ", Band(1.0, 1.5)),
                _overhead(style, "prediction", "time at 5 % over 20 Δ", Band(1 / 1.5, 1.5)),
            )
        ),
        remark="Linear, widths 8 to 2048, batch 8. The bands are ours; the interval of the slope must hold 0 as well. "
        "Δ counts for the largest and smallest where its interval is narrower than half of it.",
    ),
    Claim(
        id="module_vs_functional.3",
        kind="result",
        statement="nn.Xxx and nn.functional.xxx do the same thing.",
        source=NOTES,
        sentence="nn.Xxx和nn.functional.xxx的实际功能是相同的,即nn.Conv2d和nn.functional.conv2d 都是进行卷积,"
        "nn.Dropout 和nn.functional.dropout都是进行dropout,。。。。。;",
        cells=(
            *(
                _count(f"same arguments, {call}: calls with other bits", "bits", "differing", 0, style)
                for style, call in STYLES.items()
            ),
            *(
                _count(f"default arguments after eval(): {function} differs", "defaults", function, 0)
                for function in (*_FUNCTION_OF.values(), *_OTHER_RANDOM)
            ),
            _count("default arguments after eval(): other pairs that differ", "defaults", "others", 0),
        ),
        profile="quick",
        remark="With the same arguments: seven layers, 100 random shapes each, outputs and gradients against "
        "torch.ops.aten bit for bit; dropout after reseeding. With the default arguments: the module in eval mode, the "
        "function given the same tensors and nothing else; the other pairs are all modules of torch.nn that need no "
        "arguments and take one tensor or two. Compiled forms may reorder sums and are held to 1e-5 instead.",
    ),
    Claim(
        id="module_vs_functional.4",
        kind="result",
        statement="Modules carry train(), eval(), state_dict(), load_state_dict() and so on; functions have none.",
        source=NOTES,
        sentence="nn.functional.xxx是函数接口,而nn.Xxx是nn.functional.xxx的类封装,并且nn.Xxx都继承于一个共同祖先"
        "nn.Module。这一点导致nn.Xxx除了具有nn.functional.xxx功能之外,内部附带了nn.Module相关的属性和方法,"
        "例如train(), eval(),load_state_dict, state_dict 等。",
        cells=(
            _count("layers that do not obey train() and eval()", "state", "modes", 0),
            _count("layers whose outputs do not follow a loaded state_dict", "state", "round_trip", 0),
            _count("layers of which to(dtype) leaves a weight behind", "state", "dtype", 0),
            _count("classes of torch.nn that lack one of the methods", "state", "modules_without", 0),
            _count("functions of torch.nn.functional that have one", "state", "functions_with", 0),
        ),
        unit="failures",
        profile="quick",
    ),
    Claim(
        id="module_vs_functional.5",
        kind="cost",
        statement="torch.compile removes the module's overhead.",
        source="folklore",
        cells=(
            Cell(
                "32 Linear layers 64 wide, batch 8",
                CostRatio("compiled_module", "compiled_function", Where(_case("linear", 64, 8, depth=32))),
                Band(1 / 1.02, 1.02),
            ),
        ),
        remark="Steady state; the first call, which compiles, is recorded as set-up. The band is ours. The other half "
        "of the statement, that a CUDA graph does, is module_vs_functional.7, which needs a GPU.",
    ),
    Claim(
        id="module_vs_functional.6",
        kind="count",
        statement="What a module's call adds are frames of Python: two of __call__, one of forward and one of "
        "__getattr__ for each parameter.",
        source=f"torch/nn/modules/module.py; {PULL_REQUEST}, which counted 2,496 Python operations for the function "
        "and 14,196 for the module",
        cells=(
            _count("linear, F.linear(x, w, b)", "frames", "linear_frames", 0, "functional"),
            _count("linear, F.linear(x, layer.weight, layer.bias)", "frames", "linear_frames", 2, "functional_lookup"),
            _count("linear, layer.forward(x)", "frames", "linear_frames", 3, "module_forward"),
            _count("linear, layer(x)", "frames", "linear_frames", 5, "module"),
            _count("relu, F.relu(x)", "frames", "relu_frames", 1, "functional"),
            _count("relu, layer(x)", "frames", "relu_frames", 4, "module"),
        ),
        unit="frames",
        profile="quick",
        remark="Ours, from reading the source. The pull request does not say for how many calls and of what unit its "
        "counts are, so they are no band; our counts of bytecode instructions are in the records.",
    ),
    Claim(
        id="module_vs_functional.7",
        kind="cost",
        statement="A CUDA graph removes the module's overhead.",
        source="folklore",
        cells=(
            Cell(
                "32 Linear layers 64 wide, batch 8",
                CostRatio(
                    "cuda_graph_module",
                    "cuda_graph_functional",
                    Where(_case("linear", 64, 8, depth=32), device="cuda"),
                ),
                Band(1 / 1.02, 1.02),
            ),
        ),
        remark="Device time of one replay. The other half of module_vs_functional.5, with its band.",
    ),
    Claim(
        id="module_vs_functional.8",
        kind="cost",
        statement="A module is within 5 % of the function where the function takes 100 µs or more, and not below.",
        source=f"{PULL_REQUEST}: Δ ≈ 5 µs, times 20",
        cells=(_overhead("module", "crossing", "", Band(CROSSING_NS / 1.5, CROSSING_NS * 1.5)),),
        unit="ns",
        remark="The kernel time at which the verdict of module_vs_functional.1 changes, on the sizes of "
        "module_vs_functional.2 and with its factor of 1.5. Figures of another machine and of 2021 may well not hold.",
    ),
    Claim(
        id="module_vs_functional.9",
        kind="cost",
        statement="Modules in a row add their overheads: it grows in proportion to their number.",
        source="model; torch/nn/modules/module.py",
        cells=(
            Cell(
                "1 to 256 Linear layers 64 wide, batch 8",
                ConstantOverhead(
                    "module",
                    "functional",
                    "depth",
                    DEPTHS,
                    Where({"layer": "linear", "width": 64, "batch": 8, "grad": False}),
                    "growth",
                ),
                Band(0.9, 1.1),
            ),
        ),
        remark="Exponent of Δ on the number of layers; the band is the usual one for exponents. What one or two "
        "forward hooks add to each call is in the same tables (hooks=1, hooks=2).",
    ),
)
