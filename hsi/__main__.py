"""``python -m hsi``: the command line, where the script ``hsi`` is not on the path."""

from hsi.cli.main import main

if __name__ == "__main__":
    main()
