"""What a sweep would be like: its branches, what it draws, how long it takes. No MLflow, no printing."""
