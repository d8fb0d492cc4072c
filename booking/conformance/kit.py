"""The generated part of docs/lock-protocol: `python -m booking.conformance.kit docs/lock-protocol`."""

import json
import sys
from pathlib import Path

from booking.conformance import asyncapi, schemas, vectors


def files() -> dict[str, str]:
    """Return every generated file by its path in the kit."""
    made = {"asyncapi.json": asyncapi.document(), "vectors.json": vectors.document()}
    made |= {f"schemas/{name}.schema.json": schemas.schema(name) for name in schemas.BODIES}
    return {path: json.dumps(body, indent=1, ensure_ascii=False) + "\n" for path, body in made.items()}


def main(folder: Path) -> None:
    """The files are written."""
    for path, text in files().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        print(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
