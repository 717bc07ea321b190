"""Plants each breach of the house rules in a small tree and looks for its line in the report."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import tidy

GOOD = {
    "README.md": "[Rules](rules/range.h), proven by `tests/rules/range_test.cpp`.\n",
    "rules/range.h": '// Ranges.\n#pragma once\n#include <vector>\n#include "rules/address.h"\n',
    "rules/range.cpp": '#include "rules/range.h"\n\n#include <algorithm>\n',
    "config/load.h": "// Loads.\n#pragma once\n#include <string>\n",
    "config/load.cpp":
        '#include "config/load.h"\n\n#include <fcntl.h>\n#include <yaml-cpp/yaml.h>\n'
        '#include "rules/range.h"\n',
    "gateway/net/tls_context.cpp": "#include <openssl/ssl.h>\n",
    "gateway/mariadb/packet.cpp": '#include <array>\n#include "gateway/mariadb/bytes.h"\n',
    "gateway/cassandra/compression.cpp": '#include <lz4.h>\n#include "gateway/ascii.h"\n',
    "gateway/session.cpp": '#include <boost/asio.hpp>\n#include "config/load.h"\n',
    "tests/rules/range_test.cpp": '#include <catch2/catch.hpp>\n#include "gateway/session.h"\n',
}

# file, its text, and what must be reported of it
BREACHES = [
    ("rules/a.cpp", '#include "config/load.h"\n',
     'rules/a.cpp:1: error: "config/load.h" is banned here: '
     "rules/ includes the standard library and rules/ only"),
    ("rules/a.h", "// A.\n#pragma once\n#include <boost/asio.hpp>\n",
     'rules/a.h:3: error: "boost/asio.hpp" is banned here: '
     "rules/ includes the standard library and rules/ only"),
    ("rules/a.cpp", "#include <unistd.h>\n",
     'rules/a.cpp:1: error: "unistd.h" is banned here: '
     "rules/ includes the standard library and rules/ only"),
    ("config/a.cpp", '\n#include "gateway/session.h"\n',
     'config/a.cpp:2: error: "gateway/session.h" is banned here: '
     "config/ includes rules/, yaml-cpp, fmt and files' headers only"),
    ("config/a.cpp", "#include <openssl/x509.h>\n",
     'config/a.cpp:1: error: "openssl/x509.h" is banned here: '
     "config/ includes rules/, yaml-cpp, fmt and files' headers only"),
    ("gateway/a.cpp", "#include <yaml-cpp/yaml.h>\n",
     'gateway/a.cpp:1: error: "yaml-cpp/yaml.h" is banned here: only config/ sees YAML'),
    ("gateway/net/relay.cpp", "#  include <openssl/ssl.h>\n",
     'gateway/net/relay.cpp:1: error: "openssl/ssl.h" is banned here: '
     "OpenSSL stays in gateway/net/tls_*"),
    ("gateway/cassandra/segment.cpp", "#include <lz4.h>\n",
     'gateway/cassandra/segment.cpp:1: error: "lz4.h" is banned here: '
     "only gateway/cassandra/compression.cpp sees it"),
    ("gateway/cassandra/frame.cpp", "#include <fmt/core.h>\n",
     'gateway/cassandra/frame.cpp:1: error: "fmt/core.h" is banned here: '
     "a codec includes the standard library, codecs and values only"),
    ("gateway/mariadb/login.cpp", "#include <sys/socket.h>\n",
     'gateway/mariadb/login.cpp:1: error: "sys/socket.h" is banned here: '
     "a codec includes the standard library, codecs and values only"),
    ("gateway/mariadb/login.cpp", '#include "gateway/net/asio.h"\n',
     'gateway/mariadb/login.cpp:1: error: "gateway/net/asio.h" is banned here: '
     "a codec includes the standard library, codecs and values only"),
    ("gateway/a.cpp", '#include "tests/support/clock.h"\n',
     'gateway/a.cpp:1: error: "tests/support/clock.h" is banned here: '
     "gateway/ must not depend on tests or benchmarks"),
    ("gateway/a.cpp", '#include "session.h"\n',
     'gateway/a.cpp:1: error: "session.h" is banned here: '
     "an include names its folder, from the root"),
    ("rules/range.cpp", '#include <algorithm>\n#include "rules/range.h"\n',
     'rules/range.cpp:1: error: "rules/range.h" comes first, so that it is seen to compile alone'),
    ("gateway/session_end.cpp", "\nco_spawn(context, run(), net::detached);\n",
     'gateway/session_end.cpp:2: error: "detached" is banned here: sessions are owned and awaited'),
    ("gateway/mariadb/dial.cpp", "if (ready && !co_await run()) return;\n",
     "gateway/mariadb/dial.cpp:1: error: g++ 12 may miscompile this: wait first, into a variable"),
    ("bench/a.cpp", "// FIXME\n",
     'bench/a.cpp:1: error: "FIXME" is banned: do it, or file an issue'),
    ("README.md", "See /home/someone/notes.\n",
     'README.md:1: error: "/home/s" is a path of one machine'),
    ("gateway/A.md", "One.\n[Two](../rules/lost.h)\n",
     'gateway/A.md:2: error: "../rules/lost.h" does not exist'),
    ("gateway/A.md", "Held by `tests/lost_test.cpp`.\n",
     'gateway/A.md:1: error: "tests/lost_test.cpp" does not exist'),
    ("rules/a.h", "#pragma once\n",
     "rules/a.h:1: error: a header opens with what it is for"),
    ("rules/a.h", "// A.\n",
     'rules/a.h:1: error: "#pragma once" is missing'),
    ("tests/a.py", "pass\n" * (tidy.LINES_MAX + 1),
     f"tests/a.py:{tidy.LINES_MAX + 1}: error: "
     f"longer than {tidy.LINES_MAX} lines: split it by purpose"),
    ("docs/a.md", "\n",
     "docs:1: error: nothing else belongs at the top level"),
]


def report(files):
    """What tidy.py prints of a tree of `files`, line by line, and its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        ran = subprocess.run(
            [sys.executable, tidy.__file__, folder], capture_output=True, text=True, check=False)
        return ran.stdout.splitlines(), ran.returncode


class Tidy(unittest.TestCase):
    def test_a_good_tree_has_nothing_to_report(self):
        self.assertEqual(report(GOOD), ([], 0))

    def test_every_planted_breach_is_reported_and_nothing_else(self):
        for name, text, expected in BREACHES:
            with self.subTest(expected=expected):
                self.assertEqual(report(GOOD | {name: text}), ([expected], 1))


if __name__ == "__main__":
    unittest.main()
