"""Run the core of the suite with other versions of DuckDB: `make duckdb-matrix`.

Each version has an environment that borrows every other package from `.venv`, so it takes seconds to make.
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from tests.support.paths import REPOSITORY

REQUIREMENTS = REPOSITORY / "tests" / "system" / "duckdb-matrix-requirements.txt"
"""Packages that an environment has of its own, one line per environment."""

CORE = (
    "tests/load/test_sync.py",
    "tests/load/test_reconcile.py",
    "tests/load/test_crash.py",
    "tests/analytics",
    "tests/readers/test_publish.py",
    "tests/readers/test_publish_failures.py",
)
"""Sync, models, search, report, export, published copies."""

_ENVIRONMENTS = REPOSITORY / ".duckdb-matrix"
_SUMMARY = re.compile(r"(?m)^.*\b(?:passed|failed|error).* in .*$")


def main(arguments: list[str]) -> int:
    """Run the tests with each version, or with those that the arguments name; return the exit code."""
    failed = 0
    for line in REQUIREMENTS.read_text("utf-8").splitlines():
        packages = line.partition("#")[0].split()
        if not packages or (arguments and not set(packages) & {f"duckdb=={version}" for version in arguments}):
            continue
        python = build_environment(packages)
        log = _ENVIRONMENTS / f"{packages[0]}.log"
        with log.open("w") as output:
            command = [str(python), "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", "-k", "not postgres", *CORE]
            code = subprocess.run(
                command, cwd=REPOSITORY, stdout=output, stderr=subprocess.STDOUT, check=False
            ).returncode
        summary = _SUMMARY.findall(log.read_text("utf-8"))
        print(f"{line}: {summary[-1].strip('= ') if summary else f'exit code {code}'}; {log.relative_to(REPOSITORY)}")
        failed += code != 0
    return int(bool(failed))


def build_environment(packages: list[str]) -> Path:
    """Return the Python of an environment that has these packages, and all others from the environment of this one."""
    folder = _ENVIRONMENTS / packages[0]
    python, script = folder / "bin" / "python", folder / "bin" / "gong-elt"
    # Written last: an environment without it is incomplete.
    if not script.exists():
        venv.create(folder, clear=True, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*install, *packages], check=True)
        purelib = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
        # Packages of the environment itself are found first.
        (purelib / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n{REPOSITORY}\n", encoding="utf-8")
        script.write_text(f"#!{python}\nfrom gong_elt import main\n\nmain()\n", encoding="utf-8")
        script.chmod(0o755)
    return python


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
