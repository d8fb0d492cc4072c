"""Many prices for one customer: lists and facts are read once, then every price is pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from booking.billing.conditions import Usage
from booking.billing.customers import History, customer_history
from booking.billing.price_lists import tariffs_through
from booking.billing.pricing import NotPriced, Quote, Tariff, quote


@dataclass(frozen=True, slots=True)
class PriceBook:
    """A municipality's lists over a stretch of local days, and what it knows of one customer."""

    lists: Sequence[tuple[date, Tariff]]
    customer: History

    def quote(self, usage: Usage, day: date) -> Quote:
        """Return the price by the list in force on the local day. Raises NotPriced where there is none."""
        in_force = [tariff for begins, tariff in self.lists if begins <= day]
        if not in_force:
            raise NotPriced(f"there is no price list for {day}")
        return quote(in_force[-1], usage, self.customer.on(day))


async def price_book(
    party: UUID | None, municipality: str, first: date, last: date, home: str | None = None
) -> PriceBook:
    """Return what prices of these days rest on; `home` is a visitor's, as in customer_facts."""
    lists = await tariffs_through(municipality, first, last)
    return PriceBook(lists, await customer_history(party, municipality, home))
