"""Optuna with a storage on disk: ``load_if_exists``, and as many further trials as are missing."""

import optuna
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from benchmarks.storm.work import acknowledge, given, objective


def one(trial: optuna.Trial) -> float:
    """One trial."""
    return objective({name: trial.suggest_float(name, -5, 5) for name in ("x", "y")})


def note(_: optuna.Study, trial: FrozenTrial) -> None:
    """It is in the storage."""
    if trial.value is not None:
        acknowledge(trial.params["x"], trial.params["y"], trial.value)


def open_study(store: str, seed: int) -> optuna.Study:
    """Open or make the study; ``sqlite:///…``, else a journal's file."""
    backend = (
        store if store.startswith("sqlite:") else optuna.storages.JournalStorage(JournalFileBackend(store))
    )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed)
    return optuna.create_study(storage=backend, study_name="storm", load_if_exists=True, sampler=sampler)


def main() -> None:
    """Go on with the study."""
    told = given()
    study = open_study(told.store, told.seed)
    done = len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
    if done < told.trials:
        study.optimize(one, n_trials=told.trials - done, n_jobs=told.slots, callbacks=[note])


if __name__ == "__main__":
    main()
