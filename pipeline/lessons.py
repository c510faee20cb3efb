"""What upstreams were found to refuse, by model, so that it is asked once and not with every request.

Memory of the process alone: bounded, and forgotten after an hour, because servers are mended and organisations
verified.  Nothing of a request is in it, only fields of a profile; a setting can say the same for good.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import attrs
import trio

from stages.mapper import Target

MAX_MODELS = 256
"""Models that are remembered; the one that was longest not asked for is forgotten first."""

LESSON_LIFETIME = 3600.0
"""Seconds after which a lesson is forgotten, and the upstream asked again."""


@attrs.define
class _Known:
    """What is known of one model: what its profile lacks, and until when that holds."""

    changes: dict[str, bool | str] = attrs.field(factory=dict)
    until: float = 0.0


@attrs.define
class Lessons:
    """The memory; it is empty, and costs nothing, as long as nothing was refused."""

    _models: OrderedDict[str, _Known] = attrs.field(factory=OrderedDict, init=False)

    def known(self) -> Mapping[str, Mapping[str, bool | str]]:
        """What each model's profile lacks; what is too old is forgotten."""
        if not self._models:
            return {}
        now = trio.current_time()
        for model in [model for model, known in self._models.items() if known.until < now]:
            del self._models[model]
        return {model: dict(known.changes) for model, known in self._models.items()}

    def learn(self, model: str, changes: Mapping[str, bool | str]) -> bool:
        """Remember what a model's profile lacks; whether that is new, and no other request has learnt it meanwhile."""
        known = self._models.setdefault(model, _Known())
        self._models.move_to_end(model)
        if len(self._models) > MAX_MODELS:
            self._models.popitem(last=False)
        is_new = not changes.items() <= known.changes.items()
        known.changes |= changes
        known.until = trio.current_time() + LESSON_LIFETIME
        return is_new


def with_changes(target: Target, changes: Mapping[str, bool | str]) -> Target:
    """The same target, with other fields in its profile."""
    return attrs.evolve(target, profile=attrs.evolve(target.profile, **changes))  # type: ignore[arg-type] # rows name fields
