"""The local store: files and batches on this machine's disk, for upstreams that keep neither.

It speaks as OpenAI's Files and Batch APIs do (`store` has the interface, `pipeline.upstream.stored` is the other way),
so whoever serves Anthropic's endpoints need not know where things are kept.  `runner` does what the upstream would: it
runs the batches.
"""
