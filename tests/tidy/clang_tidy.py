"""Runs clang-tidy-19 by the compile commands of a build, side by side.

Usage: clang_tidy.py BUILD_FOLDER

The units that decide and that parse, rules/ and the codecs, are always checked. All together take
a quarter of an hour: of the others, only those that differ from the upstream branch, or from the last
commit where there is none. With GATEHOUSE_TIDY=all in the environment, every unit.
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys

import tidy

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = "clang-tidy-19"
SKIPPED = 77


def git(*arguments):
    """The lines git prints, or None where it fails."""
    ran = subprocess.run(["git", "-C", str(ROOT), *arguments],
                         capture_output=True, text=True, check=False)
    return ran.stdout.splitlines() if ran.returncode == 0 else None


def changed_files():
    """Files of the work at hand: since the upstream branch, or in the last commit, and uncommitted."""
    upstream = git("merge-base", "HEAD", "@{upstream}")
    head = git("rev-parse", "HEAD")
    base = upstream[0] if upstream and upstream != head else "HEAD~1"
    changed = git("diff", "--name-only", base)
    if changed is None:
        # The first commit has nothing before it.
        changed = git("ls-files") or []
    return set(changed) | set(git("ls-files", "--others", "--exclude-standard") or [])


def is_codec(name):
    return tidy.CODEC.fullmatch(name) is not None


def is_always_checked(name):
    return name.startswith("rules/") or is_codec(name)


def suits_the_analyzer(name):
    """Where clang's analyzer is of use. That of 19 loses track at a suspended coroutine and reports
    Asio's own code; tests it makes twice as slow for nothing."""
    return name.startswith(("rules/", "config/")) or is_codec(name)


def units(build):
    """Repository paths of the units that the build compiles, generated ones aside."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    paths = {pathlib.Path(command["directory"], command["file"]).resolve() for command in commands}
    return sorted(
        path.relative_to(ROOT).as_posix()
        for path in paths
        if path.is_relative_to(ROOT) and not path.is_relative_to(build))


def check(build, name):
    # The commands are g++'s: clang does not know all of its warnings, and need not.
    command = [TOOL, "-p", str(build), "--quiet", "--extra-arg=-Wno-unknown-warning-option"]
    if not suits_the_analyzer(name):
        command.append("--checks=-clang-analyzer-*")
    ran = subprocess.run(
        [*command, name], cwd=ROOT, capture_output=True, text=True, check=False)
    return name, ran.returncode, ran.stdout + (ran.stderr if ran.returncode else "")


def proves_itself(build):
    """Whether a planted breach is found with the repository's .clang-tidy."""
    planted = build / "planted.cpp"
    planted.write_text("int BadName() { int x; return x; }\n", encoding="utf-8")
    ran = subprocess.run(
        [TOOL, f"--config-file={ROOT / '.clang-tidy'}", "--quiet", str(planted), "--", "-std=c++20"],
        capture_output=True, text=True, check=False)
    planted.unlink()
    return ran.returncode != 0 and "readability-identifier-naming" in ran.stdout


def main():
    if shutil.which(TOOL) is None:
        print(f"SKIPPED clang-tidy: {TOOL} is not installed")
        return SKIPPED
    build = pathlib.Path(sys.argv[1]).resolve()
    if not proves_itself(build):
        print(f"error: {TOOL} passes a planted breach; is .clang-tidy there?")
        return 1

    chosen = units(build)
    if os.environ.get("GATEHOUSE_TIDY") != "all":
        changed = changed_files()
        chosen = [name for name in chosen if is_always_checked(name) or name in changed]
    print(f"{len(chosen)} units", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, status, output in pool.map(lambda name: check(build, name), chosen):
            if status != 0:
                failed += 1
                print(output.replace(f"{ROOT}/", ""), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
