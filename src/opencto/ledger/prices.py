"""What tokens cost, from `genai-prices`. What it does not know is unknown, never zero."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

PICOS = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one call by kind. The audio counts are part of the totals, as OpenAI reports them."""

    input: int = 0
    cached_input: int = 0
    output: int = 0
    input_audio: int = 0
    output_audio: int = 0
    cached_input_audio: int = 0


def cost_usd(model: str, tokens: Tokens, at: datetime) -> Decimal | None:
    """The price of a call to OpenAI at that time, None when the model's price is not known.

    The price list is imported with the first call that has a price to find; reading it takes most of a second.
    """
    from genai_prices import Usage, calc_price

    usage: dict[str, int] = {"input_tokens": tokens.input, "output_tokens": tokens.output}
    if tokens.cached_input:
        usage["cache_read_tokens"] = tokens.cached_input
    if tokens.input_audio or tokens.cached_input_audio:
        usage["input_audio_tokens"] = tokens.input_audio
        usage["cache_audio_read_tokens"] = tokens.cached_input_audio
        usage.setdefault("cache_read_tokens", tokens.cached_input)
    if tokens.output_audio:
        usage["output_audio_tokens"] = tokens.output_audio
    try:
        found = calc_price(Usage(**usage), model_ref=model, provider_id="openai", genai_request_timestamp=at)
    except (LookupError, ValueError):  # no such model, or kinds of tokens that the list has no price for
        return None
    # A model whose tokens are listed without a price (facts/versions.md) is as unknown as one that is not listed.
    if found.total_price == 0 and (tokens.input or tokens.output):
        return None
    return Decimal(found.total_price)


def to_picos(cost: Decimal | None) -> int | None:
    """Whole 10^-12 USD, as it is stored."""
    return None if cost is None else int((cost * PICOS).to_integral_value())


def from_picos(picos: int | None) -> Decimal | None:
    """The opposite of `to_picos`."""
    return None if picos is None else Decimal(picos) / PICOS
