"""What papers, documentation and the notes say about k-d trees and nearest-neighbour search."""

from __future__ import annotations

from typing import Any

from harness.contract import (
    Band,
    Cell,
    Claim,
    CostRatio,
    Crossover,
    ProbeValue,
    Where,
)

TREE, BRUTE = "numba_kdtree", "numba_brute"
METRICS = (("linf", "L-infinity"), ("l2", "L2"))
DIMENSIONS = (2, 4, 8, 12, 16, 20, 32, 64)


def _constant_examined() -> tuple[Cell, ...]:
    cells = []
    for d in (2, 3, 4, 8):
        for metric, title in METRICS:
            case = {"d": d, "m": 10_000}
            for level in range(10, 19, 2):
                over_bound = ProbeValue("examined", f"over_bound_{metric}_{level}", case, TREE)
                label = f"d = {d}, {title}, n = {1 << level}: points examined over the bound"
                cells.append(Cell(label, over_bound, Band(high=1.0)))
            exponent = ProbeValue("examined", f"exponent_{metric}", case, TREE)
            cells.append(Cell(f"d = {d}, {title}: exponent in n", exponent, Band(-0.05, 0.05)))
    return tuple(cells)


def _crossovers(band: Band) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            f"{data}, n = {n}",
            Crossover(
                TREE,
                BRUTE,
                "d",
                DIMENSIONS,
                Where({"n": n, "m": 2000, "k": 8, "search": "nearest", "data": data}, dtype="float64"),
            ),
            band,
        )
        for data in ("uniform", "patches")
        for n in (20_000, 200_000)
    )


def _visited_cells(data: str, last_level: int) -> tuple[Cell, ...]:
    case: dict[str, Any] = {"data": data, "last_level": last_level, "d": 3, "k": 8, "m": 10_000}
    title = f"{data}, n = 2^10 to 2^{last_level}"
    return (
        Cell(
            f"{title}: R^2 of nodes visited on log2 n", ProbeValue("visited", "r_squared", case, TREE), Band(low=0.99)
        ),
        Cell(f"{title}: exponent of nodes visited", ProbeValue("visited", "exponent", case, TREE), Band(high=0.15)),
    )


def _matching_cells() -> tuple[Cell, ...]:
    views: dict[str, Any] = {"data": "sift", "n": 2000, "m": 1000}
    many: dict[str, Any] = {"data": "many_sift", "n": 100_000, "m": 1000}
    exact = []
    for case, title in ((views, "2,000 descriptors of two views"), (many, "100,000 descriptors of several images")):
        where = Where({**case, "d": 128, "k": 2, "search": "nearest"}, dtype="float64")
        share = ProbeValue("best_bin_first", "examined_share", case, TREE)
        exact.append(Cell(f"{title}: share examined by the exact search", share, Band(high=0.5)))
        exact.append(Cell(f"{title}: exact tree over brute force, time", CostRatio(TREE, BRUTE, where), Band(high=1.0)))
    recall = ProbeValue("best_bin_first", "recall", many, TREE)
    fewer = ProbeValue("best_bin_first", "fewer_coordinates", many, TREE)
    return (
        *exact,
        Cell("100,000 descriptors: recall of the nearest neighbour with 200 checks", recall, Band(low=0.95)),
        Cell("100,000 descriptors: coordinates read by brute force over those with 200 checks", fewer, Band(low=50.0)),
    )


def _pykdtree_cells() -> tuple[Cell, ...]:
    cells = []
    for threads, ratio in ((1, 4.3), (4, 8.2)):
        for data, n in (("uniform", 10**6), ("pixels", 10**6), ("uniform", 10**7)):
            case: dict[str, Any] = {"n": n, "d": 3, "m": n * 43 // 100, "k": 1, "search": "nearest", "data": data}
            cells.append(
                Cell(
                    f"{data}, n = {n}, {threads} thread{'s' * (threads > 1)}",
                    CostRatio("scipy_kdtree", "pykdtree", Where(case, dtype="float64", threads=threads)),
                    Band(ratio * 0.8, ratio * 1.2),
                )
            )
    return tuple(cells)


CLAIMS = (
    Claim(
        "knn.1",
        "count",
        "The expected number of points that a nearest-neighbour search examines does not depend on n, and is at most "
        "2^d in the L-infinity metric and (G^(1/d) + 1)^d, G = 2^d Gamma(d/2 + 1) / pi^(d/2), in L2 for buckets of "
        "one point",
        "Friedman, Bentley and Finkel 1977, An Algorithm for Finding Best Matches in Logarithmic Expected Time",
        cells=_constant_examined(),
        remark="The L2 form of the bound was not checked against the original. The source prints no tolerance for the "
        "exponent; at the boundary of the cube a query examines fewer points, which shrinks with n, so the exponent is "
        "taken from n = 2^14 on.",
        profile="quick",
    ),
    Claim(
        "knn.2",
        "count",
        "A partial-match query with s of d coordinates fixed visits a number of nodes proportional to n^(1 - s/d)",
        "Lee and Wong 1977, Worst-Case Analysis for Region and Partial Region Searches in Multidimensional Binary "
        "Search Trees and Balanced Quad Trees",
        cells=tuple(
            Cell(
                f"d = {d}, {fixed} fixed",
                ProbeValue("partial_match", f"exponent_{fixed}", {"d": d}, TREE),
                Band(1 - fixed / d - 0.03, 1 - fixed / d + 0.03),
            )
            for fixed, dimensions in ((1, (2, 3, 4)), (2, (3, 4)))
            for d in dimensions
        ),
        remark="The paper proves a worst case; that the mean grows with the same exponent, and the tolerance of 0.03, "
        "are this project's reading. Axes are split in turn, at the median.",
        profile="quick",
    ),
    Claim(
        "knn.3",
        "cost",
        "k-d trees are very fast below 20 dimensions: brute force does not pass them before",
        "scikit-learn user guide, Nearest Neighbors: fast for low-dimensional (D < 20) searches; SciPy, "
        "scipy.spatial.KDTree: 20 is already large",
        cells=_crossovers(Band(low=20.0)),
        unit="dimension",
        remark="The sources give no size; n, k = 8 and 2,000 queries are this project's choice. Build and query "
        "together, float64, one thread.",
    ),
    Claim(
        "knn.4",
        "count",
        "k-d trees serve the matching of SIFT features: an exact search examines at most half of the descriptors in "
        "less time than brute force, and best-bin-first with 200 checks finds at least 95 % of the nearest "
        "neighbours for a fiftieth of brute force's work",
        "notes, page 001; Lowe 2004, Distinctive Image Features from Scale-Invariant Keypoints, section 7.2",
        cells=_matching_cells(),
        sentence="SIFT算法中做特征点匹配的时候就会利用到kd树。",
        remark="Lowe's figures (two orders of magnitude faster, under 5 % of correct matches lost at 100,000 "
        "keypoints, no speed-up of exact search beyond about 10 dimensions) were not checked against the original; "
        "the notes give no number, the thresholds of one half and 50 are this project's. The last cell counts "
        "coordinates in place of time, since approximate searches are never timed beside exact ones; it is an upper "
        "bound of the speed-up, as a matrix product reads its coordinates faster.",
    ),
    Claim(
        "knn.5",
        "count",
        "At d = 3 a nearest-neighbour query visits a number of nodes of the order of log n",
        "Friedman, Bentley and Finkel 1977",
        cells=_visited_cells("uniform", 20) + _visited_cells("pixels", 17),
        remark="R^2 of at least 0.99 and an exponent of at most 0.15 are this project's translation of O(log n). "
        "Sizes are powers of two, so that the leaves are equally full at all of them. A first look with 1,000 and "
        "2,000 queries gave R^2 = 0.989 on uniform points; 10,000 queries were fixed after it, the band was not. The "
        "times beside it are those of the suite's cases along n.",
        profile="quick",
    ),
    Claim(
        "knn.6",
        "cost",
        "pykdtree builds and queries 4.3 times faster than SciPy's cKDTree on one thread and 8.2 times on four",
        "pykdtree README: 10,053,632 geospatial points, 4,276,224 queries, k = 1, totals of 1367, 319 and 166",
        cells=_pykdtree_cells(),
        remark="A tolerance of 20 % is this project's. Build and query together, each with its default leaf size; both "
        "phases are in the table of the run. The README's 8.2 divides SciPy's time on one thread by pykdtree's on "
        "four; here both have four. The bundled images have too few pixels for 10^7 points, which are uniform only.",
    ),
    Claim(
        "knn.7",
        "cost",
        "A sequential scan wins above about 10 dimensions",
        "Weber, Schek and Blott 1998, A Quantitative Analysis and Performance Study for Similarity-Search Methods in "
        "High-Dimensional Spaces",
        cells=_crossovers(Band(8.0, 13.0)),
        unit="dimension",
        remark="Read as: the crossover lies between 8 and 13, a band that is this project's. The paper counts disk "
        "pages of trees of its time; here everything is in memory. It speaks against knn.3 and shares its evidence.",
    ),
)
