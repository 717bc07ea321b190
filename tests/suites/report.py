"""What became of each test by each way, where the ways differ, and the table that says so."""

import collections
import difflib

PASSED, FAILED, SKIPPED, NOT_RUN = "passed", "failed", "skipped", "not run"


class Outcome:
    """What became of one test; `text`: what it said, about a failure or where that is compared."""

    def __init__(self, word, text=""):
        self.word = word
        self.text = text


class Known:
    """Differences that were looked into: `WAY TEST REASON` a line, `#` before remarks."""

    def __init__(self, path):
        self._reasons = {}
        for line in path.read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                way, test, reason = line.split(None, 2)
                self._reasons[way, test] = reason

    def reason(self, way, test):
        return self._reasons.get((way, test))


def differences(direct, others):
    """(way, test, how) of all that passes directly and not in the same way by another."""
    for way, outcomes in others.items():
        for test, outcome in outcomes.items():
            if direct[test].word == PASSED and outcome.word != PASSED:
                yield way, test, f"{outcome.word} {outcome.text}"
            elif direct[test].word == PASSED and outcome.text != direct[test].text:
                lines = difflib.unified_diff(direct[test].text.splitlines(),
                                             outcome.text.splitlines(), "directly", way, n=1,
                                             lineterm="")
                yield way, test, "\n".join(["says something else", *lines])


def table(outcomes, seconds):
    """Lines of text: for each way how many tests ended how, and how long they took."""
    words = [word for word in (PASSED, FAILED, SKIPPED, NOT_RUN)
             if any(outcome.word == word for results in outcomes.values()
                    for outcome in results.values())]
    rows = [["", *words, "differs", "seconds"]]
    for way, results in outcomes.items():
        count = collections.Counter(outcome.word for outcome in results.values())
        differs = len(list(differences(outcomes["direct"], {way: results})))
        rows.append([way, *(str(count[word]) for word in words), str(differs),
                     f"{seconds[way]:.0f}"])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join([row[0].ljust(widths[0]),
                       *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
            for row in rows]
