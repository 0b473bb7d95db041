"""`python -m bench` is the same as `bench`."""

from bench.commands.cli import main

if __name__ == "__main__":
    main()
