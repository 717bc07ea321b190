"""Starting servers that never outlive the tests, however the tests end."""

import ctypes
import signal
import subprocess

PR_SET_PDEATHSIG = 1  # prctl(2)


def start(command, stdin=subprocess.DEVNULL, **options):
    """A process in a group of its own, which the system kills should pytest be killed."""
    return subprocess.Popen(command, stdin=stdin, start_new_session=True,
                            preexec_fn=_die_with_parent, **options)


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
