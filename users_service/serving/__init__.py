"""How the service is served: waitress, with refusals as JSON:API documents and a graceful stop."""

from users_service.serving.server import make_server

__all__ = ["make_server"]
