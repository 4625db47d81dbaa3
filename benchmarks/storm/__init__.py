"""Drivers that are killed, each of which goes on where it was; see ``benchmarks.kill_storm``."""
