"""The next search space: the text of the last one, with the ranges its trials ask for."""
