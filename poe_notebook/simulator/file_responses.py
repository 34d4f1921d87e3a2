"""Files over HTTP: what ``GET /files/<id>/<name>`` answers.

No key is asked for: Poe's addresses of files work without one, and these are signed and expire. What could run in a
browser is given as a download only, since it came from a bot or from a user.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from poe_notebook.simulator.files import FILES_PATH, FileError, FileStore

__all__ = ["file_route"]

_SHOWN = ("image/", "audio/", "video/", "text/plain", "application/pdf")
_RUNS = frozenset({"image/svg+xml"})
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
}


def file_route(store: FileStore) -> Route:
    """Make the route under which a store's files are downloaded, parts of them too (``Range``)."""

    async def endpoint(request: Request) -> Response:
        try:
            return _response(store, f"{FILES_PATH}/{request.path_params['file_id']}?{request.url.query}")
        except FileError as error:
            return PlainTextResponse(str(error), status_code=error.status, headers=_HEADERS)

    return Route(FILES_PATH + "/{file_id}/{name:path}", endpoint, methods=["GET", "HEAD"])


def _response(store: FileStore, url: str) -> Response:
    file = store.open(url)
    is_shown = file.content_type.startswith(_SHOWN) and file.content_type not in _RUNS
    return FileResponse(
        store.path(file.file_id),
        filename=file.name,
        content_disposition_type="inline" if is_shown else "attachment",
        headers={**_HEADERS, "Content-Type": file.content_type},  # as a header, or a charset that may be false is added
    )
