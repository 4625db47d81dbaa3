"""Ask and tell over Hyperopt's algorithms."""
