"""The browser UI: how it is served, and rules that its files keep."""
