"""Implementations: one folder per topic, one file each; building_blocks holds what they share."""
