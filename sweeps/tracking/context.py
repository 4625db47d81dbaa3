"""The tags MLflow's fluent API sets by itself: who, from where, at which commit."""

from pathlib import Path

COMMIT = "mlflow.source.git.commit"


def context_tags(folder: Path | None = None) -> dict[str, str]:
    """Give MLflow's automatic tags, once per sweep.

    Args:
        folder: whose git repository is meant, by default the current one. MLflow itself looks at the script
            that runs, which for an installed command is the wrong repository or none.
    """
    from mlflow.tracking.context.git_context import GitRunContext
    from mlflow.tracking.context.registry import resolve_tags

    tags = resolve_tags(ignore=[GitRunContext])  # type: ignore[list-item]  # a class is what it wants
    return {name: str(value) for name, value in {**tags, **_git_tags(folder or Path.cwd())}.items()}


def git_commit(folder: Path) -> str | None:
    """Give the commit that the git repository around a folder stands at; None outside of one."""
    from mlflow.utils import git_utils

    commit: str | None = git_utils.get_git_commit(str(folder))
    return commit


def _git_tags(folder: Path) -> dict[str, str]:
    from mlflow.utils import git_utils

    found = {
        COMMIT: git_utils.get_git_commit(str(folder)),
        "mlflow.source.git.branch": git_utils.get_git_branch(str(folder)),
        "mlflow.source.git.repoURL": git_utils.get_git_repo_url(str(folder)),
    }
    return {name: value for name, value in found.items() if value and found[COMMIT]}
