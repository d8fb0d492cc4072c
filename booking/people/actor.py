"""Actor: the one who asks. Every action and every query takes one."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from booking.errors import NotAllowed, NotFound


class Role(StrEnum):
    """What somebody may do in one municipality."""

    RESIDENT = "resident"
    BOOKER = "booker"
    STAFF = "facility_staff"
    FINANCE = "finance"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks (account), for whom (parties), in which municipalities (roles).

    An anonymous visitor has a session at most. The system itself (worker, command line) is `Actor.system()`.
    """

    account: UUID | None = None
    session: UUID | None = None
    party: UUID | None = None  # the person behind the account
    acts_for: frozenset[UUID] = frozenset()  # parties, the person included
    roles: frozenset[tuple[str, Role]] = frozenset()  # (municipality code, role)
    home: str | None = None  # home municipality of the person
    is_system: bool = field(default=False)

    @classmethod
    def system(cls) -> "Actor":
        """Return the actor of the worker and the command line, who sees every municipality."""
        return cls(is_system=True)

    def has(self, municipality: str, *roles: Role) -> bool:
        """True if the actor holds one of the roles there; an admin holds them all."""
        return self.is_system or any((municipality, role) in self.roles for role in (*roles, Role.ADMIN))

    def where(self, *roles: Role) -> list[str]:
        """Return the municipalities in which the actor holds one of the roles."""
        wanted = {*roles, Role.ADMIN}
        return sorted({code for code, role in self.roles if role in wanted})

    def must_have(self, municipality: str, *roles: Role) -> None:
        """Raise NotFound unless the actor holds a role there: a foreign municipality's rows look absent."""
        if not self.has(municipality, *roles):
            raise NotFound("there is no such thing here")

    def must_act_for(self, party: UUID) -> None:
        """Raise NotAllowed unless the actor may act for the party."""
        if not (self.is_system or party in self.acts_for):
            raise NotAllowed("you may not act for this party", code="may_not_act_for")

    def must_be_known(self) -> UUID:
        """Return the account; raises NotAllowed for a visitor."""
        if self.account is None:
            raise NotAllowed("log in first", code="login_required")
        return self.account
