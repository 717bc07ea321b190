"""The cache that tests/drivers/install fills, outside the repository."""

import os
import pathlib

# What takes minutes to compile, or what only long runs start.
_FULL_ONLY = {"rust", "cassandra-rust", "cassandra-4.1", "cassandra-4.0"}


def folder(kind):
    """Where what `kind` stands for is installed; it may not be there."""
    cache = os.environ.get("GATEHOUSE_TEST_CACHE")
    if not cache:
        base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
        cache = pathlib.Path(base) / "gatehouse-tests"
    return pathlib.Path(cache) / kind


def missing(kind, name):
    """Why what `kind` stands for cannot be used; None if it can."""
    if not (folder(kind) / "complete").is_file():
        full = " --full" if kind in _FULL_ONLY else ""
        return f"not installed, for which tests/drivers/install{full} needs its registry: {name}"
    return None
