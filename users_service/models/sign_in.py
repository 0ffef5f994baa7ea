"""The tables behind sign-in that are no resources: tries, and guards."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from users_service.models.base import Base
from users_service.models.text_columns import text_column
from users_service.models.tokens import DIGEST_LENGTH


class SignInTries(Base):
    """The tries to sign in that have one key: of an account, of an address, or of both."""

    __tablename__ = "sign_in_tries"

    key: Mapped[str] = text_column(DIGEST_LENGTH, primary_key=True)
    # Microseconds since 1970: when all tries so far are forgotten (GCRA's theoretical arrival
    # time). Whole numbers, so that the last try of a limit is not lost to rounding.
    arrival_time: Mapped[int] = mapped_column(BigInteger, index=True)


class Guard(Base):
    """A row to be locked by those whose changes must not meet, such as of the administrators."""

    __tablename__ = "guards"

    name: Mapped[str] = text_column(40, primary_key=True)
