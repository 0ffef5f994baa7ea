"""The plugins of every run of the tests."""

pytest_plugins = ["tests.conformance.conformance", "tests.asvs"]
