"""What processes hold: theirs alone, and their share of what they have in common with others."""

import pathlib
import re


def kib(pids):
    """The proportional set size (PSS) of all of them."""
    return sum(_one(pid) for pid in pids)


def _one(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(r"^Pss:\s+(\d+) kB$", text, re.MULTILINE)[1])
