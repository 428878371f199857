"""moto's server, one request at a time: `python -m probable_cause.local.one_at_a_time PORT`.

moto answers in threads without a lock: a reader may see half of an UpdateItem, and two writers may both win. DynamoDB
does neither, and what we build relies on it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def one_at_a_time(application: Application) -> Application:
    """The WSGI application with a lock around each request, its whole answer included."""
    lock = threading.Lock()

    def locked(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with lock:
            return list(application(environ, start_response))

    return locked


def main(port: int) -> None:
    """Serves on 127.0.0.1 until the process is ended."""
    application = one_at_a_time(DomainDispatcherApplication(create_backend_app))
    run_simple("127.0.0.1", port, application, threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main(int(sys.argv[1]))
