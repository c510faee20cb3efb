"""What dragoman costs on this machine, measured with nothing but this checkout; see `dragoman bench --help`."""
