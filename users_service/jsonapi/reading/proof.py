"""Proves that the caller of a request is still who it is taken for, by what the request reads.

A host may remember callers, so that it does not read them for each request. Then the first rows
that a request reads carry the condition that the caller is as it is remembered: if there are rows,
it is. Where none come, or nothing is read, the host is asked before the answer is given.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pyramid.httpexceptions import HTTPException
from pyramid.registry import Registry
from pyramid.request import Request
from pyramid.response import Response
from sqlalchemy import ColumnElement

from ..errors import JSONAPIError


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What proves the caller of a request.

    :param condition: returns the condition that holds as long as the caller is as it is remembered.
        Use the same function for all requests, because it is part of the key of cached statements.
    :param values: the values of its bind parameters. Their names begin with `caller`, so that they
        do not clash with others.
    :param confirm: reads the caller, and raises an error that starts the request over if it is not
        as it was.
    """

    condition: Callable[[], ColumnElement[bool]]
    values: Mapping[str, Any]
    confirm: Callable[[], None]


class Prover:
    """Knows whether the caller of a request is proven.

    :param proof_of: the host's function that returns the proof for a request; None if there is
        nothing to prove.
    """

    def __init__(
        self, request: Request, proof_of: Callable[[Request], Proof | None] | None
    ) -> None:
        self._request = request
        self._proof_of = proof_of
        self._proof: Proof | None = None
        self._is_proven = proof_of is None

    @property
    def pending(self) -> Proof | None:
        """The proof, if it is still to be given."""
        if self._is_proven or self._proof_of is None:
            return None
        if self._proof is None:
            self._proof = self._proof_of(self._request)
        return self._proof

    def prove(self) -> None:
        """Note that the caller is proven."""
        self._is_proven = True

    def confirm(self) -> None:
        """Ask the host, if the caller is not proven yet.

        :raises Exception: what the host raises to start the request over.
        """
        if (proof := self.pending) is not None:
            self._is_proven = True
            proof.confirm()


def prove_callers(handler: Callable[[Request], Response], _registry: Registry) -> Any:
    """Make the tween that lets no answer out, but those of a failure, before its caller is proven.

    It is inside of the exception views and of the transaction: what an error says of the caller has
    to be true as well.
    """

    def tween(request: Request) -> Response:
        try:
            response = handler(request)
        except (JSONAPIError, HTTPException) as error:
            status = error.status if isinstance(error, JSONAPIError) else error.status_int
            if status < HTTPStatus.INTERNAL_SERVER_ERROR:
                request.jsonapi_prover.confirm()
            raise
        if response.status_int < HTTPStatus.INTERNAL_SERVER_ERROR:
            request.jsonapi_prover.confirm()
        return response

    return tween
