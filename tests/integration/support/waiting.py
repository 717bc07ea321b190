"""Waiting for a condition with a deadline: the only way these tests let time pass."""

import threading
import time

# Generous, because it only bounds how long a failure takes: two busy cores and a sanitizer build
# are slow, and nothing here asserts how fast something happened.
DEADLINE_SECONDS = 20.0
POLL_SECONDS = 0.01


def wait_until(condition, what, deadline=DEADLINE_SECONDS, poll=POLL_SECONDS):
    """The first truthy value of `condition()`; fails the test, naming `what`, at the deadline."""
    end = time.monotonic() + deadline
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:.0f} s in vain: {what}")
        pause.wait(poll)
