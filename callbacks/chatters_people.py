"""The people on the Chatters page: the table, one account, two captures compared."""

from __future__ import annotations

import functools
import logging
import uuid
from dataclasses import replace
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from callbacks.background import unexpected
from dashboard.errors import StreamLensError
from dashboard.events import now_us
from dashboard.insights.chatters_model import Selection
from dashboard.insights.chatters_people_model import AccountTable, Side
from dashboard.services import Services
from dashboard.ui import chatters_compare_view, chatters_people_view, components, ids, text

log = logging.getLogger(__name__)

SAFE = "What the page shows stays. Press again to try once more."


def register(app: Dash, services: Services) -> None:
    """Binds the table, the drawer and the comparison."""
    _register_clientside(app)
    app.callback(
        Output(ids.CHATTERS_TABLE_BOX, "children"),
        Input(ids.CHATTERS_WANTED, "data"),
        prevent_initial_call=True,
    )(show_grid)
    app.callback(
        Output(ids.CHATTERS_TABLE_DATA, "data"),
        Output(ids.CHATTERS_TABLE_WORDS, "children"),
        Output(ids.CHATTERS_EXPORTS, "children"),
        Input(ids.CHATTERS_TABLE_ASK, "data"),
        prevent_initial_call=True,
    )(functools.partial(accounts, services))
    app.callback(
        Output(ids.CHATTERS_DRAWER, "is_open"),
        Output(ids.CHATTERS_DRAWER_BODY, "children"),
        Input(ids.CHATTERS_OPENED, "data"),
        prevent_initial_call=True,
    )(functools.partial(account, services))
    app.callback(
        Output(ids.CHATTERS_COMPARE, "children"),
        Input(ids.CHATTERS_COMPARE_ASK, "data"),
        prevent_initial_call=True,
    )(functools.partial(compare, services))


def _register_clientside(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("chatters", "watch"),
        Output(ids.CHATTERS_WANTED, "data"),
        Input(ids.CHATTERS_ROOT, "id"),
    )
    app.clientside_callback(
        ClientsideFunction("chatters", "tableAsk"),
        Output(ids.CHATTERS_TABLE_ASK, "data"),
        Input(ids.CHATTERS_WANTED, "data"),
        Input(ids.CHATTERS_CURSOR, "data"),
        Input(ids.CHATTERS_PICK, "data"),
        Input(ids.CHATTERS_COMPARE_WITH, "value"),
        State(ids.CHATTERS_TABLE_ASK, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("chatters", "fill"),
        Output(ids.CHATTERS_TABLE_SHOWN, "data"),
        Input(ids.CHATTERS_TABLE_DATA, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("chatters", "search"),
        Output(ids.CHATTERS_TABLE_SHOWN, "data", allow_duplicate=True),
        Input(ids.CHATTERS_SEARCH, "value"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("chatters", "compareAsk"),
        Output(ids.CHATTERS_COMPARE_ASK, "data"),
        Input(ids.CHATTERS_COMPARE_WITH, "value"),
        Input(ids.CHATTERS_CURSOR, "data"),
        Input(ids.SHELL_THEME, "data"),
        State(ids.CHATTERS_COMPARE_ASK, "data"),
        prevent_initial_call=True,
    )


def show_grid(wanted: bool | None) -> Any:
    """The empty table, once; its rows follow."""
    return chatters_people_view.grid() if wanted else no_update


def accounts(services: Services, asked: dict[str, Any] | None) -> tuple[Any, Any, Any]:
    """The accounts of what is chosen, as columns.

    Args:
        services: What is asked.
        asked: The selection, and what was picked of it.

    Returns:
        Columns, what they are, and links that download them.
    """
    if not asked or services.chatters is None:
        return no_update, no_update, no_update
    pick = asked.get("pick") or {}
    selection = picked(Selection.from_payload(asked.get("selection")), pick)
    try:
        table = _table(services, selection, pick)
    except StreamLensError as error:
        return no_update, [str(error)], no_update
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("Accounts can't be listed [%s]", reference)
        return no_update, [f"The accounts could not be listed. Reference {reference}"], no_update
    words = chatters_people_view.table_words(table.words, selection, bool(pick))
    return table.to_payload(), words, _exports(selection, pick)


def _exports(selection: Selection, pick: dict[str, Any]) -> Any:
    """Links for what the table holds: a side of a comparison is no selection of one crowd."""
    if _is_side(pick):
        shown, other = str(pick["shown"]), str(pick["other"])
        return chatters_people_view.side_exports(shown, other, side(pick["side"]))
    return chatters_people_view.exports(selection)


def _is_side(pick: dict[str, Any]) -> bool:
    return bool(pick.get("side") and pick.get("other") and pick.get("shown"))


def picked(selection: Selection, pick: dict[str, Any]) -> Selection:
    """The question of the table: that of the picture, narrowed to a bar or a cohort.

    Args:
        selection: Of the picture.
        pick: ``start`` and ``end`` of a bar, or the number of a ``cohort``.
    """
    narrowed = Selection.from_payload(
        {"start_day": pick.get("start"), "end_day": pick.get("end"), "cohort": pick.get("cohort")}
    )
    if narrowed.start_day is not None and narrowed.end_day is not None:
        return replace(selection, start_day=narrowed.start_day, end_day=narrowed.end_day)
    if narrowed.cohort is not None:
        # A cohort is listed whole, also where the picture shows a part of it.
        return replace(selection, cohort=narrowed.cohort, start_day=None, end_day=None, last_days=None)
    return selection


def _table(services: Services, selection: Selection, pick: dict[str, Any]) -> AccountTable:
    assert services.chatters is not None
    access = services.current_access()
    if _is_side(pick):
        return services.chatters.compared_people(
            str(pick["shown"]), str(pick["other"]), side(pick["side"]), access
        )
    return services.chatters.accounts(selection, access)


def side(name: object) -> Side:
    """The side of a comparison that a browser named; those who came if it is none."""
    return "left" if name == "left" else "stayed" if name == "stayed" else "came"


def account(services: Services, opened: dict[str, Any] | None) -> tuple[Any, Any]:
    """One account in the drawer.

    Args:
        services: What is asked.
        opened: Its user id, what is looked at, and the time zone.

    Returns:
        Whether the drawer is open, and what is in it.
    """
    if not opened or services.chatters is None:
        return no_update, no_update
    tz = text.zone(opened.get("tz"))
    try:
        selection = Selection.from_payload(opened.get("selection"))
        found = services.chatters.account(str(opened["user_id"]), services.current_access(), selection)
        return True, chatters_people_view.detail(found, now_us(), tz)
    except StreamLensError as error:
        return True, components.notice(str(error), SAFE)
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("An account can't be shown [%s]", reference)
        return True, unexpected("This account could not be shown.", reference)


def compare(services: Services, asked: dict[str, Any] | None) -> Any:
    """Two captures beside each other.

    Args:
        services: What is asked.
        asked: The capture shown, the other one, theme and time zone.

    Returns:
        Words and charts, or what to choose.
    """
    if not asked or services.chatters is None:
        return no_update
    if not asked.get("other") or not asked.get("shown"):
        return chatters_compare_view.nothing(bool(asked.get("is_possible")))
    try:
        found = services.chatters.compare(str(asked["shown"]), str(asked["other"]), services.current_access())
        theme_name = "light" if asked.get("theme") == "light" else "dark"
        tz = text.zone(asked.get("tz"))
        return chatters_compare_view.comparison(found, theme_name=theme_name, now=now_us(), tz=tz)  # type: ignore[arg-type]
    except StreamLensError as error:
        return components.notice(str(error), SAFE)
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("Captures can't be compared [%s]", reference)
        return unexpected("These captures could not be compared.", reference)
