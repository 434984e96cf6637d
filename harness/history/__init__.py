"""Figures of many commits, by this program and by others that time Python, as one table."""
