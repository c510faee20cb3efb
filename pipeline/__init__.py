"""The program around the translation: settings, commands, service, endpoints, upstreams."""
