"""What communities are called: unique, by what sets them apart, with the evidence."""

from __future__ import annotations

import numpy as np

from dashboard.analytics.communities.build import channels_of
from dashboard.analytics.communities.content import content_type, is_language_tag, language_name
from dashboard.analytics.communities.labels import Label, label_communities, with_given_names
from dashboard.analytics.communities.params import MapParams

Group = list[tuple[str, str, tuple[str, ...]]]


def labelled(*groups: Group) -> tuple[Label, ...]:
    """Labels of groups of (category, language, tags)."""
    rows = [row for group in groups for row in group]
    names = [f"ch{n}" for n in range(len(rows))]
    channels = channels_of(
        names,
        games=[game for game, _, _ in rows],
        languages=[language for _, language, _ in rows],
        tags=[tags for _, _, tags in rows],
        chatters=list(range(len(rows), 0, -1)),
    )
    membership = np.array([n for n, group in enumerate(groups) for _ in group])
    return label_communities(channels, membership, MapParams())


def texts(*groups: Group) -> list[str]:
    return [label.text for label in labelled(*groups)]


def of(game: str, language: str, count: int = 4, *tags: str) -> Group:
    return [(game, language, tags)] * count


def test_a_game_names_a_community_and_a_language_that_is_not_the_usual_one() -> None:
    assert texts(of("Chess", "en", 6), of("League of Legends", "de"), of("Minecraft", "en")) == [
        "Chess",
        "League of Legends (German)",
        "Minecraft",
    ]


def test_the_same_game_twice_is_told_apart_by_language() -> None:
    assert texts(of("Chess", "en", 6), of("Chess", "fr"), of("Minecraft", "en")) == [
        "Chess",
        "Chess (French)",
        "Minecraft",
    ]


def test_talk_says_what_about() -> None:
    found = texts(of("Just Chatting", "es", 4, "tech", "Español"), of("Just Chatting", "es", 4, "cooking"),
                  of("Minecraft", "en", 12))  # fmt: skip

    assert found == ["Just Chatting (Spanish) · tech", "Just Chatting (Spanish) · cooking", "Minecraft"]


def test_nothing_but_a_language() -> None:
    games = [(f"Game {n}", "pl", ()) for n in range(5)]

    assert texts(games, of("Minecraft", "en", 9))[0] == "Polish-speaking"


def test_nothing_known_is_called_by_its_largest_channels() -> None:
    first, second = labelled(of("", "", 3), of("", "", 2))

    assert (first.text, second.text) == ("around ch0, ch1", "around ch3, ch4")
    assert [(fact.kind, fact.value, fact.is_in_label) for fact in first.evidence] == [
        ("largest", "ch0, ch1, ch2", True)
    ]


def test_equal_in_everything_falls_back_to_the_largest_channels() -> None:
    first, second = texts(of("Chess", "en"), of("Chess", "en"))

    assert (first, second) == ("Chess (English) · around ch0, ch1", "Chess (English) · around ch4, ch5")


def test_the_evidence_by_hand() -> None:
    """Three of four tell Chess, of ten on the map that tell a category five do: lift 0.75 / 0.5."""
    label = labelled([*of("Chess", "en", 3), ("Go", "en", ())], [*of("Chess", "en", 2), *of("Go", "en", 4)])[
        0
    ]

    chess = label.evidence[0]
    assert (chess.kind, chess.value, chess.n_channels, chess.is_in_label) == ("game", "Chess", 3, True)
    assert (chess.share, chess.platform_share, chess.lift) == (0.75, 0.5, 1.5)


def test_one_channel_is_no_reason() -> None:
    assert texts([("Chess", "", ()), ("", "", ())], of("Go", "", 5))[0] == "around ch0, ch1"


def test_names_are_unique_whatever_happens() -> None:
    many = [of("Chess", "en", 2, "speed") for _ in range(12)]

    assert len(set(texts(*many))) == 12


def test_given_names_come_first() -> None:
    shown = with_given_names(["Chess", "Go", "Go (German)"], ["", "Chess", "chess"])

    assert shown == ["Chess 3", "Chess", "chess 2"]


def test_words() -> None:
    assert [content_type(game) for game in ("Just Chatting", "Elden Ring", "Music", "")] == [
        "talk",
        "gaming",
        "music",
        "",
    ]
    assert (language_name("de"), language_name("other"), language_name("xx")) == ("German", "", "xx")
    assert is_language_tag("Deutsch")
    assert not is_language_tag("Speedrun")
