"""The command line: thin commands, the only place that prints; heavy imports stand inside the commands."""
