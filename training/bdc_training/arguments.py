"""Types of command line options."""

import argparse


def positive_int(text: str) -> int:
    return _whole_number(text, 1, "a whole number above 0")


def non_negative_int(text: str) -> int:
    return _whole_number(text, 0, "a whole number, 0 or above")


def _whole_number(text: str, least: int, expected: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"expected {expected}; found {text!r}")
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
