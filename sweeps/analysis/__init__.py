"""What a sweep's trials say: pure functions of its record, which print nothing and know no store."""
