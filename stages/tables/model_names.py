"""What a model's name says beside the model: vendors, regions, stages of deployment, versions, owners of fine-tunes.

One model has many names: Bedrock puts a region and a vendor before it and a version behind (`us.openai.gpt-5-v1:0`),
routers a vendor (`openai/gpt-5.6:free`), fine-tunes their base in the middle (`ft:gpt-5:org::id`), and people call a
deployment on Azure `prod-gpt-5`. Whatever is known is known of the model alone, so these words are looked past.
"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_NAME = 256
"""Characters of a name that is looked into: no model has a longer one, and a longer one must not cost more."""

VENDORS = frozenset({
    "openai", "azure", "azureml", "microsoft", "foundry", "bedrock", "mantle", "aws", "amazon", "openrouter",
    "litellm", "github", "copilot", "models", "vercel", "cloudflare", "portkey", "databricks", "vertex", "google",
    "oci", "oracle", "snowflake", "proxy", "gateway",
})  # fmt: skip
"""Who serves a model, as a word before or behind its name."""

REGIONS = frozenset({
    "us", "eu", "uk", "jp", "ca", "au", "apac", "emea", "global", "gov", "gcc", "datazone", "eastus", "eastus2",
    "westus", "westus2", "westus3", "centralus", "northcentralus", "southcentralus", "swedencentral",
    "francecentral", "germanywestcentral", "westeurope", "northeurope", "uksouth", "norwayeast", "switzerlandnorth",
    "japaneast", "australiaeast", "canadaeast", "koreacentral", "southindia", "brazilsouth",
    "east", "west", "north", "south",
})  # fmt: skip
"""Where it is served."""

STAGES = frozenset({
    "prod", "production", "dev", "development", "test", "testing", "stage", "staging", "preprod", "qa", "uat",
    "int", "sandbox", "team", "my", "our", "deployment", "deploy", "ptu", "standard", "provisioned",
    "custom", "company", "corp", "internal", "shared", "coding", "main", "default", "system", "ai",
})  # fmt: skip
"""What a deployment is for, as people like to say it in its name."""

_PASSED_BY = VENDORS | REGIONS | STAGES
_CLOUD_REGION = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-(gov-)?(north|south|east|west|central)+(east|west)?-\d")
_WORD_AHEAD = re.compile(r"([a-z]+\d?)[-._: ]+(?=.)")
_WORD_BEHIND = re.compile(r"(?<=.)[-._:@ (]+([a-z]+\d?)\)?\Z")
_VERSION = re.compile(r"(-v\d+|-\d+(?=:\d))?(:\d+)?(:[a-z]+)?\Z")
_DATE = re.compile(r"[-@]20\d\d-?\d\d-?\d\d\Z")
_UNDASHED = re.compile(r"gpt[_ ]?(?=\d)")
_POINTLESS = re.compile(r"gpt-(\d)-(\d)(?=-[a-z]|\Z)")
# Where no point may stand in a name, a dash does: `databricks-gpt-5-2`.
_FINE_TUNE = "ft:"


def bare(name: str) -> str:
    """The model that a name is about, as far as its form tells: `us.openai.gpt-6-astra-v1:0` is `gpt-6-astra`.

    Dates stay, since a dated model is one of its own; a name without any of these words is returned in lower case.
    """
    return _bare(name) if len(name) <= LONGEST_NAME else name.lower()


@lru_cache(512)
def _bare(name: str) -> str:
    model = name.strip().lower().rsplit("/", 1)[-1]
    if model.startswith(_FINE_TUNE):
        model = model.removeprefix(_FINE_TUNE).partition(":")[0]
    model = _VERSION.sub("", model, count=1)
    model = _without(_WORD_BEHIND, _without(_WORD_AHEAD, model))
    if not model.startswith("gpt"):
        return model
    return _POINTLESS.sub(r"gpt-\1.\2", _UNDASHED.sub("gpt-", model, count=1).replace("_", "-"), count=1)


def undated(name: str) -> str:
    """The same without a snapshot's date: `gpt-5-2025-08-07` is `gpt-5`."""
    return _DATE.sub("", name)


def is_fine_tune(name: str) -> bool:
    """Whether a name is that of a model that somebody has trained further."""
    return name.rsplit("/", 1)[-1].lower().startswith(_FINE_TUNE)


def _without(word: re.Pattern[str], model: str) -> str:
    """Take known words off one end, for as long as there are any and something is left."""
    while True:
        region = _CLOUD_REGION.match(model) if word is _WORD_AHEAD else None
        if region is not None and len(model) > region.end() + 1:
            model = model[region.end() + 1 :]
            continue
        found = word.search(model) if word is _WORD_BEHIND else word.match(model)
        if found is None or found[1] not in _PASSED_BY:
            return model
        model = model[: found.start()] if word is _WORD_BEHIND else model[found.end() :]
