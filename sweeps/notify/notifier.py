"""Tell targets in the background: a sweep waits for them a few seconds at its end, and never before.

See docs/decisions/0029-notifiers-cannot-hurt-a-sweep.md.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sweeps.errors import one_line
from sweeps.notify.delivery import Teller, teller_of
from sweeps.notify.target import OPTION, Target

PAUSE = 10.0
"""Seconds between two news of the same kind that are better told once."""
PATIENCE = 5.0
"""Seconds that the end of a sweep waits for what is under way, all notifiers together."""
LAST_MOMENT = 1.0
"""Seconds for a thread to see that its command was killed."""
MOST_WAITING = 16

Message = Mapping[str, Any]
Tell = Callable[[str], object]


class Notifier:
    """Tells one target, in a thread of its own. What goes wrong is said once.

    Args:
        teller: of the target.
        name: of the target, as it may be shown.
        tell: told, once, what went wrong.
        pause: seconds between two messages of those that replace each other.
    """

    def __init__(self, teller: Teller, name: str, tell: Tell, pause: float = PAUSE) -> None:
        self._teller, self._name, self._tell, self._pause = teller, name, tell, pause
        self._change = threading.Condition()
        self._waiting: deque[Message] = deque(maxlen=MOST_WAITING)
        self._latest: Message | None = None
        self._due = 0.0
        self._ending = self._complained = False
        self._thread = threading.Thread(target=self._run, name="sweeps-notify", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def post(self, message: Message, *, replaces: bool = False) -> None:
        """Take a message to be told; never waits.

        Args:
            message: JSON values.
            replaces: whether one that was posted so, and was not told yet, need not be told any more. Such
                messages are told with pauses between them, or right before the next of the others.
        """
        with self._change:
            if replaces:
                self._latest = message
            else:
                self._take_latest()
                self._waiting.append(message)
            self._change.notify()

    def end(self) -> None:
        """Take no more messages, and stop when all are told."""
        with self._change:
            self._ending = True
            self._take_latest()
            self._change.notify()

    def join(self, deadline: float) -> None:
        """Wait until all is told, until then at most; then what is under way is ended.

        Args:
            deadline: as ``time.monotonic`` gives it.
        """
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if not self._thread.is_alive():
            return
        self._complain("had not taken all of it by the end of the sweep")
        with self._change:
            self._waiting.clear()
        self._teller.stop()
        self._thread.join(LAST_MOMENT)

    def _run(self) -> None:
        while (message := self._next()) is not None:
            try:
                trouble = self._teller.send(f"{json.dumps(message)}\n".encode())
            except Exception as error:  # noqa: BLE001 - no notifier may hurt a sweep; its text may hold a secret
                trouble = f"failed with {type(error).__name__}"
            if trouble:
                self._complain(trouble)

    def _next(self) -> Message | None:
        """Wait for a message whose time has come; None at the end."""
        with self._change:
            while not self._waiting:
                if self._ending:
                    return None
                left = None if self._latest is None else self._due - time.monotonic()
                if left is not None and left <= 0:
                    self._take_latest()
                else:
                    self._change.wait(left)
            return self._waiting.popleft()

    def _take_latest(self) -> None:
        if self._latest is not None:
            self._waiting.append(self._latest)
            self._latest, self._due = None, time.monotonic() + self._pause

    def _complain(self, trouble: str) -> None:
        with self._change:
            first, self._complained = not self._complained, True
        if first:
            with suppress(OSError):  # nobody listens any more
                self._tell(one_line(f"{OPTION} {self._name}: {trouble}; the sweep does not depend on it"))


class Notifiers:
    """Tells all targets; a context, whose end waits for them for a few seconds.

    Args:
        targets: whom to tell.
        tell: told what goes wrong, once for each target.
    """

    def __init__(self, targets: Sequence[Target], tell: Tell) -> None:
        self._targets, self._tell = targets, tell
        self._notifiers: list[Notifier] = []

    def __enter__(self) -> "Notifiers":
        """Start a thread for each target."""
        self._notifiers = [Notifier(teller_of(one), one.shown, self._tell) for one in self._targets]
        for notifier in self._notifiers:
            notifier.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Have told what was posted, for a few seconds at most."""
        for notifier in self._notifiers:
            notifier.end()
        deadline = time.monotonic() + PATIENCE
        for notifier in self._notifiers:
            notifier.join(deadline)

    def post(self, message: Message, *, replaces: bool = False) -> None:
        """Tell all of them; see ``Notifier.post``."""
        for notifier in self._notifiers:
            notifier.post(message, replaces=replaces)
