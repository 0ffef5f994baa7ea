"""The API's description of itself, and the page to read it and to try it on."""

from importlib.metadata import version

from pyramid.config import Configurator

from users_service.jsonapi import Information

INFORMATION = Information(
    title="users_service",
    version=version("users_service"),
    summary="Users, roles and groups over JSON:API 1.1.",
    description=(
        "Every document is one of [JSON:API 1.1](https://jsonapi.org/format/1.1/). `HEAD` goes "
        "where `GET` goes, `OPTIONS` names the methods of a URL, and every URL of a resource is "
        "also served with `.json` appended."
    ),
    license={"name": "MIT", "identifier": "MIT"},
)


def includeme(config: Configurator) -> None:
    config.add_jsonapi_description(INFORMATION)
