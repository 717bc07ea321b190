"""House rules that no compiler checks. Prints `file:line: error: …` for each breach, like a compiler.

Usage: tidy.py [ROOT]. Exit status: 0 nothing found, 1 something found.
"""

import pathlib
import re
import subprocess
import sys

LINES_MAX = 450
TOP_LEVEL = {
    "CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md",
    "rules", "config", "gateway", "tests", "bench",
}
SOURCE_SUFFIXES = {
    ".h", ".cpp", ".py", ".js", ".sh", ".cmake", ".c", ".go", ".java", ".php", ".rs",
}
SHELL_ENTRY_POINTS = {"gateway/aws-lc", "gateway/demo", "tests/run", "tests/soak", "bench/run",
                      "tests/drivers/install", ".ci/run"}

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
STANDARD = re.compile(r"[a-z_0-9]+")  # <vector>, but neither <unistd.h> nor <boost/asio.hpp>
# Files, and sockaddr_un for how long a socket's path may be.
POSIX_FILES = re.compile(r"(dirent|fcntl|unistd|sys/(stat|mman|types|un))\.h")

# Byte codecs: bytes in, values out. They stay fit for a fuzzer, so nothing that does I/O comes in.
CODEC = re.compile(
    r"gateway/(ascii|bytes|relay_filter"
    r"|cassandra/(bytes|cell|checksum|compression|conversation|error|event|frame|frame_reader"
    r"|handshake|held_definitions|invented|keyspaces|late_events|login|own_requests"
    r"|prepared_statements|query|request_filter|response|result|ring|ring_reader|rows|segment"
    r"|shown_cluster|statement|system_tables|tokens|topology_answer|topology_columns|topology_plan"
    r"|topology_select|topology_view)"
    r"|mariadb/(attributes|bytes|capabilities|change_user|command_filter|commands"
    r"|common_greeting|greeting|kill|login|own_greeting|packet|plugins|refusal|reply|server_name)"
    r"|proxy_protocol/(header|received_header|wire))\.(h|cpp)")
ONE_FILE_ONLY = {
    "boost/uuid/name_generator_sha1.hpp": "gateway/cassandra/invented.cpp",
    "lz4.h": "gateway/cassandra/compression.cpp",
    "snappy-c.h": "gateway/cassandra/compression.cpp",
    "libdeflate.h": "gateway/cassandra/checksum.cpp",
}
TLS_FILES = re.compile(r"gateway/net/tls_[a-z_]+\.(h|cpp)")

BANNED_EVERYWHERE = [
    (re.compile(r"\b(TODO|FIXME|XXX)\b"), "\"{}\" is banned: do it, or file an issue"),
    (re.compile(r"(?<![\w.$}])/(?:home|root|tmp|work|Users)/\w"),
     "\"{}\" is a path of one machine"),
]
# A detached session could outlive its worker; sessions are owned, counted and awaited.
DETACHED = re.compile(r"\bdetached\b")
MAY_NOT_DETACH = re.compile(
    r"gateway/(\w*session|serve|worker|net/(acceptor|relay)|(mariadb|cassandra)/)\w*\.(h|cpp)")
# g++ 12 lays out coroutines wrongly that wait in the middle of a condition: they end the process.
WAITS_IN_CONDITION = re.compile(r"(&&|\|\||\?)\s*!?co_await|switch \(co_await")

MARKDOWN_LINK = re.compile(r"\]\(([^)#:]+)\)")  # none that leaves the repository
NAMED_TEST = re.compile(r"`(tests/[\w./-]+)`")


def files_of(root):
    """Paths from `root` of what is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=False)
    # Outside a checkout, and in a folder of the build below one, git lists nothing.
    if listed.returncode == 0 and listed.stdout and (root / ".git").exists():
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    return sorted(name for name in set(names) if (root / name).is_file())


def why_not_include(name, quoted, included):
    """Why file `name` may not include `included`, or None."""
    own = quoted and included.split("/")[0]
    if quoted and own not in ("rules", "config", "gateway", "tests", "bench"):
        return "an include names its folder, from the root"
    layer = name.split("/")[0]
    if layer in ("tests", "bench"):
        return None
    if own in ("tests", "bench") or included.startswith("catch2/"):
        return f"{layer}/ must not depend on tests or benchmarks"
    standard = not quoted and STANDARD.fullmatch(included)
    if layer == "rules":
        allowed = standard or own == "rules"
        return None if allowed else "rules/ includes the standard library and rules/ only"
    if layer == "config":
        allowed = (standard or own in ("rules", "config") or POSIX_FILES.fullmatch(included)
                   or included.startswith(("yaml-cpp/", "fmt/")))
        return None if allowed else "config/ includes rules/, yaml-cpp, fmt and files' headers only"
    if included.startswith("yaml-cpp/"):
        return "only config/ sees YAML"
    if included in ONE_FILE_ONLY:
        only = ONE_FILE_ONLY[included]
        return None if name == only else f"only {only} sees it"
    if CODEC.fullmatch(name):
        plain = own == "rules" or included in ("config/configuration.h", "boost/crc.hpp")
        allowed = standard or plain or CODEC.fullmatch(included)
        return None if allowed else "a codec includes the standard library, codecs and values only"
    if included.startswith(("openssl/", "boost/asio/ssl")) and not TLS_FILES.fullmatch(name):
        return "OpenSSL stays in gateway/net/tls_*"
    return None


def check_includes(name, lines):
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        included = match[2]
        reason = why_not_include(name, match[1] == '"', included)
        if reason:
            yield number, f'"{included}" is banned here: {reason}'


def check_own_header_first(root, name, lines):
    """Every header with a .cpp of its own is thereby compiled alone, in the ordinary build."""
    own = name.removesuffix(".cpp") + ".h"
    if not name.endswith(".cpp") or not (root / own).is_file():
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match:
            if match[2] != own:
                yield number, f'"{own}" comes first, so that it is seen to compile alone'
            return


def check_lines(name, lines):
    for number, line in enumerate(lines, 1):
        for pattern, message in BANNED_EVERYWHERE:
            found = pattern.search(line)
            if found:
                yield number, message.format(found[0])
        if MAY_NOT_DETACH.fullmatch(name) and DETACHED.search(line):
            yield number, '"detached" is banned here: sessions are owned and awaited'
        if name.startswith("gateway/") and WAITS_IN_CONDITION.search(line):
            yield number, "g++ 12 may miscompile this: wait first, into a variable"


def check_document(root, name, lines):
    """Documents lead to files that exist; a promise without its test is none."""
    folder = (root / name).parent
    for number, line in enumerate(lines, 1):
        for target in MARKDOWN_LINK.findall(line):
            if not (folder / target).exists():
                yield number, f'"{target}" does not exist'
        for target in NAMED_TEST.findall(line):
            if not (root / target).exists():
                yield number, f'"{target}" does not exist'


def check_source(root, name, lines):
    if len(lines) > LINES_MAX:
        yield LINES_MAX + 1, f"longer than {LINES_MAX} lines: split it by purpose"
    if name.endswith((".h", ".cpp")):
        yield from check_includes(name, lines)
        yield from check_own_header_first(root, name, lines)
    if name.endswith(".h"):
        if not lines or not lines[0].startswith("//"):
            yield 1, "a header opens with what it is for"
        if "#pragma once" not in lines:
            yield 1, '"#pragma once" is missing'


def check(root):
    """Yields (file, line, message) for every breach below `root`."""
    names = files_of(root)
    top_level = {name.split("/")[0] for name in names}
    for entry in sorted(top_level - TOP_LEVEL):
        if not entry.startswith("."):
            yield entry, 1, "nothing else belongs at the top level"
    for name in names:
        # The rules themselves, and the breaches planted to prove them.
        if name.startswith("tests/tidy/"):
            continue
        try:
            lines = (root / name).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # binary: certificates, corpora, recorded packets
        for number, message in check_lines(name, lines):
            yield name, number, message
        path = pathlib.PurePosixPath(name)
        if path.suffix == ".md":
            for number, message in check_document(root, name, lines):
                yield name, number, message
        if path.suffix in SOURCE_SUFFIXES or name in SHELL_ENTRY_POINTS:
            for number, message in check_source(root, name, lines):
                yield name, number, message


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    breaches = list(check(root))
    for name, number, message in breaches:
        print(f"{name}:{number}: error: {message}")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
