"""No code stands in clear anywhere but in its door, after the whole product has run; and the search can see."""

import base64

import pytest

from bench.pin_leak import found_in, run

PIN = b"2718281828"


@pytest.mark.parametrize(
    "form",
    [
        PIN,
        PIN[::-1],
        b"99" + PIN + b"1",
        PIN.decode().encode("utf-16-le"),
        PIN.decode().encode("utf-16-be"),
        PIN.hex().encode(),
        *(base64.b64encode(b"x" * shift + b'{"pin": "' + PIN + b'"}') for shift in range(3)),
        base64.urlsafe_b64encode(b"?>?" + PIN),
    ],
)
def test_a_code_in_any_form__is_found(form: bytes) -> None:
    assert found_in(b"\x01 log:" + form + b"; more", {PIN}) == {PIN}


def test_other_digits__are_not_taken_for_a_code() -> None:
    assert found_in(b"1795010460 27182 81828 2718281829", {PIN}) == set()


@pytest.mark.timeout(900)
def test_a_full_run_of_the_product__leaves_no_code_in_clear_anywhere() -> None:
    facts = run(print)
    assert facts["found_in_clear"] == 0, facts
    assert int(str(facts["planted"])) > 20
