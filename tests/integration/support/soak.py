"""How long a test of endurance goes on: a moment every day, and as long as tests/soak was told."""

import os
import time

# Of each part of a long run; unset in a short one.
_SECONDS = os.environ.get("GATEHOUSE_SOAK_SECONDS")


def is_long():
    return _SECONDS is not None


def seconds():
    """How long each part of a long run may take."""
    return int(_SECONDS)


def amount(every_day, long):
    """How many, or how much: the second in a long run."""
    return long if is_long() else every_day


def rounds(every_day, long):
    """Numbers from 0 on: so many; fewer in a long run whose time is over, and not none."""
    end = time.monotonic() + seconds() if is_long() else float("inf")
    for number in range(amount(every_day, long)):
        if number > 0 and time.monotonic() > end:
            return
        yield number
