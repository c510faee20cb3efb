"""What several answers have in common."""

from __future__ import annotations

from pipeline.commands.common_reasons import NO_API, common_reason, missing_models
from pipeline.commands.question import Asked, Listed, Reply
from stages.canonical.failure import Failure, Kind

_PATH = Failure(Kind.MISCONFIGURED, "No such path.")
_MISSING = Failure(Kind.NOT_FOUND, "No such model.", cause="model_not_found")
_BUSY, _SLOW = Failure(Kind.OVERLOADED, "Busy."), Failure(Kind.TIMEOUT, "Slow.")


def _reply(*failures: Failure | None, listed: Failure | None = None, served: tuple[str, ...] = ()) -> Reply:
    asked = tuple(Asked(f"m{at}", failure) for at, failure in enumerate(failures))
    return Reply(Listed(served, listed), asked)


def test_one_reason_for_all() -> None:
    """None where a model answers, where each has its own, and where one alone was asked."""
    assert common_reason(_reply(_BUSY, _BUSY)) == _BUSY
    assert common_reason(_reply(_BUSY, None)) is None
    assert common_reason(_reply(_BUSY, _SLOW)) is None
    assert common_reason(_reply(_BUSY)) is None


def test_the_list_tells_more_where_no_model_answers() -> None:
    """A list that is not there is harmless while one does; and one that is there says that the API is not."""
    assert common_reason(_reply(_SLOW, _BUSY, listed=_PATH)) == _PATH
    assert common_reason(_reply(None, listed=_PATH)) is None
    found = common_reason(_reply(_PATH, _PATH))
    assert found is not None
    assert found.cause == NO_API


def test_whoever_misses_a_model_is_an_api() -> None:
    """Whatever its list says; some servers say with a 400 that they have none of that name."""
    refused = Failure(Kind.INVALID_REQUEST, "What is m1?")

    assert common_reason(_reply(_MISSING, _MISSING, listed=_PATH)) is None
    assert missing_models(_reply(_MISSING, refused, None, served=("m0", "m2"))) == ["m0", "m1"]
    assert missing_models(_reply(None, refused)) == []
