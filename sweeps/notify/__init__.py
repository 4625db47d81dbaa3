"""Tell commands and web addresses what becomes of a sweep; nothing of it can hurt the sweep."""
