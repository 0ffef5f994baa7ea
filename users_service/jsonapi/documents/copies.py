"""What is sent plain or compressed by gzip, as clients take it, with an entity tag of each."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from webob.acceptparse import AcceptEncodingValidHeader

# Of equal ones, the first is preferred.
CODINGS = ("gzip", "identity")


@dataclass(frozen=True)
class Copy:
    """Bytes that are sent to many clients.

    :param body: the bytes, plain.
    """

    body: bytes

    @cached_property
    def compressed(self) -> "Copy":
        """The same, compressed when it is first asked for. It has no time in it (RFC 1952 §2.3.1),
        so that every process sends the same bytes under the same entity tag."""
        return Copy(gzip.compress(self.body, mtime=0))

    @cached_property
    def tag(self) -> str:
        return hashlib.blake2b(self.body, digest_size=12).hexdigest()

    def response(self, request: Request, **options: Any) -> Response:
        """Return the response with the plain bytes, or with the compressed ones to whoever takes
        gzip at least as gladly (RFC 9110 §12.5.3).

        :param options: `content_type` and `charset` of the response.
        """
        response = Response(vary=["Accept-Encoding"], **options)
        sent = self
        if takes_gzip(request):
            sent = self.compressed
            response.content_encoding = "gzip"
        response.body = sent.body
        response.etag = sent.tag
        return response


def takes_gzip(request: Request) -> bool:
    """Whether a client takes gzip at least as gladly as no coding.

    Without the header, or with one that cannot be read, it is not known to.
    """
    accepted = request.accept_encoding
    if not isinstance(accepted, AcceptEncodingValidHeader):
        return False
    return [coding for coding, _ in accepted.acceptable_offers(CODINGS)][:1] == ["gzip"]
