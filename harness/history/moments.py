"""Moments as files write them."""

from __future__ import annotations

from datetime import UTC, datetime


def read_moment(text: str | None) -> datetime | None:
    """The moment that an ISO 8601 text names, by UTC where it says no zone; ``None`` where it names none."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
