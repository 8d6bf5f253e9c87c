"""The committed CloudFormation template, as it would be deployed with given parameters."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ROOT = Path(__file__).parents[1]
PATH = ROOT / "src" / "slotkeeper" / "aws" / "template.json"
_NOTHING = object()


class Absent(LookupError):
    """The template has no such thing."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template with its parameters: what no condition lets through is not there, and choices are made."""

    document: Mapping[str, Any]
    values: Mapping[str, Any]

    @classmethod
    def of(cls, document: Mapping[str, Any], **given: str) -> "Template":
        """The template with the defaults of its parameters, save for those that are given."""
        defaults = {name: facts["Default"] for name, facts in document["Parameters"].items() if "Default" in facts}
        texts = {name: str(value) for name, value in (defaults | given).items()}
        lists = {name for name, facts in document["Parameters"].items() if "List" in facts["Type"]}
        values = {name: text.split(",") if name in lists else text for name, text in texts.items()}
        return cls(document, values)

    @classmethod
    def read(cls, path: Path = PATH) -> "Template":
        """The one at the path, with its defaults.

        Raises:
            Absent: there is none, or it is no template.
        """
        try:
            return cls.of(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Absent(f"{path.name} cannot be read: {error!r}") from error

    def given(self, **parameters: str) -> "Template":
        """The same with other parameters.

        Raises:
            Absent: it has no such parameter.
        """
        for name in parameters:
            self.parameter(name)
        return Template.of(self.document, **parameters)

    def parameter(self, name: str) -> Json:
        """The parameter's declaration. Raises `Absent` when there is none."""
        found: Json = _of(self.document["Parameters"], name, f"parameter {name}")
        return found

    def all(self, kind: str) -> dict[str, Json]:
        """The properties of each resource of that type (`Lambda::Function`) that would be made, by id."""
        return {
            id: _made(self._resolved(facts.get("Properties", {})))
            for id, facts in self.document["Resources"].items()
            if facts["Type"] == f"AWS::{kind}" and self._is_made(facts)
        }

    def properties(self, id: str) -> Json:
        """The properties of the resource. Raises `Absent` when it would not be made."""
        facts = _of(self.document["Resources"], id, id)
        if not self._is_made(facts):
            raise Absent(f"no {id} with these parameters")
        return _made(self._resolved(facts.get("Properties", {})))

    def count(self) -> int:
        """How many resources would be made."""
        return sum(self._is_made(facts) for facts in self.document["Resources"].values())

    def holds(self, condition: str) -> bool:
        """Whether the condition of that name holds. Raises `Absent` when there is none."""
        return self._judged(_of(self.document["Conditions"], condition, f"condition {condition}"))

    def _is_made(self, facts: Json) -> bool:
        return "Condition" not in facts or self.holds(facts["Condition"])

    def _judged(self, rule: Json) -> bool:
        [(name, of)] = rule.items()
        match name:
            case "Condition":
                return self.holds(of)
            case "Fn::Equals":
                left, right = (self._resolved(each) for each in of)
                return bool(left == right)
            case "Fn::Not":
                return not self._judged(of[0])
            case "Fn::And":
                return all(self._judged(each) for each in of)
            case "Fn::Or":
                return any(self._judged(each) for each in of)
            case _:
                raise ValueError(f"no rule here for the condition {name}")

    def _resolved(self, value: Any) -> Any:
        """The value with its choices made; what is known only once it is deployed stays as it is written."""
        match value:
            case {"Ref": "AWS::NoValue"}:
                return _NOTHING
            case {"Ref": str(name)} if name in self.values:
                return self.values[name]
            case {"Fn::If": [str(name), then, otherwise]}:
                return self._resolved(then if self.holds(name) else otherwise)
            case {"Fn::Join": [str(between), parts]}:
                return self._joined(between, self._resolved(parts), value)
            case {"Fn::Split": [str(between), text]}:
                return self._split(between, self._resolved(text), value)
            case dict():
                pairs = ((key, self._resolved(each)) for key, each in value.items())
                return {key: each for key, each in pairs if each is not _NOTHING}
            case list():
                return [each for each in map(self._resolved, value) if each is not _NOTHING]
            case _:
                return value

    def _joined(self, between: str, parts: Any, written: Json) -> Any:
        is_known = isinstance(parts, list) and all(isinstance(each, str) for each in parts)
        return between.join(parts) if is_known else written

    def _split(self, between: str, text: Any, written: Json) -> Any:
        return text.split(between) if isinstance(text, str) else written


def found(value: Any, name: str) -> Iterator[Any]:
    """Every value that stands under that name, however deep."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key == name:
                yield each
            yield from found(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from found(each, name)


def shown(value: Any) -> str:
    """The value in a few words: what is referred to by its id, lists and members without brackets, the rest as JSON."""
    match value:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(id), str(attribute)]}:
            return f"{id}.{attribute}"
        case {"Fn::Sub": [str(text), _]} | {"Fn::Sub": str(text)}:
            return text
        case str():
            return value
        case list():
            return ", ".join(map(shown, value))
        case dict():
            return " ".join(f"{name} {shown(each)}" for name, each in value.items())
        case _:
            return json.dumps(value)


def _made(properties: Any) -> Json:
    made: Json = properties
    return made


def _of(things: Mapping[str, Any], name: str, called: str) -> Any:
    if name not in things:
        raise Absent(f"no {called}")
    return things[name]
