"""What a wish costs the one who asks, by the owner municipality's list on the day of use."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from booking import billing, db
from booking.places import Resource
from booking.reservations.calendar import Who, local_day
from booking.span import Span


@dataclass(frozen=True, slots=True)
class Customer:
    """For whom a price is asked: a party, or a visitor who says where they live."""

    party: UUID | None = None
    home: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What a booking is of: its resource (or a pool of like ones), others booked with it, equipment by count."""

    main: Resource
    together: tuple[Resource, ...] = ()
    equipment: tuple[tuple[Resource, int], ...] = ()

    @property
    def resources(self) -> list[Resource]:
        """Return everything that is asked for, the main thing first."""
        return [self.main, *self.together, *(one for one, _ in self.equipment)]


class _PartyFacts(db.Record):
    kind: str
    home: str | None
    born: date | None
    drives: bool


async def who(customer: Customer, owner: str, day: date) -> Who:
    """Return what the rules of an owner municipality ask about the customer for use on a day."""
    if customer.party is None:
        return Who(is_own=customer.home == owner)
    found = await db.row(
        _PartyFacts,
        "SELECT p.kind, p.home_municipality AS home, p.born, EXISTS (SELECT FROM driver d"
        " JOIN account a ON a.id = d.account LEFT JOIN membership m ON m.account = a.id AND m.party = p.id"
        " WHERE d.municipality = $2 AND d.valid_to >= $3 AND (a.party = p.id OR m.id IS NOT NULL)) AS drives"
        " FROM party p WHERE p.id = $1",
        customer.party,
        owner,
        day,
    )
    return Who() if found is None else Who(found.kind, found.home == owner, found.born, found.drives)


async def price(resource: Resource, span: Span, purpose: str, customer: Customer) -> billing.Quote:
    """Return the price with its explanation. Raises billing.NotPriced where the list has none."""
    return await price_of(Order(resource), span, purpose, customer)


async def price_of(order: Order, span: Span, purpose: str, customer: Customer) -> billing.Quote:
    """Return the price of all that is ordered, line by line. Equipment that the list does not price is free."""
    owner, day = order.main.facility.municipality.code, local_day(span)
    tariff = await billing.tariff_in_force(owner, day)
    facts = await billing.customer_facts(customer.party, owner, day, customer.home)

    def priced(resource: Resource) -> billing.Quote:
        return billing.quote(tariff, usage(resource, span, purpose), facts)

    items = [billing.Item(one.name, 1, priced(one)) for one in order.together]
    for one, count in order.equipment:
        listed = one.tariff_class in tariff.data.classes
        items.append(billing.Item(one.name, count, priced(one) if listed else None))
    return billing.combined(priced(order.main), items)


def usage(resource: Resource, span: Span, purpose: str) -> billing.Usage:
    """Return the wish in the words of the price list."""
    return billing.Usage(resource.tariff_class, span.start, span.end, purpose)


class Pricer:
    """Prices many starts for one customer, asking for each list and each customer's facts once."""

    def __init__(self, customer: Customer, purpose: str) -> None:
        self.purpose = purpose
        self._customer = customer
        self._grounds: dict[tuple[str, date], tuple[billing.Tariff, billing.CustomerFacts]] = {}

    async def ground(self, owner: str, day: date) -> tuple[billing.Tariff, billing.CustomerFacts]:
        """Return the list in force on a local day, and what its municipality knows of the customer."""
        key = (owner, day)
        if key not in self._grounds:
            tariff = await billing.tariff_in_force(owner, day)
            facts = await billing.customer_facts(self._customer.party, owner, day, self._customer.home)
            self._grounds[key] = tariff, facts
        return self._grounds[key]

    async def ore(self, resource: Resource, span: Span) -> int | None:
        """Return the total in öre, or None where the list has no price."""
        tariff, facts = await self.ground(resource.facility.municipality.code, local_day(span))
        try:
            return billing.quote(tariff, usage(resource, span, self.purpose), facts).total_ore
        except billing.NotPriced:
            return None
