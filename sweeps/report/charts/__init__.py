"""The charts of a report as plain data: what is drawn, a sentence that says it, a table of the figures."""
