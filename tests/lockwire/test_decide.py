from dataclasses import dataclass, field

import pytest
from msgspec import UNSET, UnsetType

from booking.lockwire.decide import Memory, Presented, decide
from booking.lockwire.judge import judge
from booking.lockwire.messages import Capacity
from booking.lockwire.snapshot import DAY, DEFAULT_POLICY, HOUR, Door, Grant, Mode, Snapshot, Window

T0 = 1_795_000_000
NB, NA = T0 + 10_000, T0 + 15_000
HZ = T0 + 14 * DAY
DOOR = Door(unlock_s=5, held_s=300, mode="normal", mode_n=0, mode_until=None)
CAP = Capacity(
    grants=3,
    reserve=1,
    max_doc=8_192,
    pin_min=4,
    pin_max=8,
    events=5_000,
    feat=["pin", "card", "after", "max", "reserve"],
)


def window(*doors: str, nb: int = NB, na: int = NA) -> Window:
    return Window(d=list(doors) or ["d1"], nb=nb, na=na)


def grant(id: str, pin: str | UnsetType = "004216", role: str = "leader", **more: object) -> Grant:
    return Grant(**{"id": id, "k": "pin", "pin": pin, "role": role, "w": [window()], **more})  # type: ignore[arg-type]


def snap(*grants: Grant, reserve: tuple[Grant, ...] = ()) -> Snapshot:
    return Snapshot(
        iat=T0,
        hz=(T0, HZ),
        tz="Europe/Stockholm",
        doors={"d1": DOOR, "d2": DOOR},
        policy=DEFAULT_POLICY,
        grants=list(grants),
        reserve=list(reserve),
    )


LEADER = grant("leader-1")
FOLLOWER = grant("follower", "739150", "member", after="leader-1")
ONCE = grant("once-001", "111222", max=1)
STAFF = grant("staff-01", "424243", "staff", w=[window(nb=T0, na=T0 + 300 * DAY)])
LONG = grant("long-001", "998877", w=[window(nb=T0, na=T0 + 30 * DAY)])
CARD = grant("card-001", k="card", card="04A2B3C4", pin=UNSET)
BOTH = grant("both-001", "565758", k="pin+card", card="04A2B3C5")
ALL = snap(LEADER, FOLLOWER, ONCE, STAFF, LONG, CARD, BOTH)


@dataclass(frozen=True)
class Case:
    name: str
    expect: str
    pin: str | None = "004216"
    card: str | None = None
    door: str = "d1"
    now: int | None = NB
    mode: Mode = "normal"
    locked: bool = False
    memory: Memory = field(default_factory=Memory)


LED = Memory(opened_at={"leader-1": NB + 5})
CASES = [
    Case("first second of the window", "granted leader-1"),
    Case("one second before it", "early leader-1", now=NB - 1),
    Case("last second of it", "granted leader-1", now=NA - 1),
    Case("its end", "late leader-1", now=NA),
    Case("an hour after its end", "late leader-1", now=NA + HOUR),
    Case("a PIN without its zeros", "unknown None", pin="4216"),
    Case("a PIN with a zero too few", "unknown None", pin="04216"),
    Case("a wrong PIN", "unknown None", pin="123987"),
    Case("another door", "wrong_door leader-1", door="d2"),
    Case("keypad locked out", "locked_out None", locked=True),
    Case("keypad locked out, card", "granted card-001", pin=None, card="04A2B3C4", locked=True),
    Case("keypad locked out, PIN and card", "locked_out None", pin="565758", card="04A2B3C5", locked=True),
    Case("half of PIN and card", "unknown None", pin="565758"),
    Case("PIN and card", "granted both-001", pin="565758", card="04A2B3C5"),
    Case("lockdown", "mode leader-1", mode="lockdown"),
    Case("lockdown, staff", "granted staff-01", pin="424243", mode="lockdown"),
    Case("no clock", "clock leader-1", now=None),
    Case("no clock, staff", "granted staff-01", pin="424243", now=None),
    Case("no clock, staff, other door", "wrong_door staff-01", pin="424243", door="d2", now=None),
    Case("last second of the horizon", "granted long-001", pin="998877", now=HZ - 1),
    Case("end of the horizon", "horizon long-001", pin="998877", now=HZ),
    Case("end of the horizon, staff", "granted staff-01", pin="424243", now=HZ),
    Case("before the leader", "leader_first follower", pin="739150"),
    Case("after the leader", "granted follower", pin="739150", now=NB + 9, memory=LED),
    Case("leader came last week", "leader_first follower", pin="739150", memory=Memory({"leader-1": NB - 9})),
    Case("first of one opening", "granted once-001", pin="111222"),
    Case("second of one opening", "used_up once-001", pin="111222", memory=Memory({}, {"once-001": 1})),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_decision_table__is_kept(case: Case) -> None:
    verdict = decide(
        ALL,
        frozenset(),
        Presented(case.pin, case.card),
        case.door,
        mode=case.mode,
        now=case.now,
        locked_out=case.locked,
        memory=case.memory,
    )

    assert f"{'granted' if verdict.granted else verdict.why} {verdict.grant}" == case.expect


def ask(snapshot: Snapshot | None, *, refused: frozenset[str] = frozenset(), now: int = NB) -> str:
    verdict = decide(
        snapshot,
        refused,
        Presented("004216"),
        "d1",
        mode="normal",
        now=now,
        locked_out=False,
        memory=Memory(),
    )
    return f"{'granted' if verdict.granted else verdict.why} {verdict.grant}"


def test_no_snapshot__denies_everything() -> None:
    assert ask(None) == "unknown None"


def test_a_refused_grant__opens_nothing() -> None:
    assert ask(ALL, refused=frozenset({"leader-1"})) == "unknown None"


def test_several_valid_grants__the_earliest_then_the_lowest_id_is_named() -> None:
    early = grant("zz-early", w=[window(nb=NB - 50)])
    assert ask(snap(LEADER, early, grant("aa-later"))) == "granted zz-early"
    assert ask(snap(LEADER, grant("aa-later"))) == "granted aa-later"


def test_several_grants_that_fail__the_reason_furthest_down_is_told() -> None:
    elsewhere, early = grant("elsewhere", w=[window("d2")]), grant("early-01", w=[window(nb=NB + 50)])
    assert ask(snap(elsewhere, early)) == "early early-01"


def test_the_changing_room_tail__stays_open_when_the_hall_is_closed() -> None:
    tail = snap(grant("tail-001", w=[window("d1"), window("d2", na=NA + 1_800)]))
    asked = [
        decide(
            tail,
            frozenset(),
            Presented("004216"),
            door,
            mode="normal",
            now=NA + 60,
            locked_out=False,
            memory=Memory(),
        )
        for door in ("d1", "d2")
    ]
    assert [verdict.granted for verdict in asked] == [False, True]


REFUSALS = [
    ("over capacity", (LEADER, LONG, ONCE, grant("fourth-1")), {"fourth-1": "full"}),
    ("static code", (grant("static-1", "999001"), LEADER), {"static-1": "dup"}),
    ("too long", (grant("long-pin", "123456789"), LEADER), {"long-pin": "format"}),
    ("unknown door", (grant("nodoor-1", w=[window("d9")]), LEADER), {"nodoor-1": "door"}),
    ("unknown kind", (grant("retina-1", k="retina"), LEADER), {"retina-1": "unsupported"}),
    ("feature not offered", (BOTH, LEADER), {"both-001": "unsupported"}),
    ("unknown crit", (grant("crit-001", crit=["only_in_rain"]), LEADER), {"crit-001": "unsupported"}),
    ("known crit", (grant("crit-002", crit=["max"], max=2), LEADER), {}),
    ("leader missing", (FOLLOWER, LONG), {"follower": "after"}),
    (
        "leader refused",
        (grant("leader-1", k="retina"), FOLLOWER),
        {"leader-1": "unsupported", "follower": "after"},
    ),
]


@pytest.mark.parametrize(
    ("grants", "expect"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_a_grant_the_device_cannot_hold__is_refused_alone(
    grants: tuple[Grant, ...], expect: dict[str, str]
) -> None:
    assert {each.id: each.why for each in judge(snap(*grants), CAP, {"999001"}, [])} == expect
