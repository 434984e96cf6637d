"""Bakeoff: interchangeable implementations side by side, checked, measured and compared."""

__version__ = "0.1.0"
