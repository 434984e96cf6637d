"""Finding suites and implementations by file name, without importing an implementation."""

from harness.discovery.catalogue import Catalogue, SelectionError, load_catalogue
from harness.discovery.listing import DiscoveryError, Listing

__all__ = ["Catalogue", "DiscoveryError", "Listing", "SelectionError", "load_catalogue"]
