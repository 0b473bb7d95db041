"""The command `bench`, as `python -m bench`."""

from bench.commands.cli import main

if __name__ == "__main__":
    main()
