"""Messages on the wire: what one wants to get, and what has been sent, for staff."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from booking import messages
from booking.api.errors import responses
from booking.api.shapes import CodeRequired, LimitQuery, OffsetQuery
from booking.people import Actor


class NewChoices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Choices to change; what is not named stays."""

    choices: Annotated[list[messages.Choice], Meta(min_length=1, max_length=60)]


class NewPhone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mobile number (E.164)."""

    phone: Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,13}$", examples=["+46701234567"])]


class PhoneCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code that came by SMS."""

    code: Annotated[str, Meta(pattern=r"^[0-9]{6}$")]


class MessageList(msgspec.Struct, frozen=True):
    """A page of messages; `dead` is how many have been given up in all."""

    messages: list[messages.MessageCard]
    total: int
    dead: int


class MessageController(Controller):
    """Mail and SMS."""

    tags = ("Messages",)

    @get("/me/message-settings", operation_id="GetMessageSettings", responses=responses(401))
    async def settings(self, actor: NamedDependency[Actor]) -> messages.MessageSettings:
        """Return which messages the caller gets, how, and at which number."""
        return await messages.settings_of(actor)

    @put("/me/message-settings", operation_id="ChangeMessageSettings", responses=responses(401, 403, 422))
    async def choose(
        self, data: JSONBody[NewChoices], actor: NamedDependency[Actor]
    ) -> messages.MessageSettings:
        """Choose messages by channel. What costs somebody their time or their way in is always mailed."""
        await messages.choose(data.choices, by=actor)
        return await messages.settings_of(actor)

    @put("/me/phone", operation_id="SetPhone", responses=responses(401, 403, 429))
    async def set_phone(
        self, data: JSONBody[NewPhone], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> messages.MessageSettings:
        """Give a number; a code goes there by SMS, and nothing else until it is confirmed."""
        await messages.set_phone(data.phone, by=actor, now=now)
        return await messages.settings_of(actor)

    @post(
        "/me/phone/confirm",
        operation_id="ConfirmPhone",
        status_code=200,
        responses=responses(401, 403, 422, 429),
    )
    async def confirm_phone(
        self, data: JSONBody[PhoneCode], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> messages.MessageSettings:
        """Confirm the number with the code, within ten minutes and five tries."""
        await messages.confirm_phone(data.code, by=actor, now=now)
        return await messages.settings_of(actor)

    @delete("/me/phone", operation_id="ForgetPhone", responses=responses(401, 403))
    async def forget_phone(self, actor: NamedDependency[Actor]) -> None:
        """Forget the number: no SMS any more."""
        await messages.forget_phone(by=actor)

    @get("/messages", operation_id="ListMessages", responses=responses(404))
    async def index(
        self,
        municipality: CodeRequired,
        actor: NamedDependency[Actor],
        wanted: Annotated[messages.State | None, QueryParameter(name="state", required=False)] = None,
        limit: LimitQuery = 30,
        offset: OffsetQuery = 0,
    ) -> MessageList:
        """Return mails and SMS about a municipality's matters, newest first, to its staff."""
        found, total, dead = await messages.messages(
            municipality, wanted, by=actor, limit=limit, offset=offset
        )
        return MessageList(found, total, dead)

    @get("/messages/{message_id:uuid}", operation_id="GetMessage", responses=responses(404))
    async def read(
        self, message_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> messages.MessagePage:
        """Return one message with its text as it would be now; a code is hidden."""
        return await messages.page(message_id, by=actor, now=now)

    @post(
        "/messages/{message_id:uuid}/resend",
        operation_id="ResendMessage",
        status_code=200,
        responses=responses(403, 404, 409),
    )
    async def resend(
        self, message_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> messages.MessageCard:
        """Send a message that was given up again, from the first attempt."""
        return await messages.resend(message_id, by=actor, now=now)
