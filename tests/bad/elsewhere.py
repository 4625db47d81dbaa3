"""Rows of the table of bad input that are no one-line error here, and the tests that hold what they are."""

ELSEWHERE = {
    "B10": ("tests/faults/test_resume.py", "test_a_complete_sweep_is_no_mistake"),
    "B11": ("tests/test_sweep_run.py", "test_fewer_finalists_than_asked_for_are_a_warning"),
    "B19": ("tests/test_space.py", "test_an_import_that_never_ends"),
    "B44": ("tests/test_data_files.py", "test_a_constant_target_is_a_warning"),
    "B55": ("tests/test_data_files.py", "test_a_gzip_that_expands_too_far_is_given_up"),
    "B59": ("tests/test_data_files.py", "test_rows_shared_between_splits_are_a_warning"),
    "B63": ("tests/test_store.py", "test_what_is_no_mlflow_server_for_us"),
    "B67": ("tests/test_store.py", "test_a_missing_driver_is_named"),
}
"""B10: no mistake (docs/decisions/0033-what-is-no-mistake.md). B11, B44, B59: warnings."""

NOT_HERE = {
    "B6": "no engine takes a package of its own yet",
    "B36": "train() is found by its name in the module, a lambda too (decision 32)",
    "B52": "XGBoost gets columns by number, so their names are free",
    "B78": "aliases cannot be chosen",
    "B79": "registered models are shared on purpose",
}
