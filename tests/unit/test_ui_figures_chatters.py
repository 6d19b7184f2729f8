"""The charts of the Chatters page: values in, traces out."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import pytest

from dashboard.events import Instant
from dashboard.insights.chatters_model import AgeCurve, Histogram
from dashboard.insights.chatters_people_model import ComparedAges
from dashboard.ui import theme
from dashboard.ui.figures import chatters as figures
from dashboard.ui.figures import chatters_compare, chatters_words
from tests.browser.chatters_fakes import WAVE_DAY, analysis, capture, cohorts, comparison

DARK = theme.COLORS["dark"]
OCT = (date(2026, 10, 1) - date(1970, 1, 1)).days
HISTOGRAM = Histogram(
    grain="month",
    start_day=(OCT, OCT + 31),
    end_day=(OCT + 30, OCT + 60),
    observed=(9, 38),
    expected=(8.25, 8.71),
    cohort=(None, 1),
)


def test_bars_stand_at_the_first_day_of_their_bin_and_are_as_wide_as_it() -> None:
    figure = figures.histogram_figure(HISTOGRAM, cohorts(), theme_name="dark")
    bars, unusual = figure.data[figures.BARS], figure.data[figures.COHORTS]
    assert list(bars.x) == ["2026-10-01", "2026-11-01"]
    assert (bars.y[0], math.isnan(bars.y[1])) == (9, True)
    assert (list(unusual.x), list(unusual.y)) == (["2026-11-01"], [38])
    assert bars.offset == unusual.offset == 0
    assert list(bars.width) == pytest.approx([31 * 86_400_000 * 0.92, 30 * 86_400_000 * 0.92])
    assert list(unusual.width) == pytest.approx([30 * 86_400_000 * 0.92])
    assert (bars.marker.color, unusual.marker.color) == (theme.alpha(DARK["accent"], 0.75), DARK["warn"])
    assert [list(days) for days in bars.customdata] == [[OCT, OCT + 30, 8.25], [OCT + 31, OCT + 60, 8.71]]
    assert [list(days) for days in unusual.customdata] == [[OCT + 31, OCT + 60]]


def test_the_hover_reads_like_a_sentence_and_names_the_cohort() -> None:
    figure = figures.histogram_figure(HISTOGRAM, cohorts(), theme_name="dark")
    bars, unusual = figure.data[figures.BARS], figure.data[figures.COHORTS]
    assert bars.hovertemplate == "%{y:,} created, %{customdata[2]:,.2~f} expected<extra></extra>"
    assert list(unusual.hovertext) == [
        "38 created, 8.7 expected<br><b>Unusual: 2 Nov 2026</b><br>31 against 2.1 expected, q = 1e-18",
    ]


def test_the_expected_line_runs_through_the_middles() -> None:
    line = figures.histogram_figure(HISTOGRAM, cohorts(), theme_name="dark").data[figures.EXPECTED]
    assert list(line.x) == ["2026-10-16T12", "2026-11-16T00"]
    assert list(line.y) == pytest.approx([8.25, 8.71])


def test_a_cohort_is_marked_over_its_bar_and_labelled() -> None:
    figure = figures.histogram_figure(HISTOGRAM, cohorts(), theme_name="dark")
    marks = figure.data[figures.MARKS]
    assert (list(marks.x), list(marks.y)) == (["2026-11-16"], [38])
    (chip,) = figure.layout.annotations
    assert chip.text == "31, 2.1 expected"
    assert chip.hovertext == "2 Nov 2026: 31 against 2.1 expected, q = 1e-18"


def test_labels_that_would_collide_are_left_out_but_every_cohort_is_marked() -> None:
    near = replace(cohorts()[1], start_day=OCT + 2, end_day=OCT + 4)
    both = replace(HISTOGRAM, cohort=(2, 1), start_day=(OCT, OCT + 31), end_day=(OCT + 30, OCT + 60))
    wide = Histogram(
        "month",
        tuple(OCT - 310 + 31 * i for i in range(12)),
        tuple(OCT - 280 + 31 * i for i in range(12)),
        (1,) * 10 + (20, 38),
        (1.0,) * 12,
        (None,) * 10 + (2, 1),
    )
    for histogram, labels in ((both, 2), (wide, 1)):
        figure = figures.histogram_figure(histogram, [cohorts()[0], near], theme_name="light")
        assert len(figure.data[figures.MARKS].x) == 2
        assert len(figure.layout.annotations) == labels


def test_what_was_picked_is_outlined() -> None:
    figure = figures.histogram_figure(HISTOGRAM, (), theme_name="dark", picked=(WAVE_DAY, WAVE_DAY))
    assert list(figure.data[figures.BARS].marker.line.width) == [0, 2]
    unmarked = figures.histogram_figure(HISTOGRAM, (), theme_name="dark")
    assert unmarked.data[figures.BARS].marker.line.width == 0


def test_a_phone_has_no_brush_that_catches_the_finger() -> None:
    assert figures.histogram_figure(HISTOGRAM, (), theme_name="dark").layout.dragmode == "zoom"
    narrow = figures.histogram_figure(HISTOGRAM, (), theme_name="dark", is_narrow=True)
    assert narrow.layout.dragmode is False


def test_nothing_to_show_draws_empty_axes() -> None:
    empty = Histogram("month", (), (), (), (), ())
    figure = figures.histogram_figure(empty, cohorts(), theme_name="dark")
    assert [len(trace.x) for trace in figure.data] == [0, 0, 0, 0]
    assert not figure.layout.annotations


def test_the_age_curve_begins_at_one_day_and_compares() -> None:
    curve = AgeCurve((0, 1, 30), (0.0, 0.25, 1.0), (0.0, 0.1, 0.5))
    figure = figures.age_curve_figure(curve, theme_name="dark")
    assert [trace.name for trace in figure.data] == ["usual", "this crowd"]
    assert list(figure.data[0].x) == list(figure.data[1].x) == [1, 30]
    assert list(figure.data[1].y) == [25.0, 100.0]
    assert figure.data[1].hovertemplate == "%{y:.1f} % of this crowd<extra></extra>"


def test_who_came_stands_upwards_who_left_downwards_and_who_stayed_is_a_line_of_their_height() -> None:
    ages = ComparedAges((0, 365), (364, 729), came=(3, 1), left=(0, 2), stayed=(300, 100))
    figure = chatters_compare.compared_figure(ages, theme_name="dark")
    assert [(trace.type, trace.name) for trace in figure.data] == [
        ("bar", "came"),
        ("bar", "left"),
        ("scatter", "stayed"),
    ]
    came, left, stayed = figure.data
    assert (list(came.y), list(left.y), list(stayed.y)) == ([3, 1], [0, -2], [3.0, 1.0])
    assert (list(left.customdata), list(stayed.customdata)) == ([0, 2], [300, 100])
    axis = figure.layout.yaxis
    assert list(zip(axis.tickvals, axis.ticktext, strict=True)) == [
        (-2, "2"),
        (0, "0"),
        (2, "2"),
    ]


def test_a_comparison_of_nobody_is_an_empty_picture() -> None:
    figure = chatters_compare.compared_figure(ComparedAges((), (), (), (), ()), theme_name="light")
    assert [len(trace.x) for trace in figure.data] == [0, 0, 0]


def test_the_viewer_curve_has_its_moments() -> None:
    found = comparison(capture("c0"), capture("c1"))
    viewers = chatters_compare.viewers_figure(found, theme_name="dark")
    notes = viewers.layout.annotations
    assert [note.text for note in notes] == ["first", "second", "raid +263"]
    assert [note.yshift > 0 for note in notes] == [False, False, True], "raids stand over the captures"
    assert viewers.layout.shapes[2].x0 == found.raids[0].at // 1000
    assert list(viewers.data[0].x) == [at // 1000 for at in found.viewers_at]


def test_the_words_of_two_captures_within_moments_do_not_stand_on_each_other() -> None:
    found = comparison(capture("c0"), capture("c1"))
    close = replace(found, before=replace(found.before, started_at=Instant(found.after.at - 60_000_000)))
    notes = chatters_compare.viewers_figure(close, theme_name="dark").layout.annotations
    assert [note.xanchor for note in notes[:2]] == ["right", "left"]


def test_without_viewers_there_is_no_scale() -> None:
    found = replace(comparison(capture("c0"), capture("c1")), viewers=(), viewers_at=())
    assert chatters_compare.viewers_figure(found, theme_name="dark").layout.yaxis.visible is False


def test_the_picture_in_words() -> None:
    told = replace(analysis(), histogram=HISTOGRAM)
    words = chatters_words.histogram_summary(told)
    assert words.startswith(
        "47 accounts by creation date, one bar a month, from 1 Oct 2026 to 30 Nov 2026. "
        "Most were created in November 2026: 38, 8.7 expected."
    )
    assert "q = 1e-18" in words
    nobody = replace(told, histogram=Histogram("month", (), (), (), (), ()))
    assert chatters_words.histogram_summary(nobody) == "No account of known age is in this picture."
