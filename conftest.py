"""The plugins of every run of the tests."""

pytest_plugins = ["tests.asvs", "tests.conformance.conformance"]
