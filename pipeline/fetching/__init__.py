"""Pages of the web, read for a model: nothing here trusts the address, the host, or what it says."""
