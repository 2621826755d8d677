#!/usr/bin/env python3
"""Makes phone_numbers.tsv: telephone numbers of every country, and what the Python port of libphonenumber makes of them.

    pip install phonenumbers==9.0.43
    python3 tests/data/phone_numbers.py > tests/data/phone_numbers.tsv

A line has the country, the number in E.164 or `-` where the library says that it is not possible (or only between
neighbours, or another one when it is read again), and spellings that the library
reads as that number. Example numbers come with their usual spellings, those with the trunk prefix included; further numbers are
drawn, most of them in the lengths of each country. All are the library's examples or drawn; none was taken from a person.
"""

import random
import sys

import phonenumbers as lib
from phonenumbers import PhoneMetadata
from phonenumbers import PhoneNumberFormat as Form
from phonenumbers import PhoneNumberType as Type

VERSION = "9.0.43"
DRAWN = 8
DRAWN_OF_ANY_LENGTH = 4


def parsed(spelling):
    try:
        return lib.parse(spelling, None)
    except lib.NumberParseException:
        return None


def read(spelling):
    """The number in E.164, or `-`."""
    number = parsed(spelling)
    if number is None or lib.is_possible_number_with_reason(number) != lib.ValidationResult.IS_POSSIBLE:
        return "-"
    written = lib.format_number(number, Form.E164)
    # Of a few strings of digits the library would take a prefix twice.
    return written if parsed(written) == number else "-"


def spellings(number, metadata):
    code, national = number.country_code, lib.national_significant_number(number)
    yield lib.format_number(number, Form.E164)
    yield lib.format_number(number, Form.INTERNATIONAL)
    yield lib.format_number(number, Form.RFC3966)
    yield f"+{code} {lib.format_number(number, Form.NATIONAL)}"
    if metadata is not None and metadata.national_prefix:
        yield f"+{code} {metadata.national_prefix}{national}"
        yield f"+{code} ({metadata.national_prefix}) {national}"


def examples(region, metadata):
    for kind in Type.values():
        number = lib.example_number_for_type(region, kind)
        if number is not None:
            yield number, metadata


def drawn(code, metadata, dice):
    lengths = metadata.general_desc.possible_length
    lengths = [dice.choice(lengths) for _ in range(DRAWN)] + [dice.randint(3, 13) for _ in range(DRAWN_OF_ANY_LENGTH)]
    for length in lengths:
        digits = "".join(dice.choice("0123456789") for _ in range(length))
        prefix = dice.choice(["", metadata.national_prefix or ""])
        yield f"+{code}{prefix}{digits}"


def main():
    assert lib.__version__ == VERSION, lib.__version__
    dice = random.Random(2026)
    lines = {}
    for region in sorted(lib.SUPPORTED_REGIONS):
        metadata = PhoneMetadata.metadata_for_region(region)
        for number, metadata in examples(region, metadata):
            for spelling in spellings(number, metadata):
                lines.setdefault((region, read(spelling)), {})[spelling] = None
        if region != "CN":
            for spelling in drawn(metadata.country_code, metadata, dice):
                lines.setdefault((region, read(spelling)), {})[spelling] = None
    for code in sorted(lib.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        number = lib.example_number_for_non_geo_entity(code)
        for spelling in spellings(number, None):
            lines.setdefault((str(code), read(spelling)), {})[spelling] = None
    print(f"# phonenumbers {VERSION}")
    for (region, number), found in sorted(lines.items()):
        print(region, number, *found, sep="\t")


if __name__ == "__main__":
    sys.exit(main())
