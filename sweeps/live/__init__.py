"""What a running sweep looks like: the figures so far, and the page that notebooks show."""
