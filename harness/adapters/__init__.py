"""The same suites and implementations as asv benchmarks and as pytest-benchmark tests."""
