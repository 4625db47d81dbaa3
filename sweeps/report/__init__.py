"""What a sweep leaves in ``results/``: tables and plots, all rebuilt from its record."""
