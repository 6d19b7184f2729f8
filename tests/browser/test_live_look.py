"""What the Live page looks like, in every state, on every size, in both themes."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.browser

SIZES = {"desktop": (1440, 900), "tablet": (900, 1100), "phone": (390, 844)}


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES)
def test_live_page_is_filled_and_quiet(size: str, theme: str, open_page: Any, shoot: Any) -> None:
    width, height = SIZES[size]
    watched = open_page(width=width, height=height, theme=theme)
    page = watched.page
    page.wait_for_selector(".is-live .js-plotly-plot .scatterlayer .trace")
    page.wait_for_selector("#live-tile-velocity .spark svg")
    page.wait_for_timeout(1500)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert page.locator(".tile").count() == 7
    shoot(page, f"live-{size}-{theme}")
    shoot(page, f"live-{size}-{theme}-full", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert watched.errors == []
    assert watched.foreign == []
