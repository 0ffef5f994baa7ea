"""What is sent to ask for mail, and what the codes in it are for."""

from users_service.schemas.base import Credential, Email, Identifier, Line, Password, Schema

ADDRESS = {"examples": ["ada@example.com"]}
SENTENCE = {"examples": ["a sentence nobody else says"]}


class Code(Credential):
    """A code out of a mail."""

    def __init__(self) -> None:
        example = {"examples": ["4rG8kZq1XwNv0cTbY7LmPe2SdhU"]}
        super().__init__(max_length=100, required=True, metadata=example)


class SignUpSchema(Schema):  # type: ignore[misc]  # marshmallow_jsonapi is untyped
    class Meta:
        type_ = "sign-ups"

    id = Identifier(dump_only=True)
    email = Email(required=True, metadata=ADDRESS)
    name = Line(required=True, max_length=250, metadata={"examples": ["Ada Lovelace"]})
    password = Password(required=True, metadata=SENTENCE)


class VerificationSchema(Schema):  # type: ignore[misc]
    class Meta:
        type_ = "verifications"

    id = Identifier(dump_only=True)
    code = Code()


class PasswordResetSchema(Schema):  # type: ignore[misc]
    class Meta:
        type_ = "password-resets"

    id = Identifier(dump_only=True)
    email = Email(required=True, metadata=ADDRESS)


class NewPasswordSchema(Schema):  # type: ignore[misc]
    class Meta:
        type_ = "passwords"

    id = Identifier(dump_only=True)
    code = Code()
    password = Password(required=True, metadata=SENTENCE)


class EmailChangeSchema(Schema):  # type: ignore[misc]
    class Meta:
        type_ = "emails"

    id = Identifier(dump_only=True)
    email = Email(required=True, metadata=ADDRESS)
    current_password = Credential(max_length=1024, required=True, metadata=SENTENCE)
