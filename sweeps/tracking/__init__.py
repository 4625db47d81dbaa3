"""MLflow: open a store, write a sweep, read it back, link to it."""
