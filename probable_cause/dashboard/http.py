"""A request and a response as plain values, so that AWS and the local server share every line of the API."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

JSON = "application/json; charset=utf-8"
# Of every answer, local or in AWS (there CloudFront's response headers policy sets them). Scripts and styles come from
# our own files only, text never becomes markup (Trusted Types without any policy), and nobody frames the page.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_WORTH_COMPRESSING = 1024  # bytes; below that gzip gains nothing


@dataclass(frozen=True)
class Request:
    """`path` is as sent (percent-encoded); header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True)
class Response:
    """`body` is empty for 304."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """The body as JSON values."""
        return json.loads(self.body)

    def with_headers(self, headers: Mapping[str, str]) -> Response:
        return replace(self, headers={**self.headers, **headers})

    def compressed_for(self, request: Request) -> Response:
        """Gzip'd when the client takes that and it pays."""
        accepts = "gzip" in request.headers.get("accept-encoding", "")
        if not accepts or len(self.body) < _WORTH_COMPRESSING or "Content-Encoding" in self.headers:
            return self
        packed = gzip.compress(self.body, compresslevel=5, mtime=0)
        return replace(self, body=packed).with_headers({"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})


def answer(content: Any, status: int = 200) -> Response:
    """`content` as a JSON response."""
    return Response(status, json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"))


def refusal(status: int, sentence: str, **more: Any) -> Response:
    """An error for people: one sentence, and what the page needs to act on it."""
    return answer({"error": sentence, **more}, status)


def revalidated(request: Request, response: Response) -> Response:
    """Adds an ETag over the content; 304 without a body when the client has that content already."""
    if response.status != 200:
        return response
    tag = f'"{hashlib.sha256(response.body).hexdigest()[:20]}"'
    # Proxies mark a tag as weak when they compress; the content is the same all the same.
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    return (Response(304) if tag in known else response).with_headers(headers)
