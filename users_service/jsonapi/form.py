"""What a host's own services take and answer: forms, and what the description says of others.

A form is a document of JSON:API that is no resource, such as
`{"data": {"type": "password-resets", "attributes": {"email": …}}}`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .fields import Fields

Json = dict[str, Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class Form(Fields):
    """A document that is sent to a service of the host. It is read as that of a new resource.

    :param schema: an instance of its marshmallow-jsonapi schema, whose id is `dump_only`.
    :param status: that of the answer.
    :param shows: whether the answer has the form, with the attributes that are `dump_only`.
    :param failures: statuses of errors documents besides those of any document, in the description.
    :param permissions: those that a caller needs, in the description; None if it takes everyone.
    """

    schema: Any
    status: int = 200
    shows: bool = False
    failures: Collection[int] = ()
    permissions: Sequence[str] | None = None

    relationships: ClassVar[Mapping[str, Any]] = {}
    needed: ClassVar[Sequence[Any]] = ()

    @property
    def type(self) -> str:
        return str(self.schema.opts.type_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What the description says of a method of a service of the host, besides its docstring.

    :param body: the bodies that it takes: JSON Schemas by media type.
    :param answers: its answers that are no errors documents: of each status, JSON Schemas by media
        type; none for an answer without content.
    :param headers: header fields of these answers, by status.
    :param failures: the statuses of errors documents.
    :param permissions: those that a caller needs; None if it takes everyone.
    """

    answers: Mapping[int, Mapping[str, Json]]
    failures: frozenset[int]
    body: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[int, Sequence[str]] = field(default_factory=dict)
    permissions: Sequence[str] | None = None
