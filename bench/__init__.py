"""Benchmarks: the service next to what others would build, measured side by side in one run."""
