"""Django REST framework JSON:API, with its own pagination, filters and ordering."""

import os
import uuid

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

settings.configure(
    SECRET_KEY="of a benchmark",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    TIME_ZONE="UTC",
    USE_TZ=True,
    INSTALLED_APPS=["django_filters", "rest_framework", "rest_framework_json_api", __name__],
    MIDDLEWARE=[],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],  # the rest is in libpq's variables
            "CONN_MAX_AGE": None,
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_PARSER_CLASSES": ["rest_framework_json_api.parsers.JSONParser"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework_json_api.renderers.JSONRenderer"],
        "DEFAULT_METADATA_CLASS": "rest_framework_json_api.metadata.JSONAPIMetadata",
        "DEFAULT_FILTER_BACKENDS": [
            "rest_framework_json_api.filters.QueryParameterValidationFilter",
            "rest_framework_json_api.filters.OrderingFilter",
            "rest_framework_json_api.django_filters.DjangoFilterBackend",
        ],
        "EXCEPTION_HANDLER": "rest_framework_json_api.exceptions.exception_handler",
    },
)
django.setup()

from django.db import models  # noqa: E402
from rest_framework.routers import DefaultRouter  # noqa: E402
from rest_framework_json_api import serializers  # noqa: E402
from rest_framework_json_api.pagination import JsonApiPageNumberPagination  # noqa: E402
from rest_framework_json_api.relations import (  # noqa: E402
    HyperlinkedRelatedField,
    ResourceRelatedField,
)
from rest_framework_json_api.views import ModelViewSet  # noqa: E402


class Pagination(JsonApiPageNumberPagination):
    page_size = 20
    max_page_size = 1000


class Base(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    creation_time = models.DateTimeField(auto_now_add=True)
    modification_time = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Role(Base):
    name = models.CharField(max_length=80, unique=True)
    description = models.TextField(null=True, blank=True)
    permissions = models.JSONField(default=list)

    class Meta:
        db_table = "roles"


class Group(Base):
    name = models.CharField(max_length=250, unique=True)
    description = models.TextField(null=True, blank=True)

    class Meta:
        db_table = "groups"


class User(Base):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=250, db_index=True)
    is_active = models.BooleanField(default=False)
    role = models.ForeignKey(Role, models.RESTRICT, null=True, blank=True, related_name="users")
    groups = models.ManyToManyField(Group, db_table="memberships", blank=True)

    class Meta:
        db_table = "users"


TIMES = ["creation_time", "modification_time"]


class RoleSerializer(serializers.ModelSerializer):
    class Meta:
        model = Role
        fields = ["name", "description", "permissions", *TIMES]

    class JSONAPIMeta:
        resource_name = "roles"


class GroupSerializer(serializers.ModelSerializer):
    class Meta:
        model = Group
        fields = ["name", "description", *TIMES]

    class JSONAPIMeta:
        resource_name = "groups"


class UserSerializer(serializers.ModelSerializer):
    related_serializers = {"role": RoleSerializer, "groups": GroupSerializer}

    # Links without linkage, which costs a statement, and as much time as all the rest.
    role = HyperlinkedRelatedField(related_link_view_name="user-related", read_only=True)
    groups = HyperlinkedRelatedField(
        related_link_view_name="user-related", read_only=True, many=True
    )

    class Meta:
        model = User
        fields = ["email", "name", "is_active", *TIMES, "role", "groups"]

    class JSONAPIMeta:
        resource_name = "users"


class DetailedUserSerializer(UserSerializer):
    role = ResourceRelatedField(read_only=True)
    groups = ResourceRelatedField(read_only=True, many=True)
    included_serializers = {"role": RoleSerializer, "groups": GroupSerializer}


class PagedViewSet(ModelViewSet):
    pagination_class = Pagination


class RoleViewSet(PagedViewSet):
    queryset = Role.objects.order_by("id")
    serializer_class = RoleSerializer


class GroupViewSet(PagedViewSet):
    queryset = Group.objects.order_by("id")
    serializer_class = GroupSerializer


class UserViewSet(PagedViewSet):
    queryset = User.objects.order_by("id")
    serializer_class = UserSerializer
    filterset_fields = {"email": ["exact"]}
    ordering_fields = ["id", "email", "name", *TIMES]
    select_for_includes = {"role": ["role"]}
    prefetch_for_includes = {"groups": ["groups"]}

    def get_serializer_class(self):
        if "include" in self.request.query_params:
            return DetailedUserSerializer
        return super().get_serializer_class()


router = DefaultRouter(trailing_slash=False)
router.register("users", UserViewSet)
router.register("roles", RoleViewSet)
router.register("groups", GroupViewSet)
related = UserViewSet.as_view({"get": "retrieve_related"})
urlpatterns = [
    path("", include(router.urls)),
    path("users/<uuid:pk>/<str:related_field>", related, name="user-related"),
]

application = get_wsgi_application()
