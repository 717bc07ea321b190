"""A run's results: as tables for people, and as JSON for programs."""

import html
import json
import time

from runner.findings import goals_as_markdown

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Gatehouse beside its peers</title>
<style>body {{ font: 14px/1.4 monospace; margin: 2em; }} pre {{ overflow-x: auto; }}</style>
<h1>Gatehouse beside its peers</h1>
<p>Curves, and what stages take:</p>
<ul>
{links}
</ul>
<pre>{text}</pre>
</html>
"""


class Results:
    """Grows section by section, so that a run that fails half-way leaves what it found."""

    def __init__(self, machine, command):
        self._machine = machine
        self._command = command
        self._began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
        self._sections = []
        self.seconds = 0.0

    def add(self, section, findings):
        self._sections.append((section, findings))

    def write(self, folder):
        (folder / "results.md").write_text(self.as_markdown(), encoding="utf-8")
        (folder / "results.json").write_text(json.dumps(self._as_json(), indent=1) + "\n",
                                             encoding="utf-8")

        (folder / "results.html").write_text(self._as_page(), encoding="utf-8")

    def _as_page(self):
        links = [f'<li><a href="{html.escape(report.page)}">{html.escape(report.title)}</a></li>'
                 for _, findings in self._sections for report in findings.reports]
        return PAGE.format(links="\n".join(links), text=html.escape(self.as_markdown()))

    def as_markdown(self):
        lines = ["# Results", "", f"`{self._command.strip()}`, {self._began}, "
                 f"{self.seconds:.0f} s. Compare figures of one table only.", ""]
        lines += [f"- {name}: {value}" for name, value in self._machine.items()]
        lines += ["", "## Goals", "", goals_as_markdown(self._goals()), ""]
        for section, findings in self._sections:
            lines += [f"## {section.TITLE}", ""]
            lines += [table.as_markdown() for table in findings.tables]
            lines += _doubts(findings)
        return "\n".join(lines)

    def _goals(self):
        return [goal for _, findings in self._sections for goal in findings.goals]

    def _as_json(self):
        return {
            "command": self._command,
            "began": self._began,
            "machine": self._machine,
            "goals": [vars(goal) | {"holds": goal.holds} for goal in self._goals()],
            "sections": [
                {"name": section.NAME, "title": section.TITLE,
                 "tables": [vars(table) for table in findings.tables],
                 "reports": [{"title": report.title} | report.data for report in findings.reports]}
                for section, findings in self._sections],
        }


def _doubts(findings):
    """What the tool says makes its figures doubtful."""
    found = [f"- {report.title}: {doubt}" for report in findings.reports
             for doubt in report.data["doubts"]]
    return ["In doubt:", "", *found, ""] if found else []
