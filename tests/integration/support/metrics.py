"""Reads OpenMetrics, strictly enough that a malformed page fails a test."""

import re

_SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)(?: .*)?$')
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One scrape."""

    def __init__(self, text):
        lines = text.splitlines()
        assert lines and lines[-1] == "# EOF", f"no '# EOF' at the end:\n{text[-200:]}"
        self._samples = {}
        for line in lines[:-1]:
            if line.startswith("#"):
                assert re.match(r"# (HELP|TYPE|UNIT) ", line), line
                continue
            sample = _SAMPLE.match(line)
            assert sample, f"not a sample: {line!r}"
            name, labels, value = sample.groups()
            key = name, frozenset(_LABEL.findall(labels or ""))
            assert key not in self._samples, f"twice: {line}"
            self._samples[key] = float(value)

    def value(self, name, **labels):
        """The sample, zero where there is none yet."""
        return self._samples.get((name, frozenset(labels.items())), 0.0)

    def names(self):
        return {name for name, _ in self._samples}

    def labels_of(self, name):
        """Every combination of labels that a metric has."""
        return [dict(labels) for sample, labels in self._samples if sample == name]
