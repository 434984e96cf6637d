"""What a user asks of ``bakeoff run``, and what it comes to on this machine."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cli.outcome import choose
from harness.cli.selecting import choose_devices, choose_profile, parse_where
from harness.discovery import Catalogue
from harness.environment import available_devices, describe_environment, usable_cpus
from harness.plan import Scope
from harness.statistics.estimates import FEWEST_ROUNDS
from harness.trials import INSTRUMENTS, InstrumentName
from harness.worker.orders import QUICK, SETTINGS, Settings


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    project: Path
    selection: tuple[str, ...] = ()
    external: tuple[Path, ...] = ()
    profile: str = "quick"
    device: str = "all"
    where: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    budget_s: float | None = None
    results: Path | None = None
    resume: str | None = None
    seed: int | None = None
    report: bool = True
    as_json: bool = False
    pin: bool = True
    precision_percent: float | None = None
    rounds: int | None = None
    cuda_graph: bool = False
    claims_only: bool = False
    dry_run: bool = False

    @property
    def settings(self) -> Settings:
        settings = dataclasses.replace(SETTINGS[choose_profile(self.profile)], cuda_graph=self.cuda_graph)
        if self.precision_percent is not None:
            settings = dataclasses.replace(settings, precision=self.precision_percent / 100)
        if self.rounds is not None:
            settings = dataclasses.replace(settings, rounds=self.rounds, fewest_rounds=self.rounds)
        if settings.rounds < FEWEST_ROUNDS:  # then the interval is over the blocks
            settings = dataclasses.replace(settings, fewest_blocks=max(settings.fewest_blocks, QUICK.fewest_blocks))
        return settings


def as_before(request: Request, environment: Mapping[str, Any]) -> Request:
    """The request that the run was started with, so that the rest is measured the same way."""
    asked = environment.get("request", {})
    return Request(
        project=request.project,
        selection=tuple(asked.get("selection", ())),
        external=request.external,
        profile=environment["profile"],
        device=asked.get("device", "all"),
        where=tuple(asked.get("where", ())),
        instruments=tuple(asked.get("instruments", ())),
        budget_s=request.budget_s,
        results=request.results,
        resume=request.resume,
        seed=environment["seed"],
        report=request.report,
        as_json=request.as_json,
        pin=asked.get("pin", True),
        precision_percent=asked.get("precision_percent"),
        rounds=asked.get("rounds"),
        cuda_graph=asked.get("cuda_graph", False),
        claims_only=asked.get("claims_only", False),
        dry_run=request.dry_run,
    )


def scope_of(request: Request, catalogue: Catalogue) -> Scope:
    devices = choose_devices(request.device, available_devices())
    asked: tuple[InstrumentName, ...] = tuple(
        instrument
        for instrument in INSTRUMENTS
        if instrument in [choose("--instrument", name, INSTRUMENTS) for name in request.instruments]
    )
    return Scope(
        profile=choose_profile(request.profile),
        devices=devices,
        cpu_count=usable_cpus(),
        seed=secrets.randbits(48) if request.seed is None else request.seed,
        instruments=asked or _instruments_with_sensor(devices),
        where=parse_where(request.where, catalogue),
        claims_only=request.claims_only,
    )


def _instruments_with_sensor(devices: tuple[str, ...]) -> tuple[InstrumentName, ...]:
    """Energy only where some device has a sensor; the environment says why where there is none."""
    from harness.environment import sensor_state

    readable = any(sensor_state(device)["available"] for device in devices)
    return tuple(instrument for instrument in INSTRUMENTS if instrument != "energy" or readable)


def environment_of(request: Request, catalogue: Catalogue, scope: Scope) -> dict[str, Any]:
    """What is stored with the run: the machine, the request that repeats it, and how long the profile measures."""
    return describe_environment(catalogue.project.root) | {
        "profile": scope.profile,
        "seed": scope.seed,
        "devices": list(scope.devices),
        "instruments": list(scope.instruments),
        "request": {
            "selection": list(request.selection),
            "device": request.device,
            "where": list(request.where),
            "instruments": list(request.instruments),
            "pin": request.pin,
            "precision_percent": request.precision_percent,
            "rounds": request.rounds,
            "cuda_graph": request.cuda_graph,
            "claims_only": request.claims_only,
        },
        "settings": dataclasses.asdict(request.settings),
        "ceilings": [],
    }
