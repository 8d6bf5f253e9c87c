"""Facts of the functions: their code, their logs and traces, what becomes of what they fail at, and their network."""

import ast
from collections.abc import Iterator
from pathlib import Path

from readiness.checks import Finding
from readiness.facts.reading import each_says, named, property_of, says
from readiness.template import ROOT, Json, Template, found, shown

SOURCES = ROOT / "src"


def handlers(template: Template) -> Iterator[Finding]:
    """Whether each function's handler is a function of our code."""
    for id, function in _functions(template).items():
        handler = str(function.get("Handler", ""))
        yield Finding(f"{id}: {handler}{'' if _is_code(handler) else ' is not in the code'}", _is_code(handler))


def runtime(template: Template) -> Iterator[Finding]:
    """On what the functions run."""
    yield from each_says(_functions(template), "functions", "Runtime", lambda text: text.startswith("python3."))


def memory(template: Template) -> Iterator[Finding]:
    """How much memory each function has."""
    sizes = {id: int(found_one) for id, each in _functions(template).items() for found_one in found(each, "MemorySize")}
    text = named([f"{id} {size} MB" for id, size in sizes.items()])
    yield Finding(text or "no function", bool(sizes) and len(sizes) == len(_functions(template)))


def log_groups(template: Template) -> Iterator[Finding]:
    """Whether each function writes into a log group of the template's own."""
    groups = template.all("Logs::LogGroup")
    yield from each_says(_functions(template), "functions", "LogGroup", lambda value: shown(value) in groups)


def retention(template: Template) -> Iterator[Finding]:
    """For how long logs are kept."""
    yield from each_says(template.all("Logs::LogGroup"), "log groups", "RetentionInDays", "7")


def tracing(template: Template) -> Iterator[Finding]:
    """Whether requests are traced, from the gateway on."""
    yield from each_says(_functions(template), "functions", "TracingConfig", {"Mode": "Active"})
    yield says(template, "Stage", "TracingEnabled", True)


QUEUES = ("DeadLetterQueue.Arn", "AsideQueue.Arn")
"""The sweep attends to what lies in the second, and sends what it cannot do to the first."""


def failures(template: Template) -> Iterator[Finding]:
    """Where events go that a function fails at. The API's has none: its caller waits, and is told."""
    configs = template.all("Lambda::EventInvokeConfig") | template.all("Lambda::EventSourceMapping")
    yield from each_says(configs, "ways to call a function without waiting", "OnFailure", _to_a_queue)
    sent_on = {shown(each.get("FunctionName")).removesuffix(".Arn") for each in configs.values()}
    left = sorted(set(_functions(template)) - sent_on)
    yield Finding(f"functions that only callers who wait call: {named(left)}", left == ["ConflictDetector"])


def in_a_vpc(template: Template) -> Iterator[Finding]:
    """Whether the functions run in a VPC."""
    yield from each_says(_functions(template), "functions", "SubnetIds", bool)
    yield from each_says(_functions(template), "functions", "SecurityGroupIds", bool)


def network(template: Template) -> Iterator[Finding]:
    """Who may reach the functions there, and how they reach AWS without leaving it."""
    for id, group in template.all("EC2::SecurityGroup").items():
        if "Function" in id:
            ways_in = list(found(group, "SecurityGroupIngress"))
            yield Finding(f"{id}: {len(ways_in)} ways in", not ways_in)
            yield property_of(id, group, "ToPort", lambda port: int(port) == 443)
    endpoints = template.all("EC2::VPCEndpoint")
    yield Finding(f"endpoints: {named(sorted(_service(each) for each in endpoints.values()))}", len(endpoints) > 1)


def _functions(template: Template) -> dict[str, Json]:
    return template.all("Lambda::Function")


def _to_a_queue(value: Json) -> bool:
    return shown(value["Destination"]) in QUEUES


def _service(endpoint: Json) -> str:
    return shown(endpoint["ServiceName"]).rpartition(".")[2]


def _is_code(handler: str) -> bool:
    """Whether the module is there and has such a function."""
    module, _, name = handler.rpartition(".")
    path = SOURCES / Path(*module.split(".")).with_suffix(".py")
    if not module or not path.exists():
        return False
    parsed = ast.parse(path.read_text("utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in parsed.body)
