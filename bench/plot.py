"""Draw what measurements told: `./run bench plot FILE.json … --into docs/benchmarks`.

Each FILE holds the JSON line of one measurement (its name is the measurement's); each becomes an SVG beside it.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

Bars = list[tuple[str, float, float | None]]  # label, value, target
WIDTH, ROW, LEFT, RIGHT = 720, 30, 250, 110


def bars(title: str, unit: str, rows: Bars) -> str:
    """Return an SVG of horizontal bars; a line across a bar is the target."""
    top = max(max(value, target or 0) for _, value, target in rows) or 1
    scale = (WIDTH - LEFT - RIGHT) / top
    height = 60 + ROW * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}"'
        ' font-family="system-ui, sans-serif" font-size="14">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="16" y="28" font-size="16" font-weight="600" fill="#1a1a1a">{escape(title)}</text>',
    ]
    for number, (label, value, target) in enumerate(rows):
        y = 48 + ROW * number
        long = max(value * scale, 1)
        parts += [
            f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end" fill="#1a1a1a">{escape(label)}</text>',
            f'<rect x="{LEFT}" y="{y + 3}" width="{long:.1f}" height="18" rx="2" fill="#1f6f8b"/>',
            f'<text x="{LEFT + max(long, (target or 0) * scale) + 8:.1f}" y="{y + 16}" fill="#1a1a1a">{value:g} {unit}</text>',
        ]
        if target is not None:
            x = LEFT + target * scale
            parts.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 24}" stroke="#b3261e" stroke-width="2"/>'
            )
    return "\n".join([*parts, "</svg>", ""])


def availability(told: dict[str, float]) -> str:
    """Return the search times with their targets."""
    rows: Bars = [
        (f"search, {count:,} resources", told[f"p95_ms_{count}"], target)
        for count, target in ((10, None), (100, None), (1000, 60.0), (5000, 200.0))
    ]
    rows += [
        ("next free of 200 resources", told["next_free_p95_ms"], None),
        ("a month of one resource", told["month_p95_ms"], None),
        ("15 Tuesdays of 200 resources", told["series_200_p95_ms"], None),
        ("free text among 5,000", told["text_5000_p95_ms"], None),
    ]
    return bars("One million bookings: 95 % of answers within (red: target)", "ms", rows)


DRAWN: dict[str, Callable[[dict[str, float]], str]] = {"availability": availability}


def main() -> int:
    """Draw every file whose measurement has a drawing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--into", type=Path, default=Path("docs/benchmarks"))
    said = parser.parse_args()
    said.into.mkdir(parents=True, exist_ok=True)
    for file in said.files:
        draw = DRAWN.get(file.stem)
        if draw is None:
            sys.exit(f"{file}: there is no drawing for it; known are {', '.join(DRAWN)}")
        (said.into / f"{file.stem}.svg").write_text(draw(json.loads(file.read_text())))
        print(said.into / f"{file.stem}.svg", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
