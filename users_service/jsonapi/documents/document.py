"""Builds documents from rows (§5 Document Structure)."""

from collections.abc import Sequence
from typing import Any

from pyramid.request import Request

from ..errors import JSONAPI_OBJECT
from ..reading import Included, Page, Query
from ..resource import Relationship, Resource
from ..rules import Hidden
from . import links
from .serializers import serializer

Json = dict[str, Any]


class DocumentBuilder:
    """Builds the document of one response.

    :param query: the query of the request.
    :param included: the included resources and their linkage.
    """

    def __init__(self, request: Request, query: Query, included: Included | None = None) -> None:
        self.request = request
        self.query = query
        self.included = included or Included()
        self._collections: dict[str, str] = {}

    def one(self, resource: Resource, row: Any, url: str | None = None) -> Json:
        """Return the document with one resource, or with null (§6.1).

        :param row: the row or entity of the resource; None for null.
        :param url: the URL of the document; None if it is that of the resource.
        """
        data = None if row is None else self.resource_object(resource, row)
        if url is None:
            url = links.resource_url(self._collection(resource), resource.id_of(row))
        rows = [] if row is None else [row]
        return self._document(data, {"self": self._with_query(url)}, resource, rows)

    def page(self, resource: Resource, page: Page, url: str) -> Json:
        """Return the document with a page of resources.

        :param url: the URL of the collection.
        """
        data = self._resource_objects(resource, page.rows)
        document = self._document(data, self._page_links(page, url), resource, page.rows)
        return self._add_page_meta(document, page)

    def linkage(
        self, relationship: Relationship, ids: Any, urls: dict[str, str], page: Page | None
    ) -> Json:
        """Return the document with resource linkage (§6.1.2).

        :param ids: the ids in it: a list, or for a to-one relationship an id or None.
        :param urls: the links `self` and `related` of the relationship.
        :param page: the page with these ids, for a to-many relationship.
        """
        data = self._identifiers(relationship, ids)
        if page is None:
            return self._document(data, urls | {"self": self._with_query(urls["self"])})
        document = self._document(data, urls | self._page_links(page, urls["self"]))
        return self._add_page_meta(document, page)

    def resource_object(self, resource: Resource, row: Any) -> Json:
        """Return the resource object of a row or an entity (§5.2)."""
        (item,) = self._resource_objects(resource, [row])
        return item

    def _resource_objects(self, resource: Resource, rows: Sequence[Any]) -> list[Json]:
        make = serializer(resource, self.query.fields.get(resource.type)).resource_objects
        objects = make(rows, self._collection(resource), self._linkage(resource))
        hidden = self.request.jsonapi_readable.hidden(resource)
        if hidden.names:
            _hide(objects, [resource.id_of(row) for row in rows], hidden)
        return objects

    def _linkage(self, resource: Resource) -> dict[str, dict[Any, Any]]:
        """The linkage that was loaded for the relationships of a resource, by name and id."""
        return {
            name: {id: self._identifiers(relationship, ids) for id, ids in loaded.items()}
            for name, relationship in resource.relationships.items()
            if (loaded := self.included.linkage.get(relationship)) is not None
        }

    def _identifiers(self, relationship: Relationship, ids: Any) -> Any:
        target = relationship.target
        kind, write = target.type, target.write_id
        if relationship.many:
            return [{"type": kind, "id": write(id)} for id in ids]
        return None if ids is None else {"type": kind, "id": write(ids)}

    def _collection(self, resource: Resource) -> str:
        """The URL of a collection, made once for a document."""
        if resource.type not in self._collections:
            self._collections[resource.type] = links.collection_url(self.request, resource)
        return self._collections[resource.type]

    def _with_query(self, url: str) -> str:
        return links.with_query(url, self.query.pairs)

    def _page_links(self, page: Page, url: str) -> Json:
        position = ("page[after]", "page[before]", "page[number]", "page[offset]")
        others = tuple(pair for pair in self.query.pairs if pair[0] not in position)
        base = links.with_query(url, others)
        urls: Json = {"self": self._with_query(url)}
        for name, parameters in page.links.items():
            urls[name] = None if parameters is None else links.with_parameters(base, parameters)
        return urls

    def _document(
        self,
        data: Any,
        document_links: Json,
        resource: Resource | None = None,
        rows: Sequence[Any] = (),
    ) -> Json:
        """Return a document.

        :param resource: the type of the primary data, if that has resource objects.
        :param rows: the rows of the primary data, which `included` does not repeat.
        """
        document: Json = {"jsonapi": JSONAPI_OBJECT, "links": document_links, "data": data}
        if self.query.include is not None:
            shown = {resource.id_of(row) for row in rows} if resource else set()
            document["included"] = [
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
        return document

    @staticmethod
    def _add_page_meta(document: Json, page: Page) -> Json:
        meta: Json = {}
        if page.total is not None:
            meta = {"page": {"total": page.total}, "total": page.total}
        if page.truncated:
            meta.setdefault("page", {})["rangeTruncated"] = True
        if meta:
            document["meta"] = meta
        return document


def _hide(objects: Sequence[Json], ids: Sequence[Any], hidden: Hidden) -> None:
    """Take attributes out of resource objects, but out of the caller's own.

    :param ids: their ids, as values of the model.
    """
    for item, id in zip(objects, ids, strict=True):
        if id not in hidden.own and "attributes" in item:
            for name in hidden.names:
                item["attributes"].pop(name, None)
