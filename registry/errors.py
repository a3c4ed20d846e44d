"""The exceptions that a user of the register can meet, each with a stable slug.

* RegistryError
  + UnreadableDocument
  + InvalidRecord
    - InvalidStatement
  + InvalidParameter
  + NotFound
  + Withdrawn
  + MethodNotAllowed
  + Unauthorized
  + Forbidden
  + PreconditionRequired
  + PreconditionFailed
  + Conflict
  + IdempotencyKeyReused
  + RequestTimeout
  + PayloadTooLarge
  + AddressTooLong
  + HeadersTooLarge
  + UnsupportedMediaType
  + MisdirectedRequest
  + TooManyRequests
  + Unavailable
    - RegisterBehind
    - ClockDiffers
  + ConfigurationError
  + ImportRefused

`api/problems.py` maps each slug to an HTTP status; the command line writes `detail` to stderr and
exits with `exit_code`. The slug is the last part of the problem's address, `/problems/<slug>`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

Severity: TypeAlias = Literal["error", "warning"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A result of validation at one place of a document.

    `pointer` is an RFC 6901 JSON Pointer; for a missing or unknown member it is that member's
    own path. `rule` is a stable id: a keyword of the schema such as `maxLength`, `required`, or
    a publication rule such as `R07`. `message` says what is wrong and how to mend it, in the
    language `lang`.
    """

    pointer: str
    rule: str
    severity: Severity
    message: str
    lang: str = "en"


class RegistryError(Exception):
    """The base of all errors; `detail` is a sentence for the person who caused it."""

    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something went wrong on our side"
    exit_code: ClassVar[int] = 1

    def __init__(self, detail: str) -> None:
        """Take the sentence that says where the error is and how to mend it."""
        super().__init__(detail)
        self.detail = detail

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how another process makes the same, whatever its class takes."""
        return type(self).__new__, (type(self), *self.args), vars(self)


class UnreadableDocument(RegistryError):
    """The bytes are not a strict JSON document.

    `line` and `column` count from 1; `fault` is the sentence without the position.
    """

    slug = "unreadable-document"
    title = "The document cannot be read"

    def __init__(self, detail: str, *, line: int | None = None, column: int | None = None) -> None:
        """Take the sentence and, where known, the position."""
        where = f" (line {line}, column {column})" if line is not None else ""
        super().__init__(f"{detail}{where}")
        self.fault = detail
        self.line = line
        self.column = column


class InvalidRecord(RegistryError):
    """A document breaks the format or the publication rules."""

    slug = "invalid-record"
    title = "The record does not satisfy the rules"

    def __init__(
        self, detail: str, findings: Sequence[Finding], findings_total: int | None = None
    ) -> None:
        """Take the sentence and the findings, warnings included; there may be more than these."""
        super().__init__(detail)
        self.findings = tuple(findings)
        self.findings_total = len(self.findings) if findings_total is None else findings_total


class InvalidParameter(RegistryError):
    """A query parameter is unknown or has an invalid value.

    `value` is the unknown code, None where the fault is another one; `nearest` is the code, or
    parameter, that may have been meant.
    """

    slug = "invalid-parameter"
    title = "The question cannot be understood"
    exit_code = 2

    def __init__(
        self, detail: str, *, value: str | None = None, nearest: str | None = None
    ) -> None:
        """Take the sentence, which begins with the parameter and a colon, and what is known."""
        super().__init__(detail)
        self.value = value
        self.nearest = nearest

    @property
    def parameter(self) -> str:
        """The name of the parameter."""
        return self.detail.partition(": ")[0]


class NotFound(RegistryError):
    """There is nothing at this address."""

    slug = "not-found"
    title = "Not found"


class Withdrawn(RegistryError):
    """The record was withdrawn; `tombstone` has the time, the reason and the last version."""

    slug = "withdrawn"
    title = "This record was withdrawn"

    def __init__(self, detail: str, *, tombstone: object) -> None:
        """Take the sentence and the tombstone, which can be encoded as JSON."""
        super().__init__(detail)
        self.tombstone = tombstone


class MethodNotAllowed(RegistryError):
    """The address exists, but not with this method."""

    slug = "method-not-allowed"
    title = "This address does not take that method"


class Unauthorized(RegistryError):
    """There is no valid token."""

    slug = "unauthorized"
    title = "A valid token is needed"


class Forbidden(RegistryError):
    """The token is valid, but does not permit this."""

    slug = "forbidden"
    title = "This token may not do that"


class PreconditionRequired(RegistryError):
    """A change has to name the state that it changes, in `If-Match` or `If-None-Match`."""

    slug = "precondition-required"
    title = "Say which state you are changing"


class PreconditionFailed(RegistryError):
    """The state is no longer the one that the request names."""

    slug = "precondition-failed"
    title = "The record has changed since you read it"


class Conflict(RegistryError):
    """The state of the record, or of the register, does not permit this."""

    slug = "conflict"
    title = "The record's state does not allow this"


class InvalidStatement(InvalidRecord):
    """A statement to attest, withdraw, redact or review breaks its format."""

    slug = "invalid-statement"
    title = "The statement does not satisfy the rules"


class IdempotencyKeyReused(RegistryError):
    """The idempotency key was used before, for another request."""

    slug = "idempotency-key-reused"
    title = "This key belongs to another request"


class RequestTimeout(RegistryError):
    """The body of the request was not received within the time limit."""

    slug = "request-timeout"
    title = "The body took too long to arrive"


class PayloadTooLarge(RegistryError):
    """The body is larger than the limit of the address."""

    slug = "payload-too-large"
    title = "The body is too large"


class AddressTooLong(RegistryError):
    """The path and query of the request are longer than the limit."""

    slug = "address-too-long"
    title = "The address is too long"


class HeadersTooLarge(RegistryError):
    """The header fields of the request have more bytes than the limit."""

    slug = "headers-too-large"
    title = "The header fields are too large"


class UnsupportedMediaType(RegistryError):
    """The media type of the body is not that of the address."""

    slug = "unsupported-media-type"
    title = "The body is of another type"


class MisdirectedRequest(RegistryError):
    """The request names a host that is not one of this register's."""

    slug = "misdirected-request"
    title = "This register does not answer for that host"


class TooManyRequests(RegistryError):
    """The client has reached the limit of requests in a minute."""

    slug = "too-many-requests"
    title = "Too many requests"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        """Take the sentence and the number of seconds after which to try again."""
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(RegistryError):
    """A part of the register, such as its database, is not reachable at the moment."""

    slug = "unavailable"
    title = "The register is not available at the moment"
    exit_code = 3

    def __init__(self, detail: str, *, retry_after: int = 5) -> None:
        """Take the sentence and the number of seconds after which to try again."""
        super().__init__(detail)
        self.retry_after = retry_after


class RegisterBehind(Unavailable):
    """The database has not all that was signed of the log, or acknowledged, or may not have it."""

    slug = "register-behind"
    title = "The register is behind what it has signed"


class ClockDiffers(Unavailable):
    """Server and database, or database and log, do not agree on what time it is."""

    slug = "clock-differs"
    title = "The register's clocks do not agree"


class ConfigurationError(RegistryError):
    """A setting, file, folder or port cannot be used."""

    slug = "configuration-error"
    title = "The register is not set up correctly"
    exit_code = 2


class ImportRefused(RegistryError):
    """A source file or its crosswalk cannot be used as a whole; nothing was written."""

    slug = "import-refused"
    title = "The file cannot be imported"
    exit_code = 2
