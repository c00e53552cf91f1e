"""The manifest of a folder of accounts: the files that gong-elt has written there, and from what.

It is written before the files that it names, so that a run that was killed leaves no file that it does not know. Such a
file has no digest and is written again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...runtime.atomic_file import replace_file
from ...runtime.errors import UsageError

MANIFEST_NAME = ".gong-elt-export.json"
# A new number writes all files again.
_VERSION = 1

Digests = Mapping[str, str | None]
"""Digest of what a file was written from, by its path in the folder; None if it may be incomplete."""


@dataclass(frozen=True, slots=True)
class FolderManifest:
    """The manifest of a folder.

    Attributes:
        folder: The folder.
        source: The marts from which the folder is written, such as `duckdb gong_analytics`.
    """

    folder: Path
    source: str

    @property
    def _file(self) -> Path:
        return self.folder / MANIFEST_NAME

    def read(self) -> Digests:
        """Return the files; empty for a new folder.

        Raises:
            UsageError: If the folder has the accounts of other marts, or the manifest is damaged.
        """
        try:
            content = json.loads(self._file.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            raise self._damaged() from None
        match content:
            case {"source": str(source), "version": int(version), "files": dict(files)}:
                pass
            case _:
                raise self._damaged()
        if source != self.source:
            raise UsageError(
                f"--to {str(self.folder)!r} has the accounts of {source}, not of {self.source}: use another folder"
            )
        if not all(_is_inside(path) and isinstance(digest, str | None) for path, digest in files.items()):
            raise self._damaged()
        return files if version == _VERSION else dict.fromkeys(files)

    def write(self, files: Digests) -> None:
        """Replace the manifest.

        Raises:
            OSError: If it cannot be written.
        """
        content = {"source": self.source, "version": _VERSION, "files": files}
        with replace_file(self._file) as temporary:
            temporary.write_text(json.dumps(content, indent=0), "utf-8")

    def refuse_foreign_files(self, planned: Collection[str], known: Digests) -> None:
        """Refuse to replace files that gong-elt has not written.

        Args:
            planned: Files to write.
            known: Files that the manifest has.

        Raises:
            UsageError: If such a file exists.
        """
        # A system that ignores upper and lower case finds a file under its earlier name.
        own = {path.casefold() for path in known}
        foreign = [path for path in planned if path.casefold() not in own and (self.folder / path).exists()]
        if foreign:
            others = f", and {len(foreign) - 1:,} others" if len(foreign) > 1 else ""
            raise UsageError(
                f"--to {str(self.folder)!r} has {foreign[0]!r}{others}, which gong-elt has not written: move it, or use"
                " another folder"
            )

    def delete(self, paths: Collection[str]) -> None:
        """Delete files, and the folders that are empty without them.

        Raises:
            OSError: If a file cannot be deleted.
        """
        for path in paths:
            file = self.folder / path
            file.unlink(missing_ok=True)
            for parent in list(file.relative_to(self.folder).parents)[:-1]:
                folder = self.folder / parent
                if folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()

    def _damaged(self) -> UsageError:
        return UsageError(f"{str(self._file)!r} is damaged: export into another folder, or delete this one")


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not PurePosixPath(path).is_absolute() and ".." not in parts
