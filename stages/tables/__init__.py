"""Every correspondence between the two APIs, as data."""
