"""Webhooks: who is told of which events, signed, and how that went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from web.api.calls import Called
from web.api.fields import NO_ZERO, Name, Number, Wanted
from web.api.operations import Operations
from wfm.services import webhooks
from wfm.services.webhooks import Line
from wfm.tables import WebhookDelivery

api = Operations("webhooks")
Url = Annotated[str, Field(max_length=webhooks.LONGEST_URL, pattern=NO_ZERO)]


class NewHook(Wanted):
    """An address, and the events it is told of."""

    url: Url = Field(examples=["https://hooks.desk.example/tierdesk"])
    events: list[Name] = Field(max_length=100, examples=[["ticket.assigned"]])


class OnOff(Wanted):
    on: bool


class Secret(BaseModel):
    """What deliveries are signed with; told this once."""

    id: int
    secret: str | None


@api.read("/webhooks")
def listing(call: Called) -> Sequence[Line]:
    """Who is told, and how many deliveries wait, arrived, or were given up."""
    return webhooks.listing(call.session, call.actor)


@api.write("/webhooks", status=201, secret=("secret",))
def make(call: Called, wanted: NewHook) -> Secret:
    """Tell an address of events."""
    made, secret = webhooks.make(call.session, call.actor, wanted.url, wanted.events, call.at)
    return Secret(id=made.id or 0, secret=secret)


@api.read("/webhooks/{webhook}")
def one(call: Called, webhook: Number) -> Line:
    """One of them."""
    return webhooks.one(call.session, call.actor, webhook)[0]


@api.read("/webhooks/{webhook}/deliveries")
def deliveries(call: Called, webhook: Number) -> Sequence[WebhookDelivery]:
    """What was sent lately, and what came back."""
    return webhooks.one(call.session, call.actor, webhook)[1]


@api.write("/webhooks/{webhook}/secret", secret=("secret",))
def renew_secret(call: Called, webhook: Number) -> Secret:
    """A new secret; the old one signs nothing any more."""
    secret = webhooks.renew_secret(call.session, call.actor, webhook, call.at)
    return Secret(id=webhook, secret=secret)


@api.write("/webhooks/{webhook}/active", method="PUT")
def switch(call: Called, webhook: Number, wanted: OnOff) -> None:
    """Switch it on or off."""
    webhooks.switch(call.session, call.actor, webhook, wanted.on, call.at)


@api.write("/webhooks/{webhook}/test")
def try_out(call: Called, webhook: Number) -> None:
    """Send it a trial event."""
    webhooks.try_out(call.session, call.actor, webhook, call.at)


@api.write("/webhooks/{webhook}", method="DELETE")
def remove(call: Called, webhook: Number) -> None:
    """Tell it nothing any more."""
    webhooks.remove(call.session, call.actor, webhook, call.at)


@api.write("/deliveries/{delivery}/again")
def send_again(call: Called, delivery: Number) -> None:
    """Send a delivery once more."""
    webhooks.send_again(call.session, call.actor, delivery, call.at)
