"""Which trial wins, whether it beats the champion, and who is champion: pure functions of figures."""

from sweeps.selection.choice import Verdict, pick, rank, verdict

__all__ = ["Verdict", "pick", "rank", "verdict"]
