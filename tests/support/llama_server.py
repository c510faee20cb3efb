"""Serves a model with llama.cpp; run by the interpreter that has `xllamacpp`, so it imports nothing of ours.

usage: llama_server.py PORT MODEL TEMPLATE [endless]
"""

import importlib
import sys
import threading
from pathlib import Path

xllamacpp = importlib.import_module("xllamacpp")  # no package of ours: the engine has a venv of its own

ADDRESS = "127.0.0.1"
CONTEXT, SLOTS = 262_144, 4


def main(port: str, model: str, template: str, *more: str) -> None:
    """Serve until the process is ended."""
    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = model, {"tiny"}
    params.port = int(port)
    if hasattr(params, "hostname"):  # builds of July 2026 and older
        params.hostname = ADDRESS
    else:
        params.hostnames = [ADDRESS]
    params.n_ctx, params.n_parallel, params.n_gpu_layers, params.warmup = CONTEXT, SLOTS, 0, False
    params.use_jinja, params.chat_template = True, Path(template).read_text()
    params.endpoint_slots = True
    params.sampling.seed, params.sampling.temp = 42, 0
    params.sampling.reasoning_budget_tokens = 4
    params.sampling.ignore_eos = "endless" in more
    server = xllamacpp.Server(params)  # it logs to the other stream
    print("up", flush=True)
    threading.Event().wait()
    del server


main(*sys.argv[1:])
