"""Search-space modules: find one, import it safely, walk its hyperparameters, evaluate a point."""
