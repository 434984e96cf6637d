"""What papers, documentation and the notes say about principal components and the ways to them."""

from __future__ import annotations

from harness.contract import Band, Cell, Claim, CostRatio, ProbeValue, Scalar, Threads, Where

Parameters = dict[str, Scalar]

_THREADS: tuple[Threads, ...] = (1, "all")
_TABLES: tuple[tuple[str, Parameters], ...] = (
    ("digits, k = 10", {"data": "digits", "n": 1_797, "d": 64, "k": 10}),
    ("patches, k = 10", {"data": "patches", "n": 20_000, "d": 64, "k": 10}),
    ("lfw_subset, k = 10", {"data": "lfw", "n": 200, "d": 625, "k": 10}),
)
_SHAPES = ((1_414, 1_414), (2_000, 1_000), (4_000, 500), (8_000, 250), (16_000, 125))
_SPECTRA: tuple[tuple[str, Parameters], ...] = (
    ("digits", {"data": "digits", "n": 1_797, "d": 64}),
    ("spectrum 1/j", {"data": "inverse", "n": 400, "d": 200}),
    ("exponential spectrum", {"data": "exponential", "n": 400, "d": 200}),
    ("step spectrum", {"data": "step", "n": 400, "d": 200}),
)
_GROWING: tuple[tuple[str, Parameters, int], ...] = (
    ("spectrum 1/j", {"data": "inverse", "n": 4_000, "d": 500}, 400),
    ("digits", {"data": "digits", "n": 1_797, "d": 64}, 179),
    ("exponential spectrum", {"data": "exponential", "n": 4_000, "d": 500}, 400),
)
_OURS_AND_PEER = (("numpy_covariance", "ours"), ("sklearn_covariance", "scikit-learn"))


def _loss_cells() -> tuple[Cell, ...]:
    cells = []
    for implementation, who in (("numpy_svd", "SVD"), ("blas_streaming", "covariance")):
        for title, case in _TABLES:
            error = ProbeValue("loss", "identity_error", case, implementation)
            better = ProbeValue("loss", "better", case, implementation)
            cells.append(Cell(f"{title}, {who}: relative error of the identity", error, Band(0, 1e-10)))
            cells.append(Cell(f"{title}, {who}: subspaces of less loss, of 1,100", better, Band(0, 0)))
        error = ProbeValue("identity", "identity_error", {}, implementation)
        cells.append(Cell(f"100 random tables, {who}: largest error of the identity", error, Band(0, 1e-10)))
    return tuple(cells)


def _bound_cells() -> tuple[Cell, ...]:
    return tuple(
        Cell(
            f"{title}, {norm} norm: mean error over the bound",
            ProbeValue("range_error", norm, {**case, "k": 10, "p": 10}, "numpy_randomised"),
            Band(high=1.0),
        )
        for title, case in _SPECTRA
        for norm in ("frobenius", "spectral")
    )


def _speed_cells() -> tuple[Cell, ...]:
    cells = []
    for n, d in _SHAPES:
        for threads in _THREADS:
            where = Where({"n": n, "d": d, "k": 10}, "float64", threads=threads, phase="fit", until="fit")
            for other, randomised, title in (
                ("sklearn_full", "sklearn_randomized", "SVD, scikit-learn"),
                ("sklearn_covariance", "sklearn_randomized", "covariance, scikit-learn"),
                ("numpy_svd", "numpy_randomised", "SVD, ours"),
                ("numpy_covariance", "numpy_randomised", "covariance, ours"),
            ):
                label = f"{n} x {d}, {threads} thread{'s' * (threads != 1)}: {title}, over randomised"
                cells.append(Cell(label, CostRatio(other, randomised, where), Band(low=1.0)))
    return tuple(cells)


def _lost_cells() -> tuple[Cell, ...]:
    cells = []
    for dtype, predicted in (("float64", 1.5e-8), ("float32", 3.5e-4)):
        for implementation, who in _OURS_AND_PEER:
            lost = ProbeValue("lost_values", "largest_lost", {"dtype": dtype}, implementation)
            slope = ProbeValue("lost_values", "slope", {"dtype": dtype}, implementation)
            cells.append(Cell(f"{dtype}, {who}: largest value lost", lost, Band(predicted / 10, predicted * 10)))
            cells.append(Cell(f"{dtype}, {who}: slope of log error on log value", slope, Band(-2.1, -1.9)))
    return tuple(cells)


def _incremental_cells() -> tuple[Cell, ...]:
    cells = []
    for title, case, tenth in _GROWING:
        for k, size in ((10, "k = 10"), (20, "k = 20"), (0, "k = rank")):
            for batch, rows in ((0, "batches of 5k"), (tenth, "batches of n/10")):
                if (case["data"], k, batch) == ("inverse", 0, tenth):
                    continue
                for value, what in (("subspace", "1 - cos of the largest angle"), ("variance", "error of a variance")):
                    probe = ProbeValue("incremental", value, {**case, "k": k, "batch": batch}, "sklearn_incremental")
                    cells.append(Cell(f"{title}, {size}, {rows}: {what}", probe, Band(0, 1e-3)))
        for batch, rows in ((0, "batches of 5k"), (tenth, "batches of n/10")):
            least = ProbeValue("smallest_equal", "components", {**case, "batch": batch}, "sklearn_incremental")
            cells.append(Cell(f"{title}, {rows}: least number of components that are equal", least, Band(1, 10)))
    return tuple(cells)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="pca.1",
        kind="result",
        statement="The directions of largest variance are those of least loss: what k components miss is the sum of "
        "the other squared singular values, and no other k-dimensional subspace misses less.",
        source="notes, page 001; Eckart and Young 1936",
        sentence="PCA顾名思义,就是找出数据里最主要的方面,用数据里最主要的方面来代替原始数据。"
        "我们知道数据从n维降到n'维肯定会有损失,但是我们希望损失尽可能的小。那么如何让这n'维的数据尽可能表示原来的数据呢?",
        cells=_loss_cells(),
        profile="quick",
        remark="The notes ask for the least loss and show it in the plane. Challengers are 1,000 random subspaces and "
        "100 rotations of the components by 1e-4 to 0.1.",
    ),
    Claim(
        id="pca.2",
        kind="result",
        statement="A random range of k + p columns misses on average no more than (1 + k/(p-1))^(1/2) times the tail "
        "in the Frobenius norm, and (1 + (k/(p-1))^(1/2)) sigma_{k+1} + e (k+p)^(1/2)/p times the tail in the spectral "
        "norm.",
        source="Halko, Martinsson and Tropp 2011, Theorems 10.5 and 10.6",
        cells=_bound_cells(),
        profile="quick",
        remark="k = p = 10, no power steps, 40 draws. The figure is the mean error as a share of the bound, which "
        "tells how tight the bound is.",
    ),
    Claim(
        id="pca.3",
        kind="result",
        statement="Two power steps bring the relative error of the first ten of the singular values 1/j below 1e-3.",
        source="Halko, Martinsson and Tropp 2011, sections 9 and 10",
        cells=(
            Cell(
                "2000 x 500, k = p = 10, 2 power steps: largest relative error",
                ProbeValue("power_steps", "error_2", {"n": 2_000, "d": 500, "k": 10, "p": 10}, "numpy_randomised"),
                Band(high=1e-3),
            ),
        ),
        profile="quick",
        remark="The figure of 1e-3 for this spectrum is unverified: it is a reading of the discussion. 20 draws, QR "
        "between the steps; the record also holds the errors after 0, 1 and 4 steps.",
    ),
    Claim(
        id="pca.4",
        kind="cost",
        statement="Randomised PCA is faster than the singular value decomposition and than the covariance matrix.",
        source="scikit-learn user guide, PCA using randomized SVD; Halko, Martinsson and Tropp 2011",
        cells=_speed_cells(),
        remark="k = 10, float64, the fit alone. scikit-learn's randomised solver makes 16 passes (7 power steps by "
        "default), ours 10. Every side is checked first: the randomised ones must find the subspace to 1e-3, the "
        "others to 1e-10; the table of the run shows the error of each as a share of that.",
    ),
    Claim(
        id="pca.5",
        kind="result",
        statement="The covariance route loses every singular value below about the root of the machine epsilon times "
        "the largest, since the relative error is about half of epsilon times the square of their ratio.",
        source="The squared condition number, see Golub and Van Loan, Matrix Computations, section 8.6",
        cells=_lost_cells(),
        profile="quick",
        remark="The section number is unverified. Lost is a relative error above one half; a factor of 10 about 1.5e-8 "
        "and 3.5e-4, and 0.1 about the slope of -2, are ours. 100 tables of 65 or 33 values, four per decade; a first "
        "look with 20 left the slope undecided in float32, the bands are those from before it.",
    ),
    Claim(
        id="pca.6",
        kind="result",
        statement="IncrementalPCA equals PCA.",
        source="scikit-learn user guide, Incremental PCA: almost exactly match the results of PCA",
        cells=_incremental_cells(),
        remark="The guide says almost; 1e-3 for subspace and variances is ours. Five orders of the rows. The rank "
        "counts singular values above 1e-6 of the largest: 500 for 1/j, where batches of n/10 = 400 rows are too few "
        "and scikit-learn refuses them. At k = 20 the gap of the spectrum 1/j is just 1.05. That the least number of "
        "components is at most 10 follows from the statement; it is the least one of a list up to the rank.",
    ),
)
