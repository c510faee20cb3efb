"""One request, from the moment it is understood to its end."""
