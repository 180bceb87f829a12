"""Examples in the description: those given with a field, else made from its name and type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# what a value is called says more than its type
BY_NAME: dict[str, Any] = {
    "agent": "A007", "agent_id": 7, "asked_by": "lead", "code": "A007", "cycle": "2026-10",
    "day": "2026-10-01", "decided_by": "lead", "first": "2026-10-01", "from": "2026-10-01",
    "id": 1, "last": "2026-10-07", "name": "Li Na", "name_en": "Network", "name_zh": "网络",
    "note": "speaks Cantonese", "reason": "led the night desk through the outage",
    "roster": 1, "shift": "early", "skill": "network", "team": "network", "ticket": "T-1042",
    "period_from": "2026-10-01", "period_until": "2026-10-31", "until": "2026-10-31",
    "after": None, "minute_from": 540, "minute_until": 1080, "people": 1,
}  # fmt: skip
BY_FORMAT = {
    "date": "2026-10-01", "date-time": "2026-10-01T00:30:00Z",
    "binary": "", "base64": "5ZCM5oSP",
}  # fmt: skip
BY_TYPE: dict[str, Any] = {
    "integer": 1,
    "number": 0.9,
    "string": "text",
    "boolean": True,
    "null": None,
}
DEEPEST = 6
TIME = r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$"


def with_examples(described: dict[str, Any]) -> dict[str, Any]:
    """The description with an example of each parameter, body and answer."""
    shapes = described["components"]["schemas"]
    for operation in operations(described):
        for one in operation.get("parameters", []):
            one.setdefault("example", sample(one["schema"], shapes, one["name"]))
        answers = [answer for code, answer in operation["responses"].items() if code[0] == "2"]
        for place in (operation.get("requestBody", {}), *answers):
            for content in place.get("content", {}).values():
                content.setdefault("example", sample(content["schema"], shapes))
    return described


def plain(part: Any) -> Any:
    """The description without what many readers of descriptions do not know.

    Pairs become lists of a fixed length; times of day have no offset, which the format asks for.
    """
    if isinstance(part, list):
        return [plain(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {name: plain(one) for name, one in part.items()}
    if found.get("format") == "time":
        found["pattern"] = TIME
        del found["format"]
    if isinstance(found.get("prefixItems"), list):
        kinds = found.pop("prefixItems")
        found["items"] = {"anyOf": [one for n, one in enumerate(kinds) if one not in kinds[:n]]}
    return found


def operations(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in described["paths"].values():
        yield from path.values()


def sample(schema: dict[str, Any], shapes: dict[str, Any], name: str = "", depth: int = 0) -> Any:
    """A value that fits a schema."""
    if "$ref" in schema:
        return sample(shapes[schema["$ref"].rpartition("/")[2]], shapes, name, depth)
    if "default" in schema and depth < 1:
        return schema["default"]
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        return sample(choices[0], shapes, name, depth)
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return _object(schema, shapes, depth)
    if kind == "array":
        return _array(schema, shapes, name, depth)
    return _value(schema, name)


def _object(schema: dict[str, Any], shapes: dict[str, Any], depth: int) -> dict[str, Any]:
    return {
        name: sample(part, shapes, name, depth + 1)
        for name, part in schema.get("properties", {}).items()
    }


def _array(schema: dict[str, Any], shapes: dict[str, Any], name: str, depth: int) -> list[Any]:
    if depth > DEEPEST and not schema.get("minItems"):
        return []
    one = sample(schema.get("items", {}), shapes, name, depth + 1)
    return [one] * int(schema.get("minItems") or 1)


def _value(schema: dict[str, Any], name: str) -> Any:
    kind, form = schema.get("type"), schema.get("format", "")
    if schema.get("pattern") == TIME:
        return "08:00:00"
    if form in BY_FORMAT:
        return BY_FORMAT[form]
    named = BY_NAME.get(name)
    fitting = {"string": str, "integer": int}.get(str(kind))
    if fitting is not None and isinstance(named, fitting):
        return named
    if kind in ("integer", "number"):
        least = schema.get("minimum", BY_TYPE[kind])
        return int(least) if kind == "integer" else least
    return BY_TYPE.get(str(kind))
