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
    """Differences that were looked into: `WAY TEST always|sometimes REASON` a line, `#` before
    remarks. What differs sometimes must pass when it is tried again."""

    def __init__(self, path):
        self._entries = {}
        for line in path.read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                way, test, how_often, reason = line.split(None, 3)
                assert how_often in ("always", "sometimes"), line
                self._entries[way, test] = how_often == "sometimes", reason

    def always(self, way):
        """The tests that always differ by this way."""
        return {test for (name, test), (sometimes, _) in self._entries.items()
                if name == way and not sometimes}

    def reason(self, way, test, passes_again):
        """Why they may differ, or None. `passes_again` is asked where they do only sometimes."""
        sometimes, reason = self._entries.get((way, test), (False, None))
        return None if sometimes and not passes_again() else reason


def differences(direct, outcomes, way):
    """(test, how) of all that passes directly and not in the same way by this one."""
    for test, outcome in outcomes.items():
        if direct[test].word == PASSED and outcome.word != PASSED:
            yield test, f"{outcome.word} {outcome.text}"
        elif direct[test].word == PASSED and outcome.text != direct[test].text:
            lines = difflib.unified_diff(direct[test].text.splitlines(), outcome.text.splitlines(),
                                         "directly", way, n=1, lineterm="")
            yield test, "\n".join(["says something else", *lines])


def table(outcomes, seconds):
    """Lines of text: for each way how many tests ended how, and how long they took."""
    words = [word for word in (PASSED, FAILED, SKIPPED, NOT_RUN)
             if any(outcome.word == word for results in outcomes.values()
                    for outcome in results.values())]
    rows = [["", *words, "differs", "seconds"]]
    for way, results in outcomes.items():
        count = collections.Counter(outcome.word for outcome in results.values())
        differs = len(list(differences(outcomes["direct"], results, way)))
        rows.append([way, *(str(count[word]) for word in words), str(differs),
                     f"{seconds[way]:.0f}"])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join([row[0].ljust(widths[0]),
                       *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
            for row in rows]
