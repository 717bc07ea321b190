"""What only long runs have the time for."""

import os

import pytest


def is_full():
    return os.environ.get("GATEHOUSE_SUITES") == "all"


full_only = pytest.mark.skipif(not is_full(), reason="takes minutes: tests/run --full")
