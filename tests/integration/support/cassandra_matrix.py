"""What no driver of Cassandra can do in a mode, and the table of what was tried."""

from support.tables import Footnotes, aligned

# In the order of the table.
MODES = ["direct", "single", "port_per_node", "address_per_node"]
VERSIONS = [3, 4, 5]
_NO_PORTS = "reads no ports of nodes, and takes the contact point's for all"
_BY_ADDRESS = "chooses among nodes by their addresses, and takes those that are alike for one"

# What a driver itself cannot do, by its name and the mode.
LIMITS = {
    ("Node.js cassandra-driver", "port_per_node"): _NO_PORTS,
    ("Rust scylla", "port_per_node"): _NO_PORTS,
    ("Go gocql 1", "port_per_node"): _BY_ADDRESS,
    ("Go gocql 2", "port_per_node"): _BY_ADDRESS,
}


class Table:
    """What came of each cell, to be read by people."""

    WORKS = "works"
    NOT_SPOKEN = "-"

    def __init__(self):
        self._cells = {}

    def note(self, driver, mode, version, outcome):
        """`outcome`: WORKS, or why not."""
        self._cells.setdefault((driver, mode), {})[version] = outcome

    def text(self):
        reasons = Footnotes()
        rows = [["driver", "mode", *(f"protocol {version}" for version in VERSIONS)]]
        for (driver, mode), cells in sorted(self._cells.items(), key=_row_order):
            outcomes = (cells.get(version, self.NOT_SPOKEN) for version in VERSIONS)
            rows.append([driver, mode, *(
                outcome if outcome in (self.WORKS, self.NOT_SPOKEN) else reasons.mark(outcome)
                for outcome in outcomes)])
        lines = [*aligned(rows), "",
                 "Three nodes. A driver that works knows them all, and asks the one that has the",
                 "row; where all are shown as one, it knows this one, and its rows come.",
                 f"{self.NOT_SPOKEN}: a version that the driver has not", *reasons.lines()]
        return "\n".join(lines) + "\n"


def _row_order(row):
    (driver, mode), _ = row
    return driver.lower(), MODES.index(mode)
