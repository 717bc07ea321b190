"""What processes hold: theirs alone, and their share of what they have in common with others."""

import pathlib
import re


def kib(pids):
    """The proportional set size (PSS) of all of them, without pages of files: the share of those
    changes with whoever else runs the same program, or ends."""
    return sum(_one(pid) for pid in pids)


def _one(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return sum(map(int, re.findall(r"^Pss_(?:Anon|Shmem):\s+(\d+) kB$", text, re.MULTILINE)))
