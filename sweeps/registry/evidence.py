"""Keep what a verdict rests on where it can be read later."""

from collections.abc import Mapping
from typing import Any

from sweeps.record import ModelVersion
from sweeps.registry.store import Store, registry_errors


def keep_evidence(
    store: Store, run_id: str, model: ModelVersion, verdict: Mapping[str, Any], card: str
) -> str:
    """Write ``verdict.json`` and the card as artifacts of a run; give their folder.

    Args:
        store: where.
        run_id: of the sweep.
        model: what was judged.
        verdict: JSON values.
        card: Markdown.

    Raises:
        StoreError: MLflow refuses.
    """
    folder = f"verdicts/{model.name}-{model.version}"
    with registry_errors(store):
        store.client.log_dict(run_id, dict(verdict), f"{folder}/verdict.json")
        store.client.log_text(run_id, card, f"{folder}/card.md")
        store.client.set_model_version_tag(
            model.name, str(model.version), "sweeps.evidence", f"{run_id}/{folder}"
        )
    return folder
