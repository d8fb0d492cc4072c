"""Rows and constraints of people."""

from piccolo.columns import (
    UUID,
    Boolean,
    Bytea,
    Date,
    DoublePrecision,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.base import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table


class Municipality(Table, tablename="municipality"):
    """A municipality that owns resources: the tenant. The key is its official four-digit code (SCB)."""

    code = Varchar(length=4, primary_key=True, default=None)
    name = Varchar(length=80, default=None)
    lat = DoublePrecision(default=None)
    lon = DoublePrecision(default=None)
    contact_email = Varchar(length=120, default=None)
    contact_phone = Varchar(length=30, default=None)
    on_call_phone = Varchar(length=30, default=None)
    brand = Varchar(length=7, null=True, default=None)


class Neighbour(Table, tablename="neighbour"):
    """`of` shows the resources of `to` beside its own. Stored in both directions."""

    id = UUID(primary_key=True, default=None)
    of = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)
    to = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)

    neighbour_once = Unique([of, to])


class Party(Table, tablename="party"):
    """Somebody who books and pays: a person, an association, a municipal unit or a company."""

    id = UUID(primary_key=True, default=None)
    kind = Varchar(length=16, default=None)
    name = Varchar(length=120, default=None)
    org_number = Varchar(length=13, null=True, default=None)
    home_municipality = Varchar(length=4, null=True, default=None, index=True)
    email = Varchar(length=254, null=True, default=None)
    address = Text(null=True, default=None)
    may_be_invoiced = Boolean(default=False)
    born = Date(null=True, default=None, help_text="A person's, where an age rule needs it.")
    created_at = Timestamptz(default=None)

    party_kind = Check("kind IN ('person', 'association', 'municipal_unit', 'company')")


class Account(Table, tablename="account"):
    """Somebody who can log in. The password is an argon2id hash."""

    id = UUID(primary_key=True, default=None)
    email = Varchar(length=254, default=None, unique=True, help_text="Lower case.")
    password_hash = Varchar(length=200, default=None, secret=True)
    party = ForeignKey(Party, null=False, on_delete=OnDelete.restrict, index=True)
    language = Varchar(length=2, default="sv")
    created_at = Timestamptz(default=None)

    account_email_lower = Check("email = lower(email)")


class Membership(Table, tablename="membership"):
    """The account may act for the party within the dates."""

    id = UUID(primary_key=True, default=None)
    account = ForeignKey(Account, null=False, on_delete=OnDelete.restrict, index=True)
    party = ForeignKey(Party, null=False, on_delete=OnDelete.restrict, index=True)
    valid_from = Date(default=None)
    valid_to = Date(null=True, default=None)

    membership_once = Unique([account, party])


class RoleRow(Table, tablename="role"):
    """The account holds the role in the municipality."""

    id = UUID(primary_key=True, default=None)
    account = ForeignKey(Account, null=False, on_delete=OnDelete.restrict, index=True)
    municipality = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)
    role = Varchar(length=16, default=None)

    role_once = Unique([account, municipality, role])
    role_known = Check("role IN ('resident', 'booker', 'facility_staff', 'finance', 'admin')")


class Session(Table, tablename="session"):
    """One browser. Looked up by the hash of its cookie; a visitor's has no account yet."""

    id = UUID(primary_key=True, default=None)
    token_hash = Bytea(default=None, unique=True, secret=True)
    account = ForeignKey(Account, null=True, on_delete=OnDelete.restrict, index=True)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None, index=True)


class LoginTries(Table, tablename="login_tries"):
    """How often a key has been counted lately: failed log-ins of an account or address, visitors who hold."""

    key = Varchar(length=120, primary_key=True, default=None)
    failures = Integer(default=0)
    since = Timestamptz(default=None)
