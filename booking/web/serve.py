"""The built pages: hashed assets for ever, the shell for every page address, a strict content security policy."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.static_files import create_static_files_router

DIST = Path(__file__).parent / "dist"
_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
_MISSING = """<!doctype html><html lang="sv"><meta charset="utf-8"><title>Boka</title>
<h1>Webbgränssnittet är inte byggt</h1><p>API:et svarar under <code>/api</code>. Bygg sidorna med <code>./run build</code>.</p>
<p lang="en">The web pages are not built. Build them with <code>./run build</code>; the API is up under <code>/api</code>.</p></html>"""


def routes(tiles: str | None) -> list[Router | HTTPRouteHandler]:
    """Return the routes of the built pages; without a build, one page that says how to make it."""
    shell = (DIST / "200.html").read_text() if (DIST / "200.html").exists() else _MISSING
    headers = {"Content-Security-Policy": policy(shell, tiles), "Cache-Control": "no-cache", **SECURITY}

    @get(["/", "/{path:path}"], include_in_schema=False, media_type="text/html", name="pages")
    async def page(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Return a file of the build, or the shell for a page address."""
        path = request.url.path
        if path.startswith("/api/") or path == "/api":
            raise NotFoundException("there is no such address")
        file = DIST / path.lstrip("/")
        if "." in path.rsplit("/", 1)[-1]:
            return _file(file)
        return Response(shell.encode(), headers=headers, media_type="text/html; charset=utf-8")

    found: list[Router | HTTPRouteHandler] = [page]
    if (DIST / "_app").exists():
        found.append(
            create_static_files_router(
                path="/_app",
                directories=[DIST / "_app"],
                cache_control=None,
                include_in_schema=False,
                after_request=_for_ever,
                name="assets",
            )
        )
    return found


SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
}


def policy(shell: str, tiles: str | None) -> str:
    """Return the content security policy: our scripts, plus Kit's start script by its hash."""
    hashes = [
        "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"
        for script in _SCRIPT.findall(shell)
    ]
    images = ["'self'", "data:"] + ([_host(tiles)] if tiles else [])
    rules = {
        "default-src": ["'self'"],
        "script-src": ["'self'", *hashes],
        "style-src": ["'self'"],
        "img-src": images,
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
    }
    return "; ".join(f"{name} {' '.join(values)}" for name, values in rules.items())


def _host(tiles: str) -> str:
    """Return where tiles come from as a policy source; {s} stands for a, b or c."""
    return re.sub(r"/.*", "", tiles.split("//", 1)[-1]).replace("{s}", "*")


def _for_ever(response: Response[Any]) -> Response[Any]:
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}


def _file(file: Path) -> Response[bytes]:
    real = file.resolve()
    if not real.is_relative_to(DIST.resolve()) or not real.is_file() or real.suffix not in _TYPES:
        raise NotFoundException("there is no such file")
    return Response(real.read_bytes(), media_type=_TYPES[real.suffix], headers={"Cache-Control": "no-cache"})
