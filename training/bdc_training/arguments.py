"""Types of command line options."""

import argparse


def positive_int(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0; found {text!r}")
    return value


def positive_number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    # NaN isn't above 0 either.
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0; found {text!r}")
    return value
