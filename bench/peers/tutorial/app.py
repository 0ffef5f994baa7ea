"""The stack of the tutorials: Flask, Flask-RESTful, Flask-SQLAlchemy and marshmallow-jsonapi."""

import logging
import uuid
from datetime import UTC, datetime

from flask import Flask, request
from flask_restful import Api, Resource, abort
from flask_sqlalchemy import SQLAlchemy
from marshmallow import ValidationError, validate
from marshmallow_jsonapi import Schema, fields
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError

# waitress has a warning for every request that waits for a thread.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "postgresql+psycopg://"  # the rest is in libpq's variables
db = SQLAlchemy(app)
api = Api(app)


def now():
    return datetime.now(UTC)


memberships = db.Table(
    "memberships",
    db.Column("user_id", db.Uuid, db.ForeignKey("users.id"), primary_key=True),
    db.Column("group_id", db.Uuid, db.ForeignKey("groups.id"), primary_key=True),
)


class Timestamped:
    creation_time = db.Column(db.DateTime(timezone=True), nullable=False, default=now)
    modification_time = db.Column(
        db.DateTime(timezone=True), nullable=False, default=now, onupdate=now
    )


class Role(Timestamped, db.Model):
    __tablename__ = "roles"
    id = db.Column(db.Uuid, primary_key=True, default=uuid.uuid4)
    name = db.Column(db.String(80), nullable=False, unique=True)
    description = db.Column(db.Text)
    permissions = db.Column(JSONB, nullable=False, default=list)


class Group(Timestamped, db.Model):
    __tablename__ = "groups"
    id = db.Column(db.Uuid, primary_key=True, default=uuid.uuid4)
    name = db.Column(db.String(250), nullable=False, unique=True)
    description = db.Column(db.Text)


class User(Timestamped, db.Model):
    __tablename__ = "users"
    id = db.Column(db.Uuid, primary_key=True, default=uuid.uuid4)
    email = db.Column(db.String(254), nullable=False, unique=True)
    name = db.Column(db.String(250), nullable=False, index=True)
    is_active = db.Column(db.Boolean, nullable=False, default=False)
    role_id = db.Column(db.ForeignKey("roles.id"), index=True)
    role = db.relationship(Role)
    groups = db.relationship(Group, secondary=memberships)


class TimestampedSchema(Schema):
    id = fields.UUID()
    creation_time = fields.DateTime(dump_only=True)
    modification_time = fields.DateTime(dump_only=True)


class RoleSchema(TimestampedSchema):
    name = fields.Str(required=True, validate=validate.Length(1, 80))
    description = fields.Str(allow_none=True)
    permissions = fields.List(fields.Str())

    class Meta:
        type_ = "roles"
        self_url = "/roles/{id}"
        self_url_kwargs = {"id": "<id>"}


class GroupSchema(TimestampedSchema):
    name = fields.Str(required=True, validate=validate.Length(1, 250))
    description = fields.Str(allow_none=True)

    class Meta:
        type_ = "groups"
        self_url = "/groups/{id}"
        self_url_kwargs = {"id": "<id>"}


class UserSchema(TimestampedSchema):
    email = fields.Email(required=True)
    name = fields.Str(required=True, validate=validate.Length(1, 250))
    is_active = fields.Bool()
    role = fields.Relationship(
        self_url="/users/{id}/relationships/role",
        self_url_kwargs={"id": "<id>"},
        related_url="/users/{id}/role",
        related_url_kwargs={"id": "<id>"},
        type_="roles",
        schema=RoleSchema,
        dump_only=True,
    )
    groups = fields.Relationship(
        self_url="/users/{id}/relationships/groups",
        self_url_kwargs={"id": "<id>"},
        related_url="/users/{id}/groups",
        related_url_kwargs={"id": "<id>"},
        type_="groups",
        schema=GroupSchema,
        many=True,
        dump_only=True,
    )

    class Meta:
        type_ = "users"
        self_url = "/users/{id}"
        self_url_kwargs = {"id": "<id>"}
        self_url_many = "/users"


class Collection(Resource):
    def __init__(self, model, schema):
        self.model, self.schema = model, schema

    def get(self):
        query = db.select(self.model)
        for name, value in request.args.items():
            if name.startswith("filter[") and name.endswith("]"):
                query = query.where(getattr(self.model, name[7:-1]) == value)
        for name in filter(None, request.args.get("sort", "").split(",")):
            column = getattr(self.model, name.removeprefix("-"))
            query = query.order_by(column.desc() if name.startswith("-") else column)
        size = min(request.args.get("page[size]", 20, int), 1000)
        number = request.args.get("page[number]", 1, int)
        query = query.order_by(self.model.id).limit(size).offset((number - 1) * size)
        schema = self.schema
        if include := tuple(filter(None, request.args.get("include", "").split(","))):
            schema = type(schema)(include_data=include)
            query = query.options(*(db.selectinload(getattr(self.model, i)) for i in include))
        return schema.dump(db.session.scalars(query).all(), many=True)

    def post(self):
        try:
            entity = self.model(**self.schema.load(request.get_json(force=True)))
        except ValidationError as error:
            return error.messages, 422
        db.session.add(entity)
        commit()
        return self.schema.dump(entity), 201


class Item(Resource):
    def __init__(self, model, schema):
        self.model, self.schema = model, schema

    def get(self, id):
        return self.schema.dump(db.get_or_404(self.model, id))

    def patch(self, id):
        entity = db.get_or_404(self.model, id)
        try:
            values = self.schema.load(request.get_json(force=True), partial=True)
        except ValidationError as error:
            return error.messages, 422
        for name, value in values.items():
            setattr(entity, name, value)
        commit()
        return self.schema.dump(entity)


def commit():
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        abort(409, errors=[{"status": "409", "title": "It exists already."}])


for path, model, schema in (
    ("/users", User, UserSchema()),
    ("/roles", Role, RoleSchema()),
    ("/groups", Group, GroupSchema()),
):
    parts = {"resource_class_kwargs": {"model": model, "schema": schema}}
    api.add_resource(Collection, path, endpoint=f"{path}-list", **parts)
    api.add_resource(Item, f"{path}/<uuid:id>", endpoint=f"{path}-item", **parts)
