"""Run the steps of the Dockerfile in empty root folders, where no container builder is available.

The base image is replaced by the programs of this machine, mounted read-only, and by an interpreter of the same
version of Python. Needs root, for `unshare` and `chroot`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.paths import REPOSITORY

DOCKERFILE = REPOSITORY / "Dockerfile"
_MOUNTED = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/dev", "/proc", "/opt/pypi", "/opt/pypi-more", "/opt/wheels")
_COPIED = ("passwd", "group", "shadow", "login.defs", "nsswitch.conf", "resolv.conf", "hosts", "ssl", "xdg")
"""What programs of the machine need of /etc."""


def read_instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile and their arguments."""
    lines = [line for line in DOCKERFILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in text.splitlines() if line.strip()]


def list_context() -> Iterator[str]:
    """Yield the names at the top of the repository that .dockerignore lets into the image."""
    for line in (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines():
        if line.startswith("!"):
            yield line.removeprefix("!")


@dataclass
class Stage:
    """One stage of the build, or the finished image.

    Attributes:
        root: Its root folder.
        python: The interpreter that the base image would have.
        environment: Variables of ENV.
        user: Argument of USER; empty for root.
        folder: Argument of WORKDIR.
    """

    root: Path
    python: Path
    environment: dict[str, str] = field(default_factory=dict)
    user: str = ""
    folder: str = "/"
    health_check: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Create the root folder with what a base image has."""
        for name in ("etc", "tmp", "opt", "root", "usr/local/bin"):
            (self.root / name).mkdir(parents=True)
        for name in _COPIED:
            source = Path("/etc", name)
            if source.is_dir():
                shutil.copytree(source, self.root / "etc" / name, symlinks=False, ignore_dangling_symlinks=True)
            elif source.exists():
                shutil.copy(source, self.root / "etc" / name)
        for name in (*(name for name in _MOUNTED if Path(name).exists()), str(self._prefix)):
            (self.root / name.lstrip("/")).mkdir(parents=True, exist_ok=True)
        self.environment["PATH"] = f"{self._prefix}/bin:/usr/bin:/bin:/usr/sbin:/sbin"

    def run(self, command: list[str], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command in the root folder as the stage's user."""
        mounts = [name for name in (*_MOUNTED, str(self._prefix)) if Path(name).exists()]
        script = "".join(f"mount --rbind {name} {shlex.quote(str(self.root))}{name} && " for name in mounts)
        user, _, group = self.user.partition(":")
        identity = [f"--userspec={user}:{group or user}"] if user else []
        variables = [f"{name}={value}" for name, value in {**self.environment, **(environment or {})}.items()]
        inner = f"cd {shlex.quote(self.folder)} && exec {shlex.join(command)}"
        chroot = ["chroot", *identity, str(self.root), "/usr/bin/env", "-i", *variables, "/bin/sh", "-c", inner]
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", script + "exec " + shlex.join(chroot)],
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    @property
    def _prefix(self) -> Path:
        return self.python.resolve().parents[1]


def build_image(folder: Path, python: Path) -> Stage:
    """Run all instructions and return the last stage.

    Raises:
        AssertionError: If a command fails or an instruction is unknown.
    """
    stages: dict[str, Stage] = {}
    stage = Stage(folder / "unused", python)
    pip = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("PIP_", "SSL_")) or "proxy" in name.lower()
    }
    for instruction, argument in read_instructions():
        if instruction == "FROM":
            name = argument.partition(" AS ")[2] or "image"
            stage = stages[name] = Stage(folder / name, python)
        elif instruction == "COPY":
            _copy(argument, stage, stages)
        elif instruction == "RUN":
            process = stage.run(["/bin/sh", "-c", argument], pip)
            assert process.returncode == 0, f"RUN {argument}\n{process.stdout}\n{process.stderr}"
        elif instruction == "ENV":
            for assignment in shlex.split(argument):
                name, _, value = assignment.partition("=")
                stage.environment[name] = value.replace("$PATH", stage.environment["PATH"])
        elif instruction == "ARG":
            name, _, value = argument.partition("=")
            stage.environment[name] = value
        elif instruction == "WORKDIR":
            stage.folder = argument
            (stage.root / argument.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif instruction == "USER":
            stage.user = argument
        elif instruction == "HEALTHCHECK":
            stage.health_check = json.loads(argument.partition("CMD ")[2])
        elif instruction == "ENTRYPOINT":
            stage.entrypoint = json.loads(argument)
        else:
            assert instruction in ("VOLUME", "CMD"), instruction
    return stage


def _copy(argument: str, stage: Stage, stages: dict[str, Stage]) -> None:
    *sources, target = argument.split()
    if sources[0].startswith("--from="):
        origin = stages[sources.pop(0).removeprefix("--from=")].root
        shutil.copytree(origin / sources[0].lstrip("/"), stage.root / target.lstrip("/"), symlinks=True)
        return
    destination = stage.root / stage.folder.lstrip("/")
    for source in sources:
        assert source in list_context(), f"{source} is not in .dockerignore"
        if (REPOSITORY / source).is_dir():
            shutil.copytree(REPOSITORY / source, destination / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(REPOSITORY / source, destination / target)


def can_run() -> bool:
    """Return whether this machine can run the steps."""
    return sys.platform == "linux" and os.geteuid() == 0 and all(map(shutil.which, ("unshare", "chroot", "useradd")))
