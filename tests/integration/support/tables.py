"""Tables for people, as text."""

import os
import pathlib


def keep(text, variable):
    """Prints it, and writes it to the file that this variable of the environment names, if any."""
    print(text)
    if path := os.environ.get(variable):
        pathlib.Path(path).write_text(text)


def aligned(rows):
    """Lines of rows of text, of which the first one is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
             for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return lines


class Footnotes:
    """Texts too long for a cell, each with a number."""

    def __init__(self):
        self._texts = []

    def mark(self, text):
        """What stands in the cell instead of it."""
        if text not in self._texts:
            self._texts.append(text)
        return f"[{self._texts.index(text) + 1}]"

    def lines(self):
        return [f"[{number}] {text}" for number, text in enumerate(self._texts, 1)]
