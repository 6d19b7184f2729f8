"""The Chatters page's charts in words, for those who can't see them."""

from __future__ import annotations

from dashboard.insights.chatters_model import ChattersAnalysis
from dashboard.ui import chatters_text


def histogram_summary(analysis: ChattersAnalysis) -> str:
    """The histogram in sentences.

    Args:
        analysis: What is drawn.

    Returns:
        Range, highest bar and cohorts.
    """
    histogram = analysis.histogram
    if not histogram.count:
        return "No account of known age is in this picture."
    highest = max(range(len(histogram.observed)), key=histogram.observed.__getitem__)
    name = chatters_text.bin_words(histogram.grain, histogram.start_day[highest], histogram.end_day[highest])
    parts = [
        f"{chatters_text.accounts_words(histogram.count)} by creation date, one bar a {histogram.grain}, "
        f"from {chatters_text.day_words(histogram.start_day[0])} "
        f"to {chatters_text.day_words(histogram.end_day[-1])}.",
        f"Most were created in {name}: {histogram.observed[highest]:,}, "
        f"{chatters_text.expected_words(histogram.expected[highest])} expected."
        if histogram.grain != "day"
        else f"Most were created on {name}: {histogram.observed[highest]:,}, "
        f"{chatters_text.expected_words(histogram.expected[highest])} expected.",
    ]
    parts += [cohort.words for cohort in analysis.cohorts]
    return " ".join(parts)
