"""What an OpenSearch domain needs besides itself, put into it: `python -m tools.deploy search-contents`.

Index template, retention policy, the indexer's role, and the searches and dashboard of `infra/search`. Each may be put
again and replaces what was there.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

FOLDER = Path(__file__).resolve().parents[1] / "infra" / "search"
INDEXER = "probable-cause-indexer"  # name of its role in the domain
_RETENTION = "/_plugins/_ism/policies/logs"
_BOUNDARY = "probable-cause-saved-objects"
_SECONDS = 60


class SearchError(Exception):
    """What the domain refused, with its status, and what to do."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Domain:
    """A domain, or a node of one's own.

    Args:
        url: `https://...` is asked with AWS' signature, `http://...` without.
        credentials: botocore's; of the master user.
    """

    url: str
    region: str
    credentials: Any = None

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Answer of one call; `body` is sent as JSON, or as it is if it is bytes.

        Raises:
            SearchError: it was refused.
            urllib.error.URLError: the domain is not reached.
        """
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = AWSRequest(
            method, self.url.rstrip("/") + path, {"Content-Type": "application/json", **(headers or {})}, data
        )
        if urlsplit(self.url).scheme == "https":
            SigV4Auth(self.credentials, "es", self.region).add_auth(request)
        sent = urllib.request.Request(request.url, data or None, dict(request.headers.items()), method=method)
        try:
            with urllib.request.urlopen(sent, timeout=_SECONDS) as answer:
                return dict(json.loads(answer.read() or b"{}"))
        except urllib.error.HTTPError as exc:
            with exc:
                told = exc.read(2000).decode("utf-8", "replace")
            raise SearchError(
                f"{method} {path}: the domain answered {exc.code}: {told}; it takes this from its master user only "
                "(SearchMasterUserArn)",
                exc.code,
            ) from exc


def put_template(domain: Domain) -> None:
    """Types of the documents' fields."""
    domain.ask("PUT", "/_index_template/logs", _read("index-template.json"))


def put_retention(domain: Domain) -> None:
    """For how long documents are kept. A policy that is there is replaced as the version that was seen."""
    try:
        seen = domain.ask("GET", _RETENTION)
    except SearchError as exc:
        if exc.status != 404:
            raise
        version = ""
    else:
        version = f"?if_seq_no={seen['_seq_no']}&if_primary_term={seen['_primary_term']}"
    domain.ask("PUT", _RETENTION + version, _read("retention.json"))


def put_role(domain: Domain, indexer_role: str) -> None:
    """Lets the indexer's IAM role write documents, and nothing else."""
    role = {
        "cluster_permissions": ["indices:data/write/bulk"],
        "index_permissions": [{"index_patterns": ["logs-*"], "allowed_actions": ["create_index", "index"]}],
    }
    domain.ask("PUT", f"/_plugins/_security/api/roles/{INDEXER}", role)
    domain.ask("PUT", f"/_plugins/_security/api/rolesmapping/{INDEXER}", {"backend_roles": [indexer_role]})


def put_saved_objects(domain: Domain) -> None:
    """Searches and the dashboard."""
    file = (FOLDER / "saved-objects.ndjson").read_bytes()
    head = 'Content-Disposition: form-data; name="file"; filename="saved-objects.ndjson"'
    body = f"--{_BOUNDARY}\r\n{head}\r\n\r\n".encode() + file + f"\r\n--{_BOUNDARY}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}", "osd-xsrf": "true"}
    told = domain.ask("POST", "/_dashboards/api/saved_objects/_import?overwrite=true", body, headers)
    if not told.get("success"):
        raise SearchError(f"saved-objects.ndjson: Dashboards took {told.get('successCount', 0)}: {told.get('errors')}")


def put_all(domain: Domain, indexer_role: str, say: Callable[[str], None]) -> None:
    """All of it, in the order in which it is needed. Raises SearchError."""
    for name, put in (
        ("index template", put_template),
        ("retention", put_retention),
        ("the indexer's role", lambda one: put_role(one, indexer_role)),
        ("searches and dashboard", put_saved_objects),
    ):
        put(domain)
        say(f"{name}: put")


def _read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text("utf-8"))
