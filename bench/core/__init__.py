"""The rules of the game, random streams, files, signals, errors: no room below this one."""
