"""What CloudFormation makes of our template for given parameters: conditions decided, and branches taken."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from slotkeeper.aws import stack

TEMPLATE = Path(stack.__file__).parent.parent / "template.json"
EVERYTHING = {
    "FromAddress": "desk@example.com",
    "TextMessages": "true",
    "OwnKey": "true",
    "UseBackup": "true",
    "BackupCopyVaultArn": "arn:aws:backup:us-east-2:111111111111:backup-vault:copies",
    "UseVpc": "true",
    "VpcId": "vpc-00000000",
    "SubnetIds": "subnet-00000000",
    "RouteTableIds": "rtb-00000000",
    "UseWaf": "true",
}
"""Parameters that turn on whatever needs rights."""

NEEDED = {"CodeBucket": "code", "CodeKey": "slotkeeper.zip"}
_NOTHING = object()

Json = dict[str, Any]


def committed() -> Json:
    """The template as it is deployed, a copy of its own for each caller."""
    found: Json = json.loads(_text())
    return found


@cache
def _text() -> str:
    return TEMPLATE.read_text("utf-8")


def resources(template: Json, **parameters: str) -> dict[str, Json]:
    """The resources that are made, with their branches taken and parameters filled in."""
    world = _World(template, parameters)
    return {
        name: world.value(resource)
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or world.holds(resource["Condition"])
    }


def of_type(made: dict[str, Json], kind: str) -> dict[str, Json]:
    """The properties of the resources of one type."""
    return {name: each["Properties"] for name, each in made.items() if each["Type"] == f"AWS::{kind}"}


def holding(template: Json, **parameters: str) -> set[str]:
    """The conditions that hold."""
    world = _World(template, parameters)
    return {name for name in template["Conditions"] if world.holds(name)}


class _World:
    def __init__(self, template: Json, parameters: Mapping[str, str]) -> None:
        facts: dict[str, Json] = template["Parameters"]
        given = {**NEEDED, **parameters}
        assert given.keys() <= facts.keys(), "there is no such parameter"
        self._conditions: Json = template["Conditions"]
        self._mappings: Json = template["Mappings"]
        self._parameters: dict[str, Any] = {
            name: _typed(given.get(name, str(each.get("Default"))), each["Type"]) for name, each in facts.items()
        }

    def holds(self, name: str) -> bool:
        return bool(self.value(self._conditions[name], decides=True))

    def value(self, part: Any, *, decides: bool = False) -> Any:
        """The part with what can be known of it filled in; `decides`: it is part of a condition."""
        if isinstance(part, list):
            return [each for each in (self.value(each, decides=decides) for each in part) if each is not _NOTHING]
        if not isinstance(part, dict):
            return part
        if len(part) == 1:
            (word, argument), *_ = part.items()
            if word in _WORDS and (decides or word in ("Ref", "Fn::If", "Fn::FindInMap")):
                return _WORDS[word](self, argument)
        values = {name: self.value(each, decides=decides) for name, each in part.items()}
        return {name: each for name, each in values.items() if each is not _NOTHING}

    def ref(self, name: str) -> Any:
        return _NOTHING if name == "AWS::NoValue" else self._parameters.get(name, {"Ref": name})

    def either(self, parts: list[Any]) -> Any:
        return self.value(parts[1] if self.holds(parts[0]) else parts[2])

    def found(self, path: list[Any]) -> Any:
        where: Any = self._mappings
        for part in path:
            where = where[self.value(part)]
        return where


def _typed(value: str, kind: str) -> Any:
    return value.split(",") if kind == "CommaDelimitedList" else value


def _all(world: _World, parts: list[Any]) -> list[Any]:
    return [world.value(part, decides=True) for part in parts]


_WORDS: dict[str, Callable[[_World, Any], Any]] = {
    "Ref": _World.ref,
    "Fn::If": _World.either,
    "Fn::FindInMap": _World.found,
    "Condition": _World.holds,
    "Fn::Equals": lambda world, parts: len({str(each) for each in _all(world, parts)}) == 1,
    "Fn::Not": lambda world, parts: not any(_all(world, parts)),
    "Fn::And": lambda world, parts: all(_all(world, parts)),
    "Fn::Or": lambda world, parts: any(_all(world, parts)),
    "Fn::Join": lambda world, parts: parts[0].join(world.value(parts[1], decides=True)),
}
