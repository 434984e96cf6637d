"""asv's benchmark folder; everything in it is generated from the suites."""
