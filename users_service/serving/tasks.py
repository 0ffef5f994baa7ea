"""What a thread does with one request: let the application answer it, or refuse it."""

import secrets
from typing import Any

import orjson
from waitress.task import ErrorTask, Task, WSGITask

from users_service.headers import guarding, readable_by
from users_service.health import STOPPING
from users_service.jsonapi import MEDIA_TYPE, Error, JSONAPIError, errors_document
from users_service.serving.forwarding import settle

# What waitress refuses by itself, by status.
REFUSALS = {
    400: Error(code="bad_request", detail="The request is no well-formed HTTP."),
    413: Error(code="body_too_large", detail="The body is larger than the server takes."),
    431: Error(code="headers_too_large", detail="The header fields are larger than allowed."),
    500: Error(code="internal_error", detail="The service failed."),
    501: Error(code="not_implemented", detail="Only the transfer coding chunked is supported."),
}


def refuse(task: Task, status: str, error: Error) -> None:
    """Answer a request with an errors document, and close its connection."""
    request_id = secrets.token_hex(16)
    body = orjson.dumps(errors_document((error,), request_id))
    origins = task.channel.server.cors_origins
    path = getattr(task.request, "path", "").removeprefix(task.channel.adj.url_prefix)
    task.complete = True
    task.status = status
    task.response_headers += [
        ("Content-Type", MEDIA_TYPE),
        ("Cache-Control", "no-store"),
        ("Vary", "Accept, Origin" if origins else "Accept"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Request-ID", request_id),
        *guarding(path).items(),
        *readable_by(origins, task.request.headers.get("ORIGIN", "")).items(),
    ]
    task.request.headers["CONNECTION"] = "close"  # or else waitress may say Keep-Alive as well
    task.channel.drain_before_close = True
    task.set_close_on_finish()
    task.content_length = len(body)
    task.write(b"" if getattr(task.request, "command", "") == "HEAD" else body)


class RequestTask(WSGITask):  # type: ignore[misc]  # waitress is untyped
    """Lets the application answer a request."""

    wrote_header: bool

    def execute(self) -> None:
        channel = self.channel
        if channel.server.stop.asked and len(channel.requests) == 1:
            # The client is told to use another connection for its next request.
            self.request.headers["CONNECTION"] = "close"
        try:
            settle(self.get_environment(), channel.adj)
        except JSONAPIError as error:
            refuse(self, "400 Bad Request", error.errors[0])
            return
        try:
            super().execute()
        except Exception:
            raise
        except BaseException as error:
            # waitress would neither answer nor close the connection.
            raise RuntimeError("The application ended its thread.") from error

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[STOPPING] = self.channel.server.stop.asked
        return environ

    def write(self, data: bytes) -> None:
        """Send the head and the body of an answer in one piece, where the body is one piece.

        waitress sends them one after the other, and a client wakes up for each.
        """
        length = self.content_length
        fits = length is not None and 0 < len(data) <= length
        if self.wrote_header or not fits or not self.has_body:
            super().write(data)
            return
        head = self.build_response_header()
        self.wrote_header = True
        self.content_bytes_written += len(data)
        self.channel.write_soon(head + data)


class RefusalTask(ErrorTask):  # type: ignore[misc]
    """Answers what waitress refuses with an errors document, and closes the connection."""

    def execute(self) -> None:
        fault = self.request.error
        error = self.request.refusal or REFUSALS.get(fault.code, REFUSALS[400])
        refuse(self, f"{fault.code} {fault.reason}", error)
