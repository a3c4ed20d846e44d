"""The profiles written out whole as JSON Schemas: what our own validation is held to."""

from functools import cache

from registry.record.profiles import shape
from registry.record.requirements import ALWAYS, conditions, restricted_units, units
from registry.record.schema import record_schema

ANYTHING = {}
NOTHING = {"not": {}}


@cache
def profile_schema(profile):
    """Return a profile for any JSON Schema validator.

    For publication it asks for what `requirements` calls an error, and is stricter only where a
    field is lawfully withheld, which a schema cannot say.
    """
    schema = {**shape(profile), "$id": f"{record_schema()['$id']}:{profile}"}
    if profile == "publication":
        schema["allOf"] = [_asked(unit) for unit in units() if unit.alternatives]
    return schema


def _asked(unit):
    """Write the `if` and `then` of one unit: where it is asked for, it is there."""
    asked = {
        "anyOf": [{"allOf": [_holds(name) for name in names]} for names in unit.error_conditions]
    }
    if unit not in restricted_units():
        asked = {"allOf": [asked, {"not": _holds("restricted")}]}
    places = [(*unit.path[:-1], name) for name in (unit.name, *unit.substitutes)]
    part = {"if": asked, "then": {"anyOf": [_there(path, unit) for path in places]}}
    if unit.exclusive:
        part["else"] = {"not": _there(unit.path, unit)}
    return part


def _holds(name):
    if name == ALWAYS:
        return ANYTHING
    condition = conditions()[name]
    found = {
        "anyOf": [_within(path, {"enum": list(condition.values)}) for path in condition.paths]
        or [NOTHING]
    }
    return {"not": found} if condition.negated else found


def _there(path, unit):
    if unit.field.schema.get("type") == "array" and not unit.empty_answers:
        return _within(path, {"minItems": 1})
    return _within(path, ANYTHING)


def _within(path, schema):
    """Ask for a path all the way down, so that nothing holds of an absent value."""
    name, *rest = path
    inner = _within(tuple(rest), schema) if rest else schema
    return {"type": "object", "properties": {name: inner}, "required": [name]}
