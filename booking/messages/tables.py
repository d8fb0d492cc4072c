"""Rows and constraints of messages and webhooks. The trigger that feeds webhooks is in migrations/0005."""

from piccolo.columns import (
    UUID,
    Array,
    BigInt,
    BigSerial,
    Boolean,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.base import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from booking.people.tables import Account, Municipality, Party


class Message(Table, tablename="message"):
    """One mail or SMS to one receiver. Its text is made when it is sent; no secret is ever in the row."""

    id = UUID(primary_key=True, default=None)
    template = Varchar(length=32, default=None)
    channel = Varchar(length=5, default=None)
    municipality = ForeignKey(Municipality, null=True, on_delete=OnDelete.restrict, index=True)
    account = ForeignKey(Account, null=True, on_delete=OnDelete.restrict, index=True)
    party = ForeignKey(Party, null=True, on_delete=OnDelete.restrict, index=True)
    about = UUID(null=True, default=None, index=True)
    data = Text(default="{}", help_text="JSON facts for the template; never a PIN.")
    dedupe = Varchar(length=200, null=True, default=None, unique=True)
    state = Varchar(length=8, default=None)
    attempts = Integer(default=0)
    error = Varchar(length=300, null=True, default=None)
    provider_id = Varchar(length=120, null=True, default=None)
    created_at = Timestamptz(default=None)
    tried_at = Timestamptz(null=True, default=None)
    done_at = Timestamptz(null=True, default=None)

    message_channel = Check("channel IN ('email', 'sms')")
    message_receiver = Check("account IS NOT NULL OR party IS NOT NULL")
    message_state = Check("state IN ('owed', 'sending', 'sent', 'dropped', 'dead')")


class MessageChoice(Table, tablename="message_choice"):
    """The account wants, or does not want, this template by this channel. Without a row the default holds."""

    id = BigSerial(primary_key=True)
    account = ForeignKey(Account, null=False, on_delete=OnDelete.restrict, index=True)
    template = Varchar(length=32, default=None)
    channel = Varchar(length=5, default=None)
    wanted = Boolean(default=None)

    message_choice_once = Unique([account, template, channel])


class MessagePhone(Table, tablename="message_phone"):
    """The account's number for SMS. Nothing but the confirming code goes there until it is confirmed."""

    account = ForeignKey(Account, primary_key=True, null=False, on_delete=OnDelete.restrict, default=None)
    phone = Varchar(length=16, default=None, help_text="E.164")
    asked_at = Timestamptz(default=None)
    confirmed_at = Timestamptz(null=True, default=None)
    tries = Integer(default=0)


class WebhookEndpoint(Table, tablename="webhook_endpoint"):
    """An address of another system that a municipality tells of events. Its secret is derived, not stored."""

    id = UUID(primary_key=True, default=None)
    municipality = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)
    url = Varchar(length=500, default=None)
    description = Varchar(length=120, default="")
    events = Array(base_column=Varchar(length=60), default=None)
    state = Varchar(length=8, default="on")
    generation = Integer(default=1, help_text="Which secret; raised by a rotation.")
    old_until = Timestamptz(null=True, default=None, help_text="Until then the secret before signs as well.")
    created_at = Timestamptz(default=None)
    failing_since = Timestamptz(null=True, default=None)
    quiet_until = Timestamptz(null=True, default=None, help_text="Not tried before; it failed just now.")
    failed_why = Varchar(length=200, null=True, default=None)

    webhook_endpoint_state = Check("state IN ('on', 'off', 'failed')")


class WebhookDelivery(Table, tablename="webhook_delivery"):
    """One event owed to one endpoint. The body is what is signed; it never changes."""

    id = UUID(primary_key=True, default=None)
    endpoint = ForeignKey(WebhookEndpoint, null=False, on_delete=OnDelete.cascade, index=True)
    event = Varchar(length=60, default=None)
    journal = BigInt(null=True, default=None)
    body = Text(default=None)
    state = Varchar(length=8, default="owed")
    attempts = Integer(default=0)
    status = Integer(null=True, default=None)
    error = Varchar(length=300, null=True, default=None)
    created_at = Timestamptz(default=None)
    tried_at = Timestamptz(null=True, default=None)
    done_at = Timestamptz(null=True, default=None)

    webhook_delivery_once = Unique([endpoint, journal])
    webhook_delivery_state = Check("state IN ('owed', 'done', 'dead')")
