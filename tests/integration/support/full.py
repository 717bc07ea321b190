"""What only long runs have the time for."""

import os

import pytest

full_only = pytest.mark.skipif(os.environ.get("GATEHOUSE_SUITES") != "all",
                               reason="takes minutes: tests/run --full")
