"""Answers against their description: status, headers, media type and every member of a body."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

if TYPE_CHECKING:
    from collections.abc import Iterator

LINES = "application/x-ndjson"

_EMPTY = {204, 303, 304}
_NOWHERE = {400, 404, 405, 414, 421}
_NO_METHOD = {204, 405, 414, 421}


class Described:
    """A description, closed: a member that it does not name is a fault."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.components = {
            **document["components"],
            "schemas": {
                name: _closed(schema) for name, schema in document["components"]["schemas"].items()
            },
        }
        self.validator = cache(self._validator)

    def fault(self, method: str, path: str, status: int, headers: Any, body: bytes) -> str | None:
        """Say what the description does not allow; None where it allows everything."""
        template = self.template(path)
        if template is None:
            return None if status in _NOWHERE else f"no such address: {status}"
        operation = self.document["paths"][template].get(method.lower().replace("head", "get"))
        if operation is None:
            return None if status in _NO_METHOD else f"no such method: {status}"
        if str(status) not in operation["responses"]:
            return f"undocumented status {status}"
        response = self.resolved(operation["responses"][str(status)])
        empty = status in _EMPTY or method == "HEAD"
        faults = [
            *self._of_headers(response, headers),
            *([] if empty else self._of_body(response, headers["content-type"], body)),
            *([f"a body: {body!r}"] if empty and body else []),
        ]
        return f"{status}: {faults[0]}" if faults else None

    def _of_headers(self, response: dict[str, Any], headers: Any) -> Iterator[str]:
        for name, header in response.get("headers", {}).items():
            told = self.resolved(header)
            given = headers.get(name.lower())
            if given is None:
                if told["required"]:
                    yield f"no {name}"
            elif not re.search(told["schema"].get("pattern", ""), given):
                yield f"{name} is {given}"

    def _of_body(self, response: dict[str, Any], media_type: str, body: bytes) -> Iterator[str]:
        content = response["content"].get(media_type)
        if content is None:
            yield f"{media_type} is none of {[*response['content']]}"
            return
        if "schema" not in content:
            # A file that is no JSON.
            return
        validator = self.validator(json.dumps(content["schema"]))
        for part in body.splitlines() if media_type == LINES else [body]:
            for error in validator.iter_errors(json.loads(part)):
                yield f"/{'/'.join(map(str, error.instance_path))}: {error.message[:300]}"

    def template(self, path: str) -> str | None:
        """Find the address that a path is one of, the most literal one."""
        fits = [
            template
            for template in self.document["paths"]
            if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path)
        ]
        return min(fits, key=lambda template: template.count("{"), default=None)

    def resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        """Follow a reference to its end."""
        while "$ref" in node:
            target: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def _validator(self, schema: str) -> Any:
        # The root holds the components, so that references are found.
        return jsonschema_rs.Draft202012Validator(
            {"allOf": [json.loads(schema)], "components": self.components},
            validate_formats=True,
            ignore_unknown_formats=True,
        )


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Close a struct's schema; the released formats and the log's entries say it themselves."""
    if "properties" not in schema or schema.get("title") in {"Entry", "Format"}:
        return schema
    return {"additionalProperties": False} | schema
