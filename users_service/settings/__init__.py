"""The settings: ini keys and environment variables → one frozen `Settings`, or all their faults."""

from users_service.settings.database_url import SSL, file_of, ssl_of
from users_service.settings.ini_files import check_values, read
from users_service.settings.settings import Settings, SettingsError, load
from users_service.settings.signing_keys import SigningKey, add_signing_key
from users_service.settings.values import MailServer

__all__ = [
    "SSL",
    "MailServer",
    "Settings",
    "SettingsError",
    "SigningKey",
    "add_signing_key",
    "check_values",
    "file_of",
    "load",
    "read",
    "ssl_of",
]
