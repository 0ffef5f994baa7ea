"""FastAPI with async SQLAlchemy and pydantic: plain JSON, related resources nested.

What users that come in and users that go out have in common is in one base class, as in FastAPI's
tutorial, so both are checked. If LEAN is in the environment, those that go out are not.
"""

import os
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict, EmailStr, Field
from sqlalchemy import Column, DateTime, ForeignKey, String, Table, Text, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

# The rest of the address is in libpq's variables.
engine = create_async_engine("postgresql+asyncpg://", pool_size=10, max_overflow=0)
make_session = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI(title="Users")


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True)}


class Common:
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    creation_time: Mapped[datetime] = mapped_column(default=now)
    modification_time: Mapped[datetime] = mapped_column(default=now, onupdate=now)


memberships = Table(
    "memberships",
    Base.metadata,
    Column("user_id", ForeignKey("users.id"), primary_key=True),
    Column("group_id", ForeignKey("groups.id"), primary_key=True),
)


class Role(Common, Base):
    __tablename__ = "roles"
    name: Mapped[str] = mapped_column(String(80), unique=True)
    description: Mapped[str | None] = mapped_column(Text)
    permissions: Mapped[list[str]] = mapped_column(JSONB, default=list)


class Group(Common, Base):
    __tablename__ = "groups"
    name: Mapped[str] = mapped_column(String(250), unique=True)
    description: Mapped[str | None] = mapped_column(Text)


class User(Common, Base):
    __tablename__ = "users"
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(250), index=True)
    is_active: Mapped[bool] = mapped_column(default=False)
    role_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("roles.id"), index=True)
    role: Mapped[Role | None] = relationship()
    groups: Mapped[list[Group]] = relationship(secondary=memberships)


class Entity(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    creation_time: datetime
    modification_time: datetime


class RoleOut(Entity):
    name: str
    description: str | None
    permissions: list[str]


class GroupOut(Entity):
    name: str
    description: str | None


Name = Annotated[str, Field(min_length=1, max_length=250)]


class UserBase(BaseModel):
    email: EmailStr
    name: Name
    is_active: bool = False
    role_id: uuid.UUID | None = None


class UserIn(UserBase):
    pass


class UserOut(UserBase, Entity):
    if "LEAN" in os.environ:
        email: str
        name: str


class DetailedUserOut(UserOut):
    role: RoleOut | None
    groups: list[GroupOut]


class UserChange(BaseModel):
    email: EmailStr | None = None
    name: Name | None = None
    is_active: bool | None = None
    role_id: uuid.UUID | None = None


async def open_session() -> AsyncIterator[AsyncSession]:
    async with make_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session)]


class Page(BaseModel):
    limit: int = Field(20, ge=1, le=1000)
    offset: int = Field(0, ge=0)
    email: str | None = None
    sort: Literal["id", "email", "name", "creation_time"] = "id"

    def statement(self):
        statement = select(User).order_by(getattr(User, self.sort), User.id)
        if self.email is not None:
            statement = statement.where(User.email == self.email)
        return statement.limit(self.limit).offset(self.offset)


@app.get("/users")
async def list_users(session: Session, page: Annotated[Page, Query()]) -> list[UserOut]:
    return (await session.scalars(page.statement())).all()


@app.get("/users/detailed")
async def list_detailed_users(
    session: Session, page: Annotated[Page, Query()]
) -> list[DetailedUserOut]:
    related = selectinload(User.role), selectinload(User.groups)
    return (await session.scalars(page.statement().options(*related))).all()


@app.get("/users/{id}")
async def read_user(session: Session, id: uuid.UUID) -> UserOut:
    return await find(session, id)


@app.post("/users", status_code=201)
async def create_user(session: Session, user: UserIn) -> UserOut:
    entity = User(**user.model_dump())
    session.add(entity)
    await commit(session)
    return entity


@app.patch("/users/{id}")
async def change_user(session: Session, id: uuid.UUID, change: UserChange) -> UserOut:
    entity = await find(session, id)
    for name, value in change.model_dump(exclude_unset=True).items():
        setattr(entity, name, value)
    await commit(session)
    return entity


async def find(session: AsyncSession, id: uuid.UUID) -> User:
    if (entity := await session.get(User, id)) is None:
        raise HTTPException(404)
    return entity


async def commit(session: AsyncSession) -> None:
    try:
        await session.commit()
    except IntegrityError:
        raise HTTPException(409, "It exists already.") from None
