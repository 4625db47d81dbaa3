"""Links into the MLflow UI."""

from urllib.parse import quote


def trials_link(base: str, experiment_id: str, sweep: str) -> str:
    """Give the table of a sweep's trials, flat, the lowest rmse first."""
    of_sweep = quote(f"tags.`mlflow.parentRunId` = '{sweep}'", safe="")
    by_rmse = quote("metrics.`rmse`", safe="")
    return (
        f"{base.rstrip('/')}/#/experiments/{experiment_id}/runs?workflowType=machine_learning"
        f"&searchFilter={of_sweep}&orderByKey={by_rmse}&orderByAsc=true"
    )
