"""Wheel hook: a wheel brings the built web UI along, so that installing it needs no Node."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildWebUI(BuildHookInterface):  # type: ignore[type-arg,misc]
    """Build before packing; an editable install and BOOKING_SKIP_FRONTEND=1 do without."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """The UI lies in booking/web/dist."""
        root = Path(self.root)
        shipped = (root / "booking/web/dist/200.html").exists() and not (root / "frontend").exists()
        if version == "editable" or shipped or os.environ.get("BOOKING_SKIP_FRONTEND") == "1":
            return
        _builder(root).build(root, self.app.display_info)


def _builder(root: Path) -> ModuleType:
    """Load build.py by its path: its package's front door needs Litestar, which is not here."""
    spec = importlib.util.spec_from_file_location("booking_web_build", root / "booking/web/build.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"{root} is no source of booking: booking/web/build.py is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
