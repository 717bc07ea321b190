"""What sections find: tables to read, and figures that are held against their goals."""

import dataclasses
import statistics


def paired(of, to):
    """The median over rounds of the ratio of two targets' figures of the same round; None where
    one of them has none."""
    if not of or not to:
        return None
    ratios = [mine / other for mine, other in zip(of, to, strict=True) if other]
    return statistics.median(ratios) if ratios else None


def ratio(of, to):
    """None where either is not known."""
    return of / to if of is not None and to else None


@dataclasses.dataclass
class Goal:
    """A figure, and what it must not exceed, or must reach."""

    target: str  # the number that the project gives it
    what: str
    figure: float | None
    limit: float
    at_least: bool = False
    unit: str = ""

    @property
    def holds(self):
        """None: it could not be measured."""
        if self.figure is None:
            return None
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def cells(self):
        verdict = {True: "yes", False: "**no**", None: "not measured"}[self.holds]
        bound = f"{'≥' if self.at_least else '≤'} {shown(self.limit)}{self.unit}"
        figure = "–" if self.figure is None else f"{shown(self.figure)}{self.unit}"
        return [self.target, self.what, figure, bound, verdict]


@dataclasses.dataclass
class Table:
    """`rows`: a list of cells each, as many as `columns`."""

    title: str
    columns: list
    rows: list = dataclasses.field(default_factory=list)
    note: str = ""

    def as_markdown(self):
        lines = [f"### {self.title}", ""]
        lines += _markdown(self.columns, self.rows)
        return "\n".join([*lines, *(["", self.note] if self.note else []), ""])


@dataclasses.dataclass
class Text:
    """What another program printed."""

    title: str
    text: str

    def as_markdown(self):
        return f"### {self.title}\n\n{self.text}"


@dataclasses.dataclass
class Findings:
    """Of one section."""

    tables: list = dataclasses.field(default_factory=list)
    goals: list = dataclasses.field(default_factory=list)
    reports: list = dataclasses.field(default_factory=list)

    def __iadd__(self, other):
        self.tables += other.tables
        self.goals += other.goals
        self.reports += other.reports
        return self


def goals_as_markdown(goals):
    columns = ["target", "what", "figure", "goal", "holds"]
    return "\n".join(_markdown(columns, [goal.cells() for goal in goals]))


def shown(value):
    """A number with what digits it is worth."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _markdown(columns, rows):
    cells = [columns, *([shown(cell) for cell in row] for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    lines = []
    for row in cells:
        aligned = [cell.ljust(width) if at == 0 else cell.rjust(width)
                   for at, (cell, width) in enumerate(zip(row, widths))]
        lines.append(f"| {' | '.join(aligned)} |")
    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    return [lines[0], f"| {' | '.join(rule)} |", *lines[1:]]
