"""Datasets: read, check, split, digest, turn into features; import from the files, nothing is re-exported."""
