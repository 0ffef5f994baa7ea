"""The error codes of sign-in and permissions, with their statuses and titles; rules of fields."""

CODES = {
    "invalid_request": (400, "Malformed credentials"),
    "invalid_token": (401, "Invalid token"),
    "invalid_credentials": (401, "Invalid credentials"),
    "exceeds_permissions": (403, "Exceeds your permissions"),
    "last_administrator": (409, "Last administrator"),
    "weak_password": (422, "Weak password"),
    "wrong_password": (422, "Wrong password"),
    "invalid_code": (422, "Invalid code"),
    "busy": (503, "Busy"),
}

RULES = ("maxBytes", "weak", "wrong", "code")
