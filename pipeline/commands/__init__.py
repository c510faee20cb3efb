"""The commands of `dragoman`, one file each: `configure(parser)` and `run(arguments) -> exit code`."""
