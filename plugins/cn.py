"""Functions of the Chinese market: check digits of codes, and amounts as people write them.

Codes are held to their own check digits, which finds slips of typing; whether a code was ever given out only the
register knows. A resident's number is personal: the functions say whether it can be one, and give no part of it.
"""
from __future__ import annotations

import datetime
import math
import re

from engine import Function, hookimpl, sql_form

tierwise_hooks = 1

# --- codes -----------------------------------------------------------------------------------------

#: GB 32100-2015, 4: digits and letters without I, O, S, V, Z, each of the value of its place.
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
CREDIT = re.compile(rf"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}", re.ASCII)
#: GB 11714-1997: digits and all letters, of their values in base 36.
ORGANISATION = re.compile(r"[0-9A-Z]{8}-?[0-9X]", re.ASCII)
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
BASE_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: GB 11643-1999, which takes ISO 7064, MOD 11-2.
RESIDENT = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
RESIDENT_CHECKS = "10X98765432"


def valid_credit_code(code: str) -> bool:
    if not CREDIT.fullmatch(code):
        return False
    total = sum(ALPHABET.index(sign) * weight for sign, weight in zip(code, CREDIT_WEIGHTS, strict=False))
    return ALPHABET[(31 - total % 31) % 31] == code[17]


def valid_organisation_code(code: str) -> bool:
    if not ORGANISATION.fullmatch(code):
        return False
    total = sum(BASE_36.index(sign) * weight for sign, weight in zip(code, ORGANISATION_WEIGHTS, strict=False))
    return "0123456789X0"[11 - total % 11] == code[-1]


def valid_resident_number(number: str) -> bool:
    if not RESIDENT.fullmatch(number) or not _is_day(number[6:14]):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, RESIDENT_WEIGHTS, strict=False))
    return RESIDENT_CHECKS[total % 11] == number[17]


def _is_day(text: str) -> bool:
    try:
        day = datetime.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return day.year >= 1800


def _weighed(column: str, alphabet: str, weights: tuple[int, ...]) -> str:
    """The weighed sum of a text's signs in SQL."""
    parts = [
        f"(STRPOS('{alphabet}', SUBSTRING({column}, {place}, 1)) - 1) * {weight}"
        for place, weight in enumerate(weights, start=1)
    ]
    return f"({' + '.join(parts)})"


CREDIT_SQL = f"""CASE WHEN REGEXP_FULL_MATCH(code, '[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}')
    THEN SUBSTRING('{ALPHABET}', ((31 - {_weighed("code", ALPHABET, CREDIT_WEIGHTS)} % 31) % 31) + 1, 1)
        = SUBSTRING(code, 18, 1)
    ELSE FALSE END"""
ORGANISATION_SQL = f"""CASE WHEN REGEXP_FULL_MATCH(code, '[0-9A-Z]{{8}}-?[0-9X]')
    THEN SUBSTRING('0123456789X0', 12 - {_weighed("code", BASE_36, ORGANISATION_WEIGHTS)} % 11, 1)
        = SUBSTRING(code, LENGTH(code), 1)
    ELSE FALSE END"""


# --- amounts ----------------------------------------------------------------------------------------

_UNITS = {"": 1, "十": 10, "百": 100, "千": 1_000, "万": 10_000, "十万": 100_000, "百万": 1_000_000,
          "千万": 10_000_000, "亿": 100_000_000, "十亿": 1_000_000_000, "百亿": 10_000_000_000,
          "千亿": 100_000_000_000, "万亿": 1_000_000_000_000}
#: A number with thousands or without, and what it counts; several follow one another, as `1亿2000万`.
_PART = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)([十百千]?[万亿]?亿?)", re.ASCII)
_FULL_WIDTH = str.maketrans("０１２３４５６７８９，．－￥", "0123456789,.-¥")
_LARGEST = 1e13


def amount_of_text(text: str) -> float:
    """`3,500万元`, `1.2亿`, `1亿2000万`, `-500`, `人民币80万元整` as a number."""
    plain = text.translate(_FULL_WIDTH).strip().removeprefix("人民币").strip()
    negative = plain.startswith("-")
    plain = plain.removeprefix("-").removeprefix("¥").strip().removesuffix("整").removesuffix("元").strip()
    position, total, below = 0, 0.0, math.inf
    while position < len(plain):
        match = _PART.match(plain, position)
        if match is None or match[2] not in _UNITS or _UNITS[match[2]] >= below:
            raise ValueError("the text is no amount")
        below = _UNITS[match[2]]
        total += float(match[1].replace(",", "")) * below
        position = match.end()
    if position == 0 or total > _LARGEST:
        raise ValueError("the text is no amount")
    return -total if negative else total


def amount_in_wan(amount: float) -> str:
    """An amount in the largest of 亿, 万 and 元 that it reaches, to two decimals without zeros at the end."""
    if abs(amount) > _LARGEST:
        raise ValueError("the amount is too large")
    cents = _cents(abs(amount))
    for name, unit in (("亿元", 10**10), ("万元", 10**6), ("元", 100)):
        if cents >= unit or unit == 100:
            hundredths = (cents * 100 * 2 + unit) // (unit * 2)
            if name == "万元" and hundredths >= 10**6:      # 9999.999 万 rounds up to the next unit
                name, hundredths = "亿元", 100
            shown = f"{hundredths // 100}.{hundredths % 100:02d}".rstrip("0").rstrip(".")
            return f"{'-' if amount < 0 and hundredths else ''}{shown}{name}"
    raise AssertionError("元 takes every amount")


def _cents(amount: float) -> int:
    """A positive amount in cents, half a cent up; the last bit of a binary fraction decides no tie."""
    cents = amount * 100
    return math.floor(cents + 0.5 + max(1e-9, cents * 2.5e-16))


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")


def capital_amount(amount: float) -> str:
    """People's Bank of China, Rules on payment and settlement (1997), annex 1, 5; with 负 before a negative one."""
    if abs(amount) > _LARGEST:
        raise ValueError("the amount is too large")
    cents = _cents(abs(amount))
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    words = _whole_in_words(yuan) + "元" if yuan or not cents else ""
    if jiao:
        if yuan and yuan % 10 == 0 and yuan % 10000:
            words += "零"
        words += _DIGITS[jiao] + "角"
    elif fen and yuan:
        words += "零"
    words += _DIGITS[fen] + "分" if fen else "" if jiao else "整"
    return f"负{words}" if amount < 0 and cents else words


def _whole_in_words(number: int) -> str:
    for unit, name in ((10**8, "亿"), (10**4, "万")):
        if number >= unit:
            high, rest = divmod(number, unit)
            gap = "零" if 0 < rest < unit // 10 else ""
            return _whole_in_words(high) + name + gap + (_whole_in_words(rest) if rest else "")
    return _group_in_words(number) or _DIGITS[0]


def _group_in_words(group: int) -> str:
    words, gap = "", False
    for place in range(3, -1, -1):
        digit = group // 10**place % 10
        if digit:
            words += ("零" if gap and words else "") + _DIGITS[digit] + _PLACES[place]
        gap = not digit
    return words


# --- what policies call ---------------------------------------------------------------------------------


@hookimpl
def register_functions() -> list[Function]:
    code, number = {"code": "string"}, {"number": "string"}
    return [
        Function(
            "cn", "valid credit code", code, "boolean", valid_credit_code, sql_form(CREDIT_SQL, "code"),
            help="Whether a text can be a unified social credit code (统一社会信用代码): 18 signs of GB 32100-2015 "
                 "with the right check digit.",
            examples=(('"91350100M000100Y43"', "true"), ('"91350100M000100Y44"', "false")),
        ),
        Function(
            "cn", "valid organisation code", code, "boolean", valid_organisation_code,
            sql_form(ORGANISATION_SQL, "code"),
            help="Whether a text can be an organisation code (组织机构代码) of GB 11714-1997, with its hyphen or "
                 "without.",
            examples=(('"D2143569-X"', "true"), ('"D21435691"', "false")),
        ),
        Function(
            "cn", "valid resident number", number, "boolean", valid_resident_number,
            help="Whether a text can be a citizen's number (公民身份号码) of GB 11643-1999: a day of birth and the "
                 "right check digit. No part of it is given out.",
            examples=(('"11010519491231002X"', "true"), ('"110105194912310021"', "false")),
        ),
        Function(
            "cn", "amount of text", {"text": "string"}, "number", amount_of_text,
            help="An amount as people write it, with 万 and 亿, 元 and commas.",
            examples=(('"3,500万元"', "35000000"), ('"1亿2000万"', "120000000"), ('"1.2亿"', "120000000")),
        ),
        Function(
            "cn", "amount in wan", {"amount": "amount"}, "string", amount_in_wan,
            help="An amount in 亿元, 万元 or 元, to two decimals.",
            examples=(("35000000", '"3500万元"'), ("123456789", '"1.23亿元"'), ("999.5", '"999.5元"')),
        ),
        Function(
            "cn", "capital amount", {"amount": "amount"}, "string", capital_amount,
            help="An amount in capital numerals (大写金额), as contracts and bills write it.",
            examples=(("1409.5", '"壹仟肆佰零玖元伍角"'), ("16409.02", '"壹万陆仟肆佰零玖元零贰分"'),
                      ("325.04", '"叁佰贰拾伍元零肆分"')),
        ),
    ]
