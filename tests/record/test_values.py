"""The one reader of numbers: what is meant is read, and what may be another number is not."""

from __future__ import annotations

import pytest

from registry.record.messages import render
from registry.record.values import ValueFault, read_number, write_number

READ = {
    "1250": 1250,
    " 1 250 ": 1250,
    "1\u202f250\u00a0000": 1250000,
    "1'250": 1250,
    "1’250,5": 1250.5,
    "١٢٥٠": 1250,
    "١٬٢٥٠٫٥": 1250.5,
    "۰٫۵": 0.5,
    "0,397": 0.397,
    "0.450": 0.45,
    "12,5": 12.5,
    "12,50": 12.5,
    "1250,500": 1250.5,
    "450,0000": 450,
    "1.250.000": 1250000,
    "1,250,000.75": 1250000.75,
    "1.250,5": 1250.5,
    "-3": -3,
    "−3,25": -3.25,
    "1e3": 1000,
}


def said(text, *, whole=False, language="en"):
    with pytest.raises(ValueFault) as fault:
        read_number(text, whole=whole)
    return render(fault.value.saying, language, ())


@pytest.mark.parametrize(("text", "meant"), READ.items())
def test_what_is_meant_is_read(text, meant):
    found = read_number(text, whole=False)
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize(
    "text", ["450,000", "450.000", "٤٥٠٫٠٠٠", "٤٥٠،٠٠٠", "-1.250", "+12,345", "1,000"]
)
@pytest.mark.parametrize("whole", [True, False])
def test_one_mark_before_three_digits_is_refused(text, whole):
    assert "two ways" in said(text, whole=whole)


def test_what_is_said_can_be_written():
    assert said("450,000") == "“450,000” can be read in two ways. Write 450000 or 450.0000."
    assert read_number("450000", whole=True) == 450000
    assert read_number("450.0000", whole=False) == 450


@pytest.mark.parametrize(
    "text", ["", "beaucoup", "95 %", "1 25", "12 34 567", "1,25,000", "1.2.3", "²", "nan", "1e999"]
)
def test_what_is_no_number_is_not_read(text):
    assert "is not a number" in said(text)


def test_a_whole_number_has_no_decimals():
    assert "whole number" in said("12,5", whole=True)
    assert read_number("12,0", whole=True) == 12


@pytest.mark.parametrize("value", [0, 450, 1250, 0.397, 12.345, 999.999, -12.345, 1e-9, 1e15, 0.1])
def test_what_a_form_shows_is_read_as_the_same(value):
    assert read_number(write_number(value), whole=False) == value
