"""Instruments: what they read, in which unit, and why they cannot where they cannot."""


class InstrumentUnavailable(Exception):
    """There is no such sensor here, or it may not be read; the message says why and what to do."""
