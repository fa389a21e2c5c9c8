"""What every list of the API takes, read from its query string."""

from typing import Annotated

from fastapi import Depends, Query

from opencto.identity.paging import Asked

Sort = Annotated[
    str | None, Query(max_length=40, description="The field to sort by; a hyphen before it turns the order round.")
]


async def _asked(
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=2000, description="The `nextCursor` of the page before, with the same `sort`.")
    ] = None,
    sort: Sort = None,
) -> Asked:
    return Asked(limit, cursor, sort)


async def _asked_with_words(
    asked: Annotated[Asked, Depends(_asked)],
    q: Annotated[str | None, Query(max_length=100, description="Only what contains this text.")] = None,
) -> Asked:
    return Asked(asked.limit, asked.cursor, asked.sort, q)


Listing = Annotated[Asked, Depends(_asked)]
SearchListing = Annotated[Asked, Depends(_asked_with_words)]
