"""``bakeoff list``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.cli.selecting import open_catalogue, select
from harness.contract import Suite
from harness.discovery import Catalogue, Listing
from harness.instruments.nvml import gpu_count


def show_list(project: Path, selection: Sequence[str], external: Sequence[Path], as_json: bool) -> None:
    catalogue = select(open_catalogue(project, external), selection)
    has_gpu = gpu_count() > 0
    if as_json:
        print(json.dumps(list_document(catalogue, has_gpu), ensure_ascii=False, indent=1))
        return
    for suite in catalogue.suites.values():
        _show_suite(suite, catalogue.of(suite.name), has_gpu)


def list_document(catalogue: Catalogue, has_gpu: bool) -> dict[str, Any]:
    return {
        "suites": [
            {
                "name": suite.name,
                "title": suite.title,
                "phases": list(suite.phases),
                "cases": [{"profile": case.profile, **case} for case in suite.cases],
                "implementations": [
                    {
                        "name": listing.name,
                        "title": listing.title,
                        "origin": listing.origin,
                        "library": listing.library,
                        "devices": list(listing.devices),
                        "dtypes": list(listing.dtypes),
                        "available": not unavailable_because(listing, has_gpu),
                        "reason": unavailable_because(listing, has_gpu),
                    }
                    for listing in catalogue.of(suite.name)
                ],
                "claims": [
                    {
                        "id": claim.id,
                        "kind": claim.kind,
                        "statement": claim.statement,
                        "sentence": claim.sentence,
                        "source": claim.source,
                        "profile": claim.profile,
                    }
                    for claim in suite.claims
                ],
            }
            for suite in catalogue.suites.values()
        ]
    }


def unavailable_because(listing: Listing, has_gpu: bool) -> str:
    """Why the implementation cannot run on this machine, or an empty string."""
    if listing.reason:
        return listing.reason
    if "cpu" not in listing.devices and not has_gpu:
        return "needs a CUDA device; there is none here"
    return ""


def _show_suite(suite: Suite, listings: Sequence[Listing], has_gpu: bool) -> None:
    quick = len(suite.cases_of("quick"))
    print(f"{suite.name}: {suite.title}")
    print(f"  {quick} quick cases, {len(suite.cases)} in all; phases: {', '.join(suite.phases)}")
    width = max((len(listing.name) for listing in listings), default=0)
    for listing in listings:
        reason = unavailable_because(listing, has_gpu)
        origin = "" if listing.origin == "project" else f" [{listing.origin}]"
        text = f"unavailable: {reason}" if reason else listing.title
        print(f"  {'-' if reason else '+'} {listing.name:<{width}}  {text}{origin}")
    for claim in suite.claims:
        print(f"  ? {claim.id}  {claim.statement} [{claim.source}]")
    print()
