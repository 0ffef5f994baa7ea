"""Rows become documents (§5 Document Structure): resource objects, linkage, links and meta."""

from collections.abc import Sequence
from typing import Any

from pyramid.request import Request

from ..errors import JSONAPI_OBJECT
from ..reading import Included, Page, Query
from ..resource import Relationship, Resource
from . import links
from .serializers import serializer

Json = dict[str, Any]


class DocumentBuilder:
    """Makes the documents of one request.

    :param query: what the request asks for.
    :param included: the related resources that were loaded for it.
    """

    def __init__(self, request: Request, query: Query, included: Included | None = None) -> None:
        self.request = request
        self.query = query
        self.included = included or Included()
        self._collections: dict[str, str] = {}

    def one(self, resource: Resource, row: Any, url: str | None = None) -> Json:
        """The document of one resource, or of none (§6.1).

        :param url: the document's own URL, where it is not that of the resource.
        """
        data = None if row is None else self.resource_object(resource, row)
        if url is None:
            url = links.below(self._collection(resource), resource.id_of(row))
        rows = [] if row is None else [row]
        return self._document(data, {"self": self._with_query(url)}, resource, rows)

    def page(self, resource: Resource, page: Page, url: str) -> Json:
        """The document of a page of resources."""
        data = self._resource_objects(resource, page.rows)
        found = self._document(data, self._page_links(page, url), resource, page.rows)
        return self._paged(found, page)

    def linkage(
        self, relationship: Relationship, ids: Any, own: dict[str, str], page: Page | None
    ) -> Json:
        """The document of a relationship: identifiers, or one, or null (§6.1.2).

        :param own: the links of the relationship.
        """
        data = self._identifiers(relationship, ids)
        if page is None:
            return self._document(data, own | {"self": self._with_query(own["self"])})
        found = self._document(data, own | self._page_links(page, own["self"]))
        return self._paged(found, page)

    def resource_object(self, resource: Resource, row: Any) -> Json:
        """Make a row, or an entity with the same attributes, into a resource object (§5.2)."""
        (found,) = self._resource_objects(resource, [row])
        return found

    def _resource_objects(self, resource: Resource, rows: Sequence[Any]) -> list[Json]:
        make = serializer(resource, self.query.fields.get(resource.type)).resource_objects
        return make(rows, self._collection(resource), self._linkage(resource))

    def _linkage(self, resource: Resource) -> dict[str, dict[Any, Any]]:
        """The linkage that was loaded of the relationships of a resource."""
        return {
            name: {id: self._identifiers(relationship, ids) for id, ids in noted.items()}
            for name, relationship in resource.relationships.items()
            if (noted := self.included.linkage.get(relationship)) is not None
        }

    def _identifiers(self, relationship: Relationship, ids: Any) -> Any:
        target = relationship.target
        kind, write = target.type, target.write_id
        if relationship.many:
            return [{"type": kind, "id": write(id)} for id in ids]
        return None if ids is None else {"type": kind, "id": write(ids)}

    def _collection(self, resource: Resource) -> str:
        """The URL of the resources of a type, made once for a document."""
        if resource.type not in self._collections:
            self._collections[resource.type] = links.collection_url(self.request, resource)
        return self._collections[resource.type]

    def _with_query(self, url: str) -> str:
        return links.with_query(url, self.query.pairs)

    def _page_links(self, page: Page, url: str) -> Json:
        place = ("page[after]", "page[before]", "page[number]", "page[offset]")
        kept = tuple(pair for pair in self.query.pairs if pair[0] not in place)
        shared = links.with_query(url, kept)
        found: Json = {"self": self._with_query(url)}
        for name, parameters in page.links.items():
            found[name] = None if parameters is None else links.with_more(shared, parameters)
        return found

    def _document(
        self,
        data: Any,
        document_links: Json,
        resource: Resource | None = None,
        rows: Sequence[Any] = (),
    ) -> Json:
        """:param rows: those of the primary data, which are not included once more."""
        found: Json = {"jsonapi": JSONAPI_OBJECT, "links": document_links, "data": data}
        if self.query.include is not None:
            shown = {resource.id_of(row) for row in rows} if resource else set()
            found["included"] = [
                item
                for related, by_id in self.included.rows.items()
                for item in self._resource_objects(
                    related,
                    [
                        row
                        for id, row in by_id.items()
                        if related is not resource or id not in shown
                    ],
                )
            ]
        return found

    @staticmethod
    def _paged(document: Json, page: Page) -> Json:
        meta: Json = {}
        if page.total is not None:
            meta = {"page": {"total": page.total}, "total": page.total}
        if page.truncated:
            meta.setdefault("page", {})["rangeTruncated"] = True
        if meta:
            document["meta"] = meta
        return document
