"""A wave in an ordinary crowd: the cohort, what shows it, and who is in it."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from dashboard.access import LOCAL
from dashboard.events import Instant, UserListChange
from dashboard.events_eventsub import Follow, SuspiciousUser
from dashboard.events_helix import SurveyPresence
from dashboard.insights.chatters_model import ChattersAnalysis, Finding, Selection
from dashboard.storage.ingest import Ingest
from tests.chatters_lake import DAY, MIN, MOTH, T0, TODAY, WASP, ChattersLake, S

CROWD = [str(number) for number in range(1_000, 1_600)]
WAVE = [str(number) for number in range(2_000, 2_031)]
"""31 accounts."""
WAVE_DAY = TODAY - 40
LETTERS = random.Random(3)
LOGINS = {
    user_id: "".join(LETTERS.choices("abcdefghijklmnoprstuvwyz", k=5 + n % 6))
    for n, user_id in enumerate(CROWD)
}
LOGINS |= {user_id: f"zorpling{user_id}" for user_id in WAVE}
SELECTION = Selection(capture_ids=("c1",))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChattersLake]:
    """600 accounts of twelve years and a wave of 31 of one day, who came within a minute and are silent."""
    path = tmp_path_factory.mktemp("wave")
    with Ingest(path, flush_interval_s=0.02) as ingest:
        lake = ChattersLake(path, ingest)
        chance = random.Random(11)
        days = {user_id: TODAY - 41 - round(chance.random() ** 1.5 * 4_300) for user_id in CROWD}
        lake.born(days | dict.fromkeys(WAVE, WAVE_DAY))
        # The same kind of people in another channel: the baseline.
        others = [str(number) for number in range(5_000, 8_000)]
        lake.born({user_id: TODAY - 41 - round(chance.random() ** 1.5 * 4_300) for user_id in others})
        lake.capture("w1", others, room=WASP, at=T0 - 60 * MIN)
        lake.capture("c0", CROWD[:300], at=T0 - 60 * MIN, logins=LOGINS)
        lake.read_chat(T0 - 5 * 60 * MIN, T0 + 60 * MIN)
        for number, user_id in enumerate(CROWD[:150]):
            lake.say(user_id, T0 - 100 * MIN + number * S)
        lake.say(WAVE[0], T0 - MIN)
        lake.put(*(came(lake, LOGINS[who], T0 - 170 * MIN + n * 15 * S) for n, who in enumerate(CROWD)))
        lake.put(*(came(lake, LOGINS[who], T0 - 5 * MIN + n * S) for n, who in enumerate(WAVE)))
        lake.put(
            *(follow(lake, who, T0 - 400 * DAY + n * DAY) for n, who in enumerate(CROWD[:100])),
            *(follow(lake, who, T0 - 3 * MIN + n * S) for n, who in enumerate(WAVE[:20])),
            *(met(lake, who, "beta") for who in (*WAVE[:12], *CROWD[:6])),
            *(suspicious(lake, who) for who in WAVE[:4]),
        )
        lake.capture("c1", [*CROWD, *WAVE], logins=LOGINS)
        lake.now = T0 + DAY
        yield lake
        lake.close()


def came(lake: ChattersLake, login: str, at: int) -> UserListChange:
    return UserListChange(**lake.base(at, MOTH), action="join", user_login=login)


def follow(lake: ChattersLake, user_id: str, at: int) -> Follow:
    return Follow(**lake.base(at, MOTH), user_id=user_id, followed_at=Instant(at))


def met(lake: ChattersLake, user_id: str, room: str) -> SurveyPresence:
    told = lake.base(T0 - DAY, MOTH) | {"room_login": room, "room_id": "77"}
    # Who never wrote is known to the survey by the login alone.
    return SurveyPresence(**told, capture_id="survey", user_login=LOGINS[user_id])


def suspicious(lake: ChattersLake, user_id: str) -> SuspiciousUser:
    return SuspiciousUser(
        **lake.base(T0 - MIN, MOTH), user_id=user_id, action="message", low_trust_status="active_monitoring"
    )


@pytest.fixture(scope="module")
def found(lake: ChattersLake) -> ChattersAnalysis:
    return lake.insights.analysis(SELECTION, LOCAL)


def finding(found: ChattersAnalysis, key: str) -> Finding:
    return next(line for line in found.cohorts[0].findings if line.key == key)


def test_the_wave_is_the_one_cohort(found: ChattersAnalysis) -> None:
    (cohort,) = found.cohorts
    assert (cohort.number, cohort.start_day, cohort.end_day, cohort.observed) == (1, WAVE_DAY, WAVE_DAY, 31)
    assert cohort.expected < 2
    assert cohort.q < 1e-9
    assert cohort.share == pytest.approx(31 / 631)
    assert found.baseline_sample == 3_000
    assert "31 accounts created on 2024-08-25" in found.verdict
    assert "30 of 31 have not spoken" in found.verdict
    assert "bot" not in found.verdict.lower()
    assert (found.top_days[0].day, found.top_days[0].observed, found.top_days[0].cohort) == (WAVE_DAY, 31, 1)


def test_the_bar_of_the_wave_is_marked(lake: ChattersLake) -> None:
    bars = lake.insights.analysis(Selection(capture_ids=("c1",), grain="day"), LOCAL).histogram
    ((at, _),) = [(at, number) for at, number in enumerate(bars.cohort) if number is not None]
    assert (bars.start_day[at], bars.end_day[at], bars.observed[at]) == (WAVE_DAY, WAVE_DAY, 31)
    assert bars.expected[at] < 2


def test_each_piece_of_evidence_stands_beside_the_rest_of_the_crowd(found: ChattersAnalysis) -> None:
    silent = finding(found, "silent")
    assert (silent.count, silent.of_count, silent.rest_count, silent.rest_of_count) == (30, 31, 450, 600)
    assert silent.is_notable
    assert silent.low is not None
    assert silent.low > 0.75
    arrival = finding(found, "arrival")
    assert (arrival.count, arrival.of_count, arrival.is_notable) == (31, 31, True)
    names = finding(found, "names")
    assert (names.count, names.is_notable) == (31, True)
    follows = finding(found, "follow_time")
    assert (follows.count, follows.of_count, follows.is_notable) == (20, 20, True)
    channels = finding(found, "channels")
    assert (channels.label, channels.count, channels.rest_count) == ("Also met in beta", 12, 6)
    assert channels.is_notable
    label = finding(found, "suspicious")
    assert (label.count, label.rest_count, label.is_notable) == (4, 0, True)
    renames = finding(found, "renames")
    assert (renames.count, renames.is_notable) == (0, False)


def test_the_people_of_the_cohort(lake: ChattersLake, found: ChattersAnalysis) -> None:
    table = lake.insights.accounts(Selection(capture_ids=("c1",), cohort=1), LOCAL)
    assert sorted(table.user_id) == WAVE
    assert table.words == "31 accounts of cohort 1"
    assert set(table.cohort) == {1}
    first = table.evidence[table.user_id.index(WAVE[0])]
    assert first == "cohort 1, follows, monitored by Twitch"
    assert table.evidence[table.user_id.index(WAVE[5])] == "cohort 1, silent, first seen, follows"
    detail = lake.insights.account(WAVE[0], LOCAL, SELECTION)
    assert detail.cohort == found.cohorts[0]
    assert lake.insights.account(CROWD[0], LOCAL, SELECTION).cohort is None


def test_the_traits_choose_who_is_tested(lake: ChattersLake) -> None:
    chosen = Selection(capture_ids=("c1",), traits=frozenset({"silent", "first_seen"}))
    found = lake.insights.analysis(chosen, LOCAL)
    # 300 of the crowd were not in the earlier list, none of them spoke; of the wave one spoke.
    assert (found.n, found.account_count) == (330, 631)
    assert found.tested_words == "accounts: silent and first seen in this capture"
    assert finding(found, "silent").missing == "They were chosen by it, so it says nothing."
    assert "have not spoken" not in found.verdict
    (cohort,) = found.cohorts
    assert cohort.observed == 30


def test_a_clean_crowd_has_no_cohort(lake: ChattersLake) -> None:
    found = lake.insights.analysis(Selection(capture_ids=("w1",)), LOCAL)
    assert (found.n, found.cohorts, found.is_enough) == (3_000, (), True)


def test_who_came_is_tested_by_itself(lake: ChattersLake) -> None:
    compared = lake.insights.compare("c0", "c1", LOCAL)
    assert (compared.came_count, compared.left_count, compared.stayed_count) == (331, 0, 300)
    (cohort,) = compared.came_cohorts
    assert (cohort.start_day, cohort.observed) == (WAVE_DAY, 31)
    assert "31 accounts created on 2024-08-25" in compared.came_verdict


def test_the_verdict_names_the_strongest_of_many_cohorts(lake: ChattersLake) -> None:
    waves = {
        f"{30_000 + 100 * wave + n}": TODAY - 700 - 60 * wave for wave in range(7) for n in range(40 - wave)
    }
    lake.born(waves)
    lake.capture("many", [*CROWD, *waves], at=T0 + 5 * MIN)
    found = lake.insights.analysis(Selection(capture_ids=("many",)), LOCAL)
    assert len(found.cohorts) == 7
    assert [cohort.q for cohort in found.cohorts] == sorted(cohort.q for cohort in found.cohorts)
    for cohort in found.cohorts:
        people = lake.insights.accounts(Selection(capture_ids=("many",), cohort=cohort.number), LOCAL)
        assert people.row_count == cohort.observed >= 34
    assert found.verdict.count(" accounts created on ") == 3
    assert found.verdict.endswith("4 more cohorts, less strong.")
    compared = [
        next(line for line in cohort.findings if line.key == "names").missing is None
        for cohort in found.cohorts
    ]
    assert compared == [True] * 5 + [False] * 2
