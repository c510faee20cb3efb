"""OpenTelemetry is an extra: where a clone was set up before it was declared, its tests are left out."""

from __future__ import annotations

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("opentelemetry.sdk") else ["test_*.py"]
