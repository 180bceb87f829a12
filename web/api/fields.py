"""What operations take, with the bounds and examples of each kind of value."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import Path, Query
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from web.fields import LARGEST
from wfm.services.grade_files import Handed

NO_ZERO = r"^[^\x00]*$"  # the database keeps no zero bytes
FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)

Number = Annotated[int, Path(ge=1, le=LARGEST)]
Code = Annotated[str, Path(min_length=1, max_length=120, pattern=NO_ZERO, examples=["A007"])]
ADay = Annotated[date, Path(ge=FIRST, le=LAST, examples=["2026-10-01"])]
From = Annotated[date, Query(alias="from", ge=FIRST, le=LAST, examples=["2026-10-01"])]
Until = Annotated[date, Query(alias="until", ge=FIRST, le=LAST, examples=["2026-10-31"])]
Asked = Annotated[str, Query(max_length=120, pattern=NO_ZERO)]
AskedNumber = Annotated[int | None, Query(ge=1, le=LARGEST)]

Day = Annotated[date, Field(ge=FIRST, le=LAST, examples=["2026-10-01"])]
Id = Annotated[int, Field(ge=1, le=LARGEST)]
Name = Annotated[str, Field(max_length=120, pattern=NO_ZERO)]
Text = Annotated[str, Field(max_length=4000, pattern=NO_ZERO)]


class Wanted(BaseModel):
    """The body of a write; what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Period(Wanted):
    """Days, both ends included."""

    first: Day = Field(alias="from", examples=["2026-10-01"])
    last: Day = Field(alias="until", examples=["2026-10-31"])


class WithReason(Wanted):
    reason: Text = Field("", description="needed where something speaks against it",
                         examples=["the second weekend is covered by the other site"])  # fmt: skip


class HandedFile(Wanted):
    """A file within a request."""

    name: str = Field(min_length=1, max_length=200, pattern=NO_ZERO, examples=["note.txt"])
    content: Base64Bytes = Field(description="base64", examples=["5ZCM5oSP"])


Files = list[HandedFile]


def handed(files: Sequence[HandedFile]) -> list[Handed]:
    """Files as the services take them."""
    return [Handed(one.name, io.BytesIO(one.content)) for one in files]
