"""Processes that run the real service in a world: they serve, deliver, are killed at any step, and start again."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, cast

from bench.simulation.loop import VirtualLoop, VirtualRunner
from bench.simulation.post import Post
from bench.simulation.steps import Gate, Steps
from bench.simulation.truth import Truth
from bench.simulation.weather import Weather
from bench.simulation.world import Actor, World
from slotkeeper.contracts import Store
from slotkeeper.courier.courier import TURN_SECONDS, Courier
from slotkeeper.courier.gates import AT_ONCE
from slotkeeper.desk.desk import Desk
from slotkeeper.embedded.asgi import App
from slotkeeper.embedded.worker import LONGEST_SLEEP, Worker
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.web.app import Rules, Web
from slotkeeper.web.http import Request, Response
from slotkeeper.web.limits import Quota

PATIENCE_SECONDS = 30.0
RULES = Rules(key_quota=Quota("key", 10**9))
BASE_URL = "https://clinic.example"


@dataclass(kw_only=True)
class Stage:
    """What all processes of a run share. `open_store` opens what a process would; `file` is what all have open."""

    world: World
    weather: Weather
    truth: Truth
    open_store: Callable[[], Store]
    file: Gate | None = None
    courier: type[Courier] = Courier
    at_once: int = AT_ONCE
    longest_sleep: float = LONGEST_SLEEP


class Door(Protocol):
    """Where requests are brought to."""

    def ask_all(self, requests: Sequence[Request]) -> list[Response | None]:
        """The answers, when all are there; None where there is none: then nothing is known."""
        ...


class Exchange:
    """Requests that somebody waits for together."""

    def __init__(self, actor: Actor, requests: Sequence[Request]) -> None:
        self.actor = actor
        self.answers: list[Response | None] = [None] * len(requests)
        self.missing = 0


class Process:
    """A process of the service. When it is killed it is started again after a while."""

    def __init__(self, name: str, stage: Stage) -> None:
        self.name = name
        self.stage = stage
        self.kills = 0
        self.is_dead = True
        self._actors: list[Actor] = []
        self._loops: list[VirtualLoop] = []
        self._store: Steps | None = None

    def start(self) -> None:
        """Build everything anew; only what the store has kept is known."""
        stage = self.stage
        self.is_dead = False
        self._store = self.opened()
        self._post = Post(stage.world, stage.weather, stage.truth, self.kill)
        self.live(self._store)

    def opened(self) -> Steps:
        """The store as the process sees it."""
        stage = self.stage
        return Steps(stage.open_store(), stage.world, stage.weather, stage.truth, self.kill, stage.file)

    def live(self, store: Steps) -> None:
        """Begin to do what this kind of process does."""
        raise NotImplementedError

    def kill(self) -> None:
        """End the process at once, whatever it is about to do; whoever of it calls this must end too."""
        if self.is_dead:
            return
        stage = self.stage
        self.kills += 1
        self.is_dead = True
        stage.truth.trouble()
        if self._store is not None:
            self._store.is_dead = self._post.is_dead = True
        for actor in self._actors:
            if actor is stage.world.actor:
                actor.is_dead = True
            else:
                stage.world.kill(actor)
        stage.world.start(f"{self.name} again", self._start_again, after=stage.world.chance.uniform(0.5, 60.0))

    def _start_again(self) -> None:
        self.stop()
        self.stage.truth.trouble()
        self.start()

    def stop(self) -> None:
        """Let go of what a dead process would have left to the system; one that lives dies of it."""
        self.is_dead = True
        if self._store is not None:
            self._store.is_dead = self._post.is_dead = True
        for loop in self._loops:
            loop.abandon()
        if self._store is not None:
            self._store.close()
        self._actors, self._loops, self._store = [], [], None

    def desk(self, store: Store) -> Desk:
        return Desk(store, self.stage.world.clock, self.stage.world.new_id)

    def web(self, store: Store) -> Web:
        return Web(self.desk(store), RULES, seconds=lambda: self.stage.world.now)

    def work(self, store: Store) -> "Deliveries":
        """Have a worker deliver from now on."""
        runner = VirtualRunner(self.stage.world)
        self._loops.append(runner.loop)
        senders = {"email": self._post, "webhook": self._post}
        clock = self.stage.world.clock
        courier = self.stage.courier(
            store,
            clock,
            senders,
            OutboxSender(),
            base_url=BASE_URL,
            at_once=self.stage.at_once,
            turn_seconds=TURN_SECONDS,
        )
        deliveries = Deliveries(
            self.stage.world, Worker(courier, clock, longest_sleep=self.stage.longest_sleep), runner
        )
        deliveries.actor = self.act("worker", deliveries.go_on)
        return deliveries

    def act(self, name: str, work: Callable[[], None]) -> Actor:
        """Have an actor of this process do the work."""
        actor = self.stage.world.start(f"{self.name} {name}", work)
        self._actors.append(actor)
        return actor


class Deliveries:
    """What a worker does, as an actor: turn after turn, and sleep between them."""

    def __init__(self, world: World, worker: Worker, runner: VirtualRunner) -> None:
        self.actor: Actor | None = None
        self._world = world
        self._worker = worker
        self._runner = runner
        self._is_idle = False

    def go_on(self) -> None:
        """As `Worker._run` does, in this world's time."""
        while True:
            self._worker._woken.clear()
            pause = self._worker._turn(cast("asyncio.Runner", self._runner))
            if pause > 0 and not self._worker._woken.is_set():
                self._is_idle = True
                self._world.park(pause)
                self._is_idle = False

    def wake(self) -> None:
        """As `Worker.wake` does."""
        self._worker.wake()
        if self._is_idle and self.actor is not None:
            self._world.wake(self.actor)


class Courying(Process):
    """A process that only delivers."""

    def live(self, store: Steps) -> None:
        self.work(store)


class House(Process):
    """The embedded home: the ASGI application, which answers in batches, and its worker."""

    def __init__(self, name: str, stage: Stage) -> None:
        super().__init__(name, stage)
        self._exchanges: dict[int, Exchange] = {}

    def live(self, store: Steps) -> None:
        world = self.stage.world
        self._loop = VirtualLoop(world)
        self._loops.append(self._loop)
        deliveries = self.work(store)
        self._app = App(self.web(store), store, on_write=deliveries.wake)
        self._server = self.act("server", self._loop.run_forever)

    def kill(self) -> None:
        """See `Process.kill`. Whoever waits for an answer learns that there will be none."""
        super().kill()
        for exchange in self._exchanges.values():
            exchange.missing = 0
            self.stage.world.wake(exchange.actor)
        self._exchanges.clear()

    def ask_all(self, requests: Sequence[Request]) -> list[Response | None]:
        """See `Door.ask_all`."""
        world, weather = self.stage.world, self.stage.weather
        assert world.actor is not None
        exchange = Exchange(world.actor, requests)
        if not self.is_dead:
            self._exchanges[id(exchange)] = exchange
            for number, request in enumerate(requests):
                if not weather.loses(weather.rates.lost_request):
                    exchange.missing += 1
                    self._loop.call_soon(self._accept, exchange, number, request)
            world.wake(self._server)
        until = world.now + PATIENCE_SECONDS
        while exchange.missing and world.now < until:
            world.park(until - world.now)
        exchange.missing = 0
        self._exchanges.pop(id(exchange), None)
        return exchange.answers

    def _accept(self, exchange: Exchange, number: int, request: Request) -> None:
        task = self._loop.create_task(self._serve(exchange, number, request))
        task.add_done_callback(partial(self._served, exchange))

    async def _serve(self, exchange: Exchange, number: int, request: Request) -> None:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(_scope(request), receive, send)
        weather = self.stage.weather
        if exchange.missing and not weather.loses(weather.rates.lost_answer):
            exchange.answers[number] = Response(sent[0]["status"], (), sent[1]["body"])

    def _served(self, exchange: Exchange, task: "asyncio.Task[None]") -> None:
        if exchange.missing:
            exchange.missing -= 1
            if not exchange.missing:
                self.stage.world.wake(exchange.actor)


class Function(Process):
    """A process that answers one request at a time, each commit for itself, as a cloud's functions do."""

    def live(self, store: Steps) -> None:
        self._web = self.web(store)

    def ask(self, request: Request, tell: Callable[[Response | None], None]) -> None:
        """Answer the request in an actor of its own; `tell` hears None when the process is killed over it."""
        answer: list[Response] = []

        def serve() -> None:
            try:
                answer.append(self._web.answer(request))
            finally:
                tell(answer[0] if answer else None)

        self._actors = [self.stage.world.start(self.name, serve)]


class Functions:
    """A door to functions, of which each serves one request at a time."""

    def __init__(self, stage: Stage, count: int) -> None:
        self._stage = stage
        self.processes = [Function(f"function {number}", stage) for number in range(count)]
        self._busy: set[str] = set()

    def ask_all(self, requests: Sequence[Request]) -> list[Response | None]:
        """See `Door.ask_all`. When all functions are busy there is no answer."""
        world = self._stage.world
        assert world.actor is not None
        exchange = Exchange(world.actor, requests)
        for number, request in enumerate(requests):
            free = [each for each in self.processes if not each.is_dead and each.name not in self._busy]
            weather = self._stage.weather
            if free and not weather.loses(weather.rates.lost_request):
                exchange.missing += 1
                self._busy.add(free[0].name)
                free[0].ask(request, partial(self._answered, free[0], exchange, number))
        while exchange.missing:
            world.park()
        return exchange.answers

    def _answered(self, function: Function, exchange: Exchange, number: int, answer: Response | None) -> None:
        self._busy.discard(function.name)
        weather = self._stage.weather
        if not weather.loses(weather.rates.lost_answer):
            exchange.answers[number] = answer
        exchange.missing -= 1
        if not exchange.missing:
            self._stage.world.wake(exchange.actor)


def _scope(request: Request) -> dict[str, Any]:
    return {
        "type": "http",
        "method": request.method,
        "path": request.path,
        "query_string": request.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in request.headers.items()],
        "client": (request.peer, 1),
    }
