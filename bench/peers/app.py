"""The peer's HTTP: FastAPI over asyncpg's pool. `PEER_DSN` names the database, `PEER_POOL` the connections to it."""

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from bench.peers.booking import ApiKey, KeyReused, Order, Taken, book
from bench.peers.catalogue import Refused, Service, read_service

PROBLEM = "application/problem+json"
API_KEY = "SELECT id, business_id, scopes FROM api_key WHERE digest = $1"

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:@+-]{1,128}$")]
Instant = Annotated[datetime, PlainSerializer(lambda instant: f"{instant:%Y-%m-%dT%H:%M:%SZ}", return_type=str)]


class Value(BaseModel):
    """The base of what is sent and shown: camelCase, and nothing unknown."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Contact(Value):
    """How the customer is reached."""

    name: Annotated[str, Field(max_length=200)] = ""
    email: Annotated[str, Field(max_length=254, pattern=r"^([^@\s]{1,64}@[^@\s]{1,189})?$")] = ""
    phone: Annotated[str, Field(max_length=40)] = ""


class BookBody(Value):
    """A booking of a service."""

    service_id: Id
    start_time: AwareDatetime
    resource_ids: Annotated[list[Id], Field(max_length=1)] = []
    customer_id: Id | None = None
    customer: Contact | None = None
    details: dict[str, Any] = {}


class AppointmentView(Value):
    """An appointment as it is shown."""

    id: str
    status: str = "booked"
    start_time: Instant
    end_time: Instant
    zone: str
    service_id: str
    resource_ids: list[str]
    customer_id: str | None
    customer: Contact | None
    details: dict[str, Any]
    created_time: Instant
    revision: int = 1


class BookedView(Value):
    """The appointment that was made."""

    appointment_id: str
    message: str = "Appointment booked"
    appointment: AppointmentView


class Problem(Exception):
    """What went wrong, as RFC 9457 tells it."""

    def __init__(self, status: int, code: str, detail: str, **facts: object) -> None:
        super().__init__(detail)
        self.status = status
        self.members = {"type": f"/docs#{code}", "status": status, "code": code, "detail": detail, **facts}


@asynccontextmanager
async def living(app: FastAPI) -> AsyncIterator[None]:
    """Keep the pool open, and what was read of the catalogue and the keys until any of it changes."""
    dsn, size = os.environ["PEER_DSN"], int(os.environ.get("PEER_POOL", "16"))
    known: dict[Any, Any] = {}
    app.state.known = known
    # Nothing here leaves a trace in a session, so none is reset: that would be a trip more for each request.
    async with asyncpg.create_pool(dsn, min_size=size, max_size=size, reset=_leave_as_is) as pool:
        app.state.pool = pool
        listener = await asyncpg.connect(dsn)
        await listener.add_listener("catalogue", lambda *_: known.clear())
        yield
        await listener.close()


async def _leave_as_is(connection: Any) -> None:
    pass


app = FastAPI(lifespan=living)


async def authenticated(request: Request, authorization: Annotated[str, Header()] = "") -> ApiKey:
    """Whose key is in the headers."""
    secret = authorization.removeprefix("Bearer ")
    digest = hashlib.sha256(secret.encode()).digest()
    found: ApiKey | None = request.app.state.known.get(digest)
    if found is None:
        row = await request.app.state.pool.fetchrow(API_KEY, digest)
        if row is None:
            raise Problem(401, "unauthenticated", "the key is missing or not good")
        found = request.app.state.known[digest] = ApiKey(row["id"], row["business_id"], frozenset(row["scopes"]))
    if "book" not in found.scopes:
        raise Problem(403, "forbidden", "the key may not book")
    return found


async def _service(state: Any, business: str, id: str) -> Service:
    found: Service | None = state.known.get((business, id))
    if found is None:
        async with state.pool.acquire() as connection:
            found = await read_service(connection, business, id)
        if found is None:
            raise Problem(404, "missing", "there is no such service")
        state.known[business, id] = found
    return found


@app.post("/appointments", status_code=201)
async def post_appointment(
    request: Request,
    response: Response,
    body: BookBody,
    key: Annotated[ApiKey, Depends(authenticated)],
    idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
) -> BookedView:
    """Book a service."""
    state = request.app.state
    service = await _service(state, key.business, body.service_id)
    order = Order(
        start=body.start_time,
        wanted=body.resource_ids,
        customer_id=body.customer_id,
        contact=body.customer.model_dump_json() if body.customer else None,
        details=body.details,
        request=await request.body(),
        request_key=idempotency_key,
    )
    try:
        booked = await book(state.pool, key, service, order)
    except KeyError as error:
        raise Problem(422, "invalid", "the resource does not give this service") from error
    response.headers["location"] = f"/appointments/{booked.id}"
    if booked.is_repeat:
        response.headers["idempotency-replayed"] = "true"
    view = AppointmentView(
        id=str(booked.id),
        start_time=booked.start,
        end_time=booked.end,
        zone=service.zone.key,
        service_id=service.id,
        resource_ids=[booked.resource_id],
        customer_id=body.customer_id,
        customer=body.customer,
        details=body.details,
        created_time=booked.created,
    )
    return BookedView(appointment_id=str(booked.id), appointment=view)


@app.exception_handler(Problem)
async def tell(_: Request, problem: Problem) -> JSONResponse:
    """Any problem."""
    return JSONResponse(problem.members, problem.status, media_type=PROBLEM)


@app.exception_handler(Refused)
async def refuse(request: Request, refused: Refused) -> JSONResponse:
    """409, with the times of what stands in the way."""
    rival = refused.rival if isinstance(refused, Taken) else None
    facts = {}
    if rival is not None:
        times = {
            name: f"{rival[row]:%Y-%m-%dT%H:%M:%SZ}" for name, row in (("startTime", "starts"), ("endTime", "ends"))
        }
        facts["conflictingAppointment"] = {"appointmentId": str(rival["appointment_id"]), **times}
    return await tell(request, Problem(409, refused.code, str(refused), **facts))


@app.exception_handler(KeyReused)
async def refuse_key(request: Request, reused: KeyReused) -> JSONResponse:
    """422."""
    return await tell(request, Problem(422, "key-reused", str(reused)))


@app.exception_handler(RequestValidationError)
async def refuse_body(request: Request, error: RequestValidationError) -> JSONResponse:
    """422, with the first thing that is wrong."""
    first = error.errors()[0]
    return await tell(request, Problem(422, "invalid", f"{'.'.join(map(str, first['loc']))}: {first['msg']}"))
