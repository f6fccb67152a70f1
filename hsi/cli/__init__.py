"""The command line: one file for each subcommand, which parses, calls and prints.

No file here imports more than click at its top, so that ``hsi --help`` answers at once.
"""
