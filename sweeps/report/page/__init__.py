"""The report's page: template, style, script, and Apache ECharts as released (its licence lies beside it)."""
