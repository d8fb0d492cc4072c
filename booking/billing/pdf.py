"""The renderer, a program of its own: JSON of an invoice in, PDF/UA-1 out. Imports nothing of the product."""

import sys
from pathlib import Path

import typst

TEMPLATE = Path(__file__).with_name("invoice.typ")


def render(facts: str) -> bytes:
    """Return the PDF; the same facts give the same bytes."""
    return typst.compile(
        str(TEMPLATE),
        root=str(TEMPLATE.parent),
        format="pdf",
        sys_inputs={"data": facts},
        pdf_standards=["ua-1"],
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(render(sys.stdin.buffer.read().decode()))
