from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from dashboard.events import Instant
from dashboard.insights.live_model import GapSpan, LiveSeries, Marker
from dashboard.ui.figures import live as figures
from dashboard.ui.figures.live_words import live_summary

UTC = ZoneInfo("UTC")
S = 1_000_000
START = 1_700_000_000 * S  # a multiple of 10 s


def at(seconds: float) -> Instant:
    return Instant(int(START + seconds * S))


def series(**changes: object) -> LiveSeries:
    base = LiveSeries(
        start_at=at(0),
        end_at=at(600),
        bin_s=10,
        bin_at=tuple(at(i * 10) for i in range(60)),
        velocity=(60.0,) * 20 + (None,) * 3 + (72.04,) * 37,
        viewers_at=(at(0), at(60), at(120), at(420)),
        viewers=(100, 110, 120, 90),
        usual_low=48.0,
        usual_high=80.0,
        gaps=(GapSpan(at(200), at(230), "reconnect"),),
        markers=(
            Marker(at(300), "raid", "raid +263"),
            Marker(at(310), "sub", "sub"),
            Marker(at(500), "sub", "sub"),
        ),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def figure(**changes: object) -> object:
    return figures.live_figure(series(**changes), theme_name="dark", tz=UTC)


def test_line_stands_at_the_middle_of_each_bin_and_breaks_in_the_gap() -> None:
    line = figures.velocity_trace(series(), {"accent": "#000000"})
    assert (line.x0, line.dx) == (1_700_000_005_000, 10_000)
    assert list(line.y) == [60.0] * 20 + [None] * 3 + [72.0] * 37
    assert line.connectgaps is False


def test_viewers_are_not_joined_over_missing_samples() -> None:
    x, y = figures.viewers_points(series())
    assert y == [100, 110, 120, None, 90]
    assert x == [
        1_700_000_000_000,
        1_700_000_060_000,
        1_700_000_120_000,
        1_700_000_120_000,
        1_700_000_420_000,
    ]


def test_gap_is_a_hatched_box_over_the_full_height() -> None:
    assert figures.gap_points(series()) == (
        [1_700_000_200_000, 1_700_000_200_000, 1_700_000_230_000, 1_700_000_230_000, 1_700_000_200_000, None],
        [0, 1, 1, 0, 0, None],
    )
    trace = figures.gap_trace(series(), {"edge": "#123456"})
    assert (trace.fill, trace.fillpattern.shape) == ("toself", "/")


def test_gap_that_lasts_ends_at_the_right_edge() -> None:
    x, _ = figures.gap_points(series(gaps=(GapSpan(at(-50), None, ""),)))
    assert x[0] == 1_700_000_000_000
    assert x[2] == 1_700_000_600_000


def test_lane_shows_what_has_no_label_and_joins_what_would_overlap() -> None:
    markers = tuple(Marker(at(100 + i), "sub", f"sub {i}") for i in range(6))
    crowded = series(markers=(*markers, Marker(at(300), "raid", "raid +263")), gaps=())
    # The newest sub and the raid are labelled; the subs beside the label are in its hover.
    assert [m.label for m in figures.labelled(crowded)] == ["sub 5", "raid +263"]
    assert figures.lane_points(crowded) == []
    chip = figures.label_chips(crowded, UTC, "dark")[0]
    assert chip["hovertext"] == "22:15: sub 5<br>beside it: sub 0, sub 1, sub 2, sub 3 and 1 more"


def test_names_are_words_and_no_html() -> None:
    evil, shown = "<b>A</b>&c", "&lt;b&gt;A&lt;/b&gt;&amp;c"
    chips = figures.label_chips(series(markers=(Marker(at(300), "game", evil),)), UTC, "dark")
    assert [chip["text"] for chip in chips] == [shown]
    assert chips[0]["hovertext"].endswith(f": {shown}")
    hidden = (Marker(at(300), "raid", "raid"), Marker(at(304), "game", evil))
    assert f"beside it: {shown}" in figures.label_chips(series(markers=hidden), UTC, "dark")[0]["hovertext"]


def test_gap_has_a_dot_with_a_sentence() -> None:
    assert figures.lane_points(series(markers=())) == [
        (1_700_000_200_000, "gap", "not observed for 30 s (reconnect)")
    ]


def test_lane_is_below_the_chart() -> None:
    drawn = figure()
    assert drawn.layout.yaxis3.domain[1] < drawn.layout.yaxis.domain[0]  # type: ignore[attr-defined]
    assert drawn.data[figures.LANE].yaxis == "y3"  # type: ignore[attr-defined]


def test_raid_gets_its_label_before_a_sub_beside_it() -> None:
    assert [m.label for m in figures.labelled(series())] == ["raid +263", "sub"]
    assert [m.at for m in figures.labelled(series())] == [at(300), at(500)]


def test_band_is_the_usual_range_and_absent_without_one() -> None:
    band = figures.shapes(series(), "dark")[0]
    assert (band["type"], band["y0"], band["y1"]) == ("rect", 48.0, 80.0)
    without = figures.shapes(series(usual_low=None, usual_high=None), "dark")
    assert [shape["type"] for shape in without] == ["line", "line"]


def test_axis_moves_bin_by_bin() -> None:
    assert figures.axis_range(series(start_at=at(3), end_at=at(603))) == [
        1_700_000_000_000,
        1_700_000_610_000,
    ]


def test_colours_follow_the_theme() -> None:
    light = figures.live_figure(series(), theme_name="light", tz=UTC)
    assert light.data[figures.VELOCITY].line.color == "#6a45e0"
    assert figure().data[figures.VELOCITY].line.color == "#a78bfa"  # type: ignore[attr-defined]


def test_summary_says_it_in_sentences() -> None:
    assert live_summary(series(), UTC) == (
        "From 22:13 to 22:23. Chat peaked at 72 messages per minute at 22:23. Usual is 48 to 80. "
        "Viewers went from 100 to 90. Raids: raid +263. 30 s were not observed."
    )
    nothing = series(velocity=(None,) * 60)
    assert live_summary(nothing, UTC) == "From 22:13 to 22:23 nothing was observed."


def test_right_scale_is_only_there_with_viewers_on_it() -> None:
    assert figures.live_figure(series(), theme_name="dark", tz=UTC).layout.yaxis2.visible is True
    nobody = series(viewers_at=(), viewers=())
    assert figures.live_figure(nobody, theme_name="dark", tz=UTC).layout.yaxis2.visible is False


def test_ticks_closer_than_a_minute_show_seconds() -> None:
    stops = figures.live_figure(series(), theme_name="dark", tz=UTC).layout.xaxis.tickformatstops
    by_distance = {tuple(stop.dtickrange): stop.value for stop in stops}
    assert by_distance[None, 59_999] == "%H:%M:%S"
    assert by_distance[60_000, 86_399_999] == "%H:%M"


def test_chart_before_the_first_answer_shows_no_numbers() -> None:
    layout = figures.blank_figure().layout
    assert layout.xaxis.visible is False
    assert layout.yaxis.visible is False
