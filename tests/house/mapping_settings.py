"""The tables of the mapping page about models, effort, choices, names and servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import attrs

from stages.mapper.settings import SERVICE_TIERS
from stages.tables import effort, identifiers
from stages.tables.models import FAMILIES, MODELS
from stages.tables.profiles import PROFILES, Profile
from tests.house.mapping_requests import MAPPER, TABLES, run
from tests.house.mapping_table import Table, code
from tests.support import samples

ASKED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "`max_tokens` of a probe": {"max_tokens": effort.SMALL_ANSWER},
    "`thinking` adaptive": {"thinking": {"type": "adaptive"}},
    "`thinking` adaptive, `display` omitted": {"thinking": {"type": "adaptive", "display": "omitted"}},
    "`thinking` adaptive, `display` updates": {"thinking": {"type": "adaptive", "display": "updates"}},
    **{
        f"`thinking` enabled, `budget_tokens` {budget}": {"thinking": {"type": "enabled", "budget_tokens": budget}}
        for budget in (*(limit for limit, _ in effort.BUDGETS), 31_999)
    },
    "`thinking` disabled": {"thinking": {"type": "disabled"}},
    "`thinking` between_tools": {"thinking": {"type": "between_tools"}},
    **{
        f"`output_config.effort` {word}": {"output_config": {"effort": word}}
        for word in ("low", "medium", "high", "xhigh", "max")
    },
}
"""What clients ask about reasoning."""

THINKERS = ("gpt-6.2-sol", "gpt-6-sol", "gpt-5", "gpt-4o")
"""Models that differ in what they take."""

CHOICES: dict[str, dict[str, Any]] = {
    "auto": {"type": "auto"},
    "any": {"type": "any"},
    "tool": {"type": "tool", "name": "look"},
    "none": {"type": "none"},
    "auto, `disable_parallel_tool_use`": {"type": "auto", "disable_parallel_tool_use": True},
}
"""Every `tool_choice`."""


def tables() -> Iterator[Table]:
    """All tables about settings."""
    yield Table(
        "Models by name",
        "The first word that occurs in a client's name of a model; a name without `claude` or `anthropic` goes "
        "upstream as it is. The settings come before this table.",
        ("word", "upstream"),
        [(code(word), code(model), f"{TABLES}/test_models.py") for word, model in FAMILIES.items()],
    )
    yield Table(
        "What upstream models take",
        "By the beginning of their names, the longest that fits; the words of the last column are explained in "
        "`stages/tables/models.py`.",
        ("model", "efforts", "window", "output", "temperature and top_p", "what else is true of them"),
        [
            (
                code(model.prefix),
                ", ".join(model.efforts) or "does not reason",
                str(model.window),
                str(model.output),
                model.sampling.replace("_", " "),
                ", ".join(code(name) for name, value in attrs.asdict(model).items() if value is True) or "nothing",
                f"{TABLES}/test_models.py",
            )
            for model in MODELS
        ],
    )
    yield _thinking()
    yield _choices()
    yield Table(
        "Service tiers",
        "`speed: fast` asks for the tier `priority`.",
        ("`service_tier`", "upstream"),
        [(code(theirs), code(ours), f"{MAPPER}/test_settings.py") for theirs, ours in SERVICE_TIERS.items()],
    )
    yield _names()
    yield _servers()


def _thinking() -> Table:
    rows = []
    for asked, fields in ASKED.items():
        told = {model: run({**samples.request(max_tokens=64_000), **fields, "model": model}) for model in THINKERS}
        cells = [_reasoning(told[model].body.get("reasoning")) for model in THINKERS]
        rows.append((asked, *cells, f"{MAPPER}/test_thinking.py"))
    intro = "The `reasoning` field by model. What of a wish could not be met is in the report of each request."
    return Table("Thinking and effort", intro, ("asked", *map(code, THINKERS)), rows)


def _reasoning(field: dict[str, Any] | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in field.items()) if field else "none"


def _choices() -> Table:
    rows = []
    for asked, choice in CHOICES.items():
        body = run(samples.request(tools=[samples.LOOK], tool_choice=choice)).body
        told = {name: body[name] for name in ("tool_choice", "parallel_tool_calls") if name in body}
        rows.append((asked, code(json.dumps(told)), f"{MAPPER}/test_tools.py"))
    return Table("Tool choice", "", ("`tool_choice`", "upstream"), rows)


def _names() -> Table:
    call, name, ident = identifiers.tool_use_id, identifiers.upstream_tool_name, identifiers.call_id_of
    pairs = [
        ("a tool's name that fits", "look_up", name("look_up")),
        ("a tool's name with other characters", "books.look up", name("books.look up")),
        ("a tool's name of 100 characters", "a" * 100, name("a" * 100)),
        ("an upstream's `call_id`, in a `tool_use` block", "call_1", call("call_1")),
        ("the same, coming back", call("call_1"), ident(call("call_1"))),
        ("another service's `tool_use` id", "toolu_01A", ident("toolu_01A")),
        ("an id that the upstream would refuse", "a b", ident("a b")),
        ("a client's id of a file", "file_Ab1", identifiers.upstream_file_id("file_Ab1")),
    ]
    rows = [(what, code(theirs), code(ours), f"{TABLES}/test_identifiers.py") for what, theirs, ours in pairs]
    return Table(
        "Names and identifiers",
        "The same always becomes the same; nothing is remembered.",
        ("what", "from", "to"),
        rows,
    )


def _servers() -> Table:
    whole = Profile("whole")
    rows = []
    for name, profile in PROFILES.items():
        fields = (field.name for field in attrs.fields(Profile) if field.name != "name")
        other = [
            f"{field} {getattr(profile, field)}" for field in fields if getattr(profile, field) != getattr(whole, field)
        ]
        rows.append((code(name), ", ".join(map(code, other)) or "the whole API", f"{TABLES}/test_profiles.py"))
    intro = "What a server takes otherwise than OpenAI's own; what it cannot take is reported as dropped or emulated."
    return Table("Servers", intro, ("profile", "other than the whole API"), rows)
