"""The link with which the first person takes the server."""

from opencto.house import House
from opencto.identity.claim import ClaimService


def claim_link(house: House, *, anywhere: bool) -> str | None:
    """A fresh link, None when the server is claimed. With `anywhere` it may be opened from another machine."""
    service = ClaimService(house.settings, house.clock)
    with house.database.write() as tx:
        service.ensure_first_person(tx)
        return None if service.is_claimed(tx) else service.new_link(tx, anywhere=anywhere)
