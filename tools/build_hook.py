"""Writes the commit that a wheel is built from into it, for `registry --version`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RevisionHook(BuildHookInterface[Any]):
    """Adds `registry/_resources/revision` where the tree is a checkout, and not to an editable one.

    The same commit gives the same bytes.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file to what the wheel has."""
        if version == "editable" or not (Path(self.root) / ".git").exists():
            return
        asks = ["git", "-C", self.root, "rev-parse", "HEAD"]
        revision = subprocess.run(asks, capture_output=True, text=True, check=True).stdout
        file = Path(mkdtemp()) / "revision"
        file.write_text(revision, encoding="ascii")
        build_data["force_include"][str(file)] = "registry/_resources/revision"
