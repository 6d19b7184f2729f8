"""Callbacks of the Community page: the map and its cuts, the drawer, what stands below."""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from callbacks.background import unexpected
from dashboard.access import Access
from dashboard.analytics.communities.params import MapParams
from dashboard.errors import StreamLensError
from dashboard.insights.community import CommunityInsights
from dashboard.insights.community_model import SHARED_STEPS, MapView, query_of
from dashboard.services import Services
from dashboard.ui import (
    community_drawer,
    community_panels,
    community_quality,
    community_view,
    components,
    ids,
)
from dashboard.ui.text import zone

log = logging.getLogger(__name__)

SAFE = "The page keeps what it shows. What is collected and analysed is safe."
OUTPUTS = {
    "data": Output(ids.COMMUNITY_DATA, "data"),
    "root": Output(ids.COMMUNITY_ROOT, "className"),
    "notice": Output(ids.COMMUNITY_NOTICE, "children"),
    "empty": Output(ids.COMMUNITY_EMPTY, "children"),
    "facts": Output(ids.COMMUNITY_FACTS, "children"),
    "statement": Output(ids.COMMUNITY_STATEMENT, "children"),
    "options": Output(ids.COMMUNITY_RUN, "options"),
    "cut": Output(ids.COMMUNITY_CUT, "children"),
    "cursor": Output(ids.COMMUNITY_CURSOR, "data"),
    "watch": Output(ids.SHELL_COMMUNITY_WATCH, "data", allow_duplicate=True),
}

Answer = dict[str, Any]


def register(app: Dash, services: Services) -> None:
    """Binds the page's callbacks."""
    _register_clientside(app)
    app.callback(
        output=OUTPUTS,
        inputs=[Input(ids.COMMUNITY_REQUEST, "data"), State(ids.COMMUNITY_CURSOR, "data")],
        prevent_initial_call=True,
    )(functools.partial(draw, services))
    app.callback(
        Output(ids.COMMUNITY_DRAWER, "children"),
        Output(ids.COMMUNITY_DRAWER, "className"),
        Output(ids.COMMUNITY_LINKS, "data"),
        Input(ids.COMMUNITY_SELECTED, "data"),
        Input(ids.COMMUNITY_CURSOR, "data"),
        State(ids.COMMUNITY_REQUEST, "data"),
        prevent_initial_call=True,
    )(functools.partial(open_drawer, services))
    app.callback(
        Output(ids.COMMUNITY_PANEL_BODY, "children"),
        Input(ids.COMMUNITY_PANEL_WANTED, "data"),
        Input(ids.COMMUNITY_CURSOR, "data"),
        Input(ids.COMMUNITY_SELECTED, "data"),
        Input(ids.COMMUNITY_COMPARED, "data"),
        State(ids.COMMUNITY_REQUEST, "data"),
        prevent_initial_call=True,
    )(functools.partial(fill_panel, services))


def _register_clientside(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("community", "gate"),
        Output(ids.COMMUNITY_REQUEST, "data"),
        Input(ids.COMMUNITY_RUN, "value"),
        Input(ids.COMMUNITY_MEASURE, "value"),
        Input(ids.COMMUNITY_SHARED, "value"),
        Input(ids.COMMUNITY_RESOLUTION, "value"),
        Input(ids.COMMUNITY_SIZE, "value"),
        Input(ids.COMMUNITY_YOUNG, "value"),
        Input(ids.COMMUNITY_ASKED, "data"),
        State(ids.COMMUNITY_ADDRESS, "data"),
        State(ids.COMMUNITY_CURSOR, "data"),
    )
    app.clientside_callback(
        # Without outputs: what it sets is what the gate listens to, and Dash knows no circles.
        ClientsideFunction("community", "settle"),
        Input(ids.COMMUNITY_CURSOR, "data"),
        State(ids.COMMUNITY_ASKED, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("community", "show"),
        Output(ids.COMMUNITY_MAP, "className"),
        Input(ids.COMMUNITY_DATA, "data"),
        Input(ids.SHELL_THEME, "data"),
        State(ids.COMMUNITY_ADDRESS, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("community", "links"),
        Input(ids.COMMUNITY_LINKS, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("community", "row"),
        Input(ids.community_grid(ALL), "cellClicked"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("community", "panel"),
        Output(ids.COMMUNITY_PANEL_WANTED, "data"),
        Input(ids.COMMUNITY_PANEL, "value"),
    )


def draw(services: Services, request: dict[str, Any] | None, cursor: dict[str, Any] | None) -> Answer:
    """The map as it is asked for.

    Args:
        services: What is asked.
        request: Run, settings, time zone, number of the question.
        cursor: What the page has.

    Returns:
        What is new: the map only when it is another one.
    """
    asked, had, access = request or {}, cursor or {}, services.current_access()
    try:
        insights = _insights(services)
        view = insights.view(access, query_of(asked))
        watch = _watch(insights, access, had)
        if view is None:
            return _none_yet(services, access, asked) | {"watch": watch}
        return _drawn(insights, view, access, asked, had) | {"watch": watch}
    except StreamLensError as error:
        notice = components.notice(str(error), SAFE)
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("Community page failed [%s]", reference)
        notice = unexpected("The map could not be read.", reference)
    kept = "community is-ready" if had.get("digest") else "community is-error"
    return _only(notice=notice, root=f"{kept}{_admin(access)}", cursor=had | {"seq": asked.get("seq")})


def _insights(services: Services) -> CommunityInsights:
    assert services.community is not None
    return services.community


def _admin(access: Access) -> str:
    return " is-admin" if access.is_admin else ""


def _watch(insights: CommunityInsights, access: Access, had: dict[str, Any]) -> Any:
    """An analysis that is under way already, once a page load."""
    if had or not access.is_admin:
        return no_update
    run_id = insights.under_way()
    return {"run_id": run_id, "at": 0} if run_id else no_update


def _none_yet(services: Services, access: Access, asked: dict[str, Any]) -> Answer:
    return _only(
        root=f"community is-empty{_admin(access)}",
        notice=None,
        empty=community_view.empty(access.is_admin, services.settings.is_sandbox),
        cursor={"seq": asked.get("seq")},
    )


def _drawn(
    insights: CommunityInsights, view: MapView, access: Access, asked: dict[str, Any], had: dict[str, Any]
) -> Answer:
    tz, shown = zone(asked.get("tz")), _sliders(view.run.params) | {"young": view.query.young_days}
    is_same = had.get("digest") == view.digest
    return _only(
        data=no_update if is_same else {"payload": insights.payload(view), "run": view.run.run_id},
        root=f"community is-ready{_admin(access)}" + ("" if view.run.statistics.is_enough else " is-little"),
        notice=None,
        empty=None,
        facts=community_view.facts(view.run),
        statement=community_view.statement(view, tz),
        options=community_view.run_options(view.runs, tz),
        cut=community_view.cut_words(view),
        cursor={
            "digest": view.digest,
            "run": view.run.run_id,
            "seq": asked.get("seq"),
            "newest": view.runs[0].run_id if view.runs else "",
            "made": _sliders(view.made),
            "sliders": shown,
        },
    )


def _sliders(params: MapParams) -> dict[str, Any]:
    """Where the sliders stand for such settings."""
    return {
        "measure": params.measure,
        "shared": shared_step(params.min_shared),
        "resolution": params.resolution,
        "size": params.min_community_size,
    }


def shared_step(min_shared: int) -> int:
    """The slider's place that is nearest to a threshold."""
    return min(range(len(SHARED_STEPS)), key=lambda place: abs(SHARED_STEPS[place] - min_shared))


def _only(**parts: Any) -> Answer:
    return dict.fromkeys(OUTPUTS, no_update) | parts


def open_drawer(
    services: Services,
    selected: dict[str, Any] | None,
    cursor: dict[str, Any] | None,
    request: dict[str, Any] | None,
) -> tuple[Any, Any, Any]:
    """The drawer of the chosen channel, and all of its overlaps for the map.

    Args:
        services: What is asked.
        selected: The channel; None when nothing is chosen.
        cursor: Changes with the map.
        request: How the map is cut.

    Returns:
        Children and class of the drawer, and the overlaps.
    """
    channel_id = str((selected or {}).get("id") or "")
    if not channel_id:
        return None, "community-drawer", None
    return _guarded(
        lambda: _drawer(services, channel_id, request or {}),
        lambda notice: (notice, "community-drawer is-open", no_update),
    )


def _drawer(services: Services, channel_id: str, request: dict[str, Any]) -> tuple[Any, Any, Any]:
    insights, access, query = _insights(services), services.current_access(), query_of(request)
    detail = insights.channel(access, query, channel_id)
    if detail is None:
        return None, "community-drawer", None
    links = insights.links(access, query, channel_id) or ([], [])
    body = community_drawer.drawer(detail, zone(request.get("tz")))
    return body, "community-drawer is-open", {"id": channel_id, "others": links[0], "weights": links[1]}


def fill_panel(
    services: Services,
    panel: str | None,
    cursor: dict[str, Any] | None,
    selected: dict[str, Any] | None,
    compared: list[str] | None,
    request: dict[str, Any] | None,
) -> Any:
    """What stands below the map.

    Args:
        services: What is asked.
        panel: Which part.
        cursor: Changes with the map.
        selected: The chosen channel.
        compared: The channels to compare.
        request: How the map is cut.

    Returns:
        The part; nothing when it is the same.
    """
    if not panel or not (cursor or {}).get("digest"):
        return no_update
    if ctx.triggered_id == ids.COMMUNITY_SELECTED and panel != "partners":
        return no_update
    if ctx.triggered_id == ids.COMMUNITY_COMPARED and panel != "compare":
        return no_update
    channel_id = str((selected or {}).get("id") or "")
    return _guarded(
        lambda: _panel(services, panel, channel_id, compared or [], request or {}), lambda notice: notice
    )


def _panel(
    services: Services, panel: str, channel_id: str, compared: list[str], request: dict[str, Any]
) -> Any:
    insights, access, query = _insights(services), services.current_access(), query_of(request)
    tz = zone(request.get("tz"))
    if panel in ("channels", "overlaps"):
        return community_panels.table(insights.table(access, query, panel), panel)
    if panel == "compare":
        return community_panels.comparison(insights.compare(access, query, compared))
    if panel == "partners":
        return community_panels.partners(insights.partners(access, query, channel_id))
    if panel == "timeline":
        return community_panels.timeline(insights.timeline(access), tz, query.run_id)
    if panel == "quality":
        found = insights.quality(access, query)
        return community_quality.quality(found, tz) if found else None
    view = insights.view(access, query)
    return community_panels.communities(view.run, access.is_admin) if view else None


def _guarded(work: Callable[[], Any], failed: Callable[[Any], Any]) -> Any:
    try:
        return work()
    except StreamLensError as error:
        return failed(components.notice(str(error), SAFE))
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("Community page failed [%s]", reference)
        return failed(unexpected("This part could not be read.", reference))
