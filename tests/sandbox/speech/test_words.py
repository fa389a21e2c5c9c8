import pytest

from opencto.sandbox.speech.words import cardinal, ordinal, spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("gpt-realtime-2.1", "G P T realtime two point one"),
        ("gpt-4o-mini", "G P T four o mini"),
        ("gpt-6.1-sol.", "G P T six point one sol."),
        ("$12.40", "twelve dollars forty"),
        ("$1.00", "one dollar"),
        ("$0.07", "seven cents"),
        ("-$3", "minus three dollars"),
        ("$1,234.50", "one thousand two hundred thirty four dollars fifty"),
        ("$4.2M", "four point two million dollars"),
        ("£0.50", "fifty pence"),
        ("12.5%", "twelve point five percent"),
        ("-3%", "minus three percent"),
        ("2026-11-23", "November twenty third, twenty twenty six"),
        ("November 3, 2005", "November third, two thousand five"),
        ("the 22nd", "the twenty second"),
        ("14:05", "fourteen oh five"),
        ("1,847 users", "one thousand eight hundred forty seven users"),
        ("007", "zero zero seven"),
        ("2026-13-45", "2026-13-45"),
        ("<speed level='20'>slow</speed>", "speed level='twenty' slow /speed"),
        ("No numbers here.", "No numbers here."),
        ("OpenCTO's sandbox", "Open C T O's sandbox"),
        ("OpenAI says no", "Open ay eye says no"),
        ("cto_openai_proxy, 1 of 90", "C T O Open ay eye proxy, one out of ninety"),
        ("realtime_token of _private_ or req_9f2", "realtime token of private or req 9f2"),
    ],
)
def test_things_are_put_as_people_say_them(written: str, said: str) -> None:
    assert spoken(written) == said


def test_numbers_in_words() -> None:
    assert cardinal(0) == "zero"
    assert cardinal(1_000_001) == "one million one"
    assert [ordinal(number) for number in (1, 12, 20, 31, 100)] == [
        "first",
        "twelfth",
        "twentieth",
        "thirty first",
        "one hundredth",
    ]
