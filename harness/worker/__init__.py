"""What runs in a worker process: load one implementation, check its answer, warm up, calibrate, measure."""
