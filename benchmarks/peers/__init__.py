"""The contenders, each as its own documentation sets it up. Each is run as a module in a fresh process."""
