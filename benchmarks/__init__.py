"""Side-by-side measurements with other tools; see benchmarks/README.md."""
