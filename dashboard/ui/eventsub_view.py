"""What the EventSub page is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html

from dashboard.events import Instant
from dashboard.eventsub_types import TYPES
from dashboard.insights.eventsub import Connection, Deliveries, Missing, Overview, Subscription
from dashboard.scopes import SCOPES, USES
from dashboard.ui import components, ids, text

Component = Any
UTC = ZoneInfo("UTC")
SAFE = "Chat goes on without it, and what was received is safe."
FILTERS = [("All", "all"), ("Enabled", "enabled"), ("Not enabled", "trouble")]
TRANSPORTS = {
    "websocket": "WebSocket: this machine connects to Twitch. No public address is needed.",
    "webhook": "Webhook: Twitch delivers to this server.",
    "conduit": "Conduit: several machines share one set of subscriptions.",
}
STATES = {
    "enabled": ("enabled", "good"),
    "creating": ("being made", "muted"),
    "lost": ("connection lost", "warn"),
    "failed": ("failed", "bad"),
    "webhook_callback_verification_pending": ("being verified", "muted"),
}
RESULTS = (
    ("accepted", "stored"),
    ("repeated", "repeated"),
    ("verified", "verified"),
    ("revoked", "revoked"),
    ("bad_signature", "wrong signature"),
    ("too_old", "too old"),
    ("malformed", "broken"),
    ("too_large", "too large"),
    ("not_stored", "not stored"),
)


def frame() -> list[Component]:
    """The cards with skeletons in them; the callback fills them."""
    return [
        html.Div(id=ids.EVENTSUB_NOTICE),
        components.card(
            "How notifications come",
            html.Div(_bones(2), id=ids.EVENTSUB_HEALTH, className="eventsub-health"),
            side=html.Span(id=ids.EVENTSUB_TRANSPORT, className="muted"),
        ),
        _subscriptions(),
        html.Div(id=ids.EVENTSUB_MISSING, className="eventsub-slot"),
        html.Div(id=ids.EVENTSUB_ENDED, className="eventsub-slot"),
        dcc.ConfirmDialog(id=ids.EVENTSUB_CONFIRM),
    ]


def _subscriptions() -> html.Section:
    room = dcc.Dropdown(
        id=ids.EVENTSUB_ROOM,
        options=[],
        placeholder="Every channel",
        className="eventsub-room",
        labels={"search": "Find a channel", "no_options_found": "No channel of that name"},
    )
    bar = html.Div(
        [components.chips(ids.EVENTSUB_FILTER, FILTERS, "all", "State of the subscriptions"), room],
        className="eventsub-bar",
    )
    buttons = html.Div(
        [
            html.Button("Try failed again", id=ids.EVENTSUB_RETRY, className="button", type="button"),
            html.Button(
                "Create all that are possible", id=ids.EVENTSUB_CREATE_ALL, className="button", type="button"
            ),
        ],
        className="eventsub-buttons",
    )
    return components.card(
        "Subscriptions",
        html.P(_bones(1), id=ids.EVENTSUB_SUMMARY, className="eventsub-summary"),
        bar,
        html.Div(_bones(4), id=ids.EVENTSUB_TABLE),
        _form(),
        html.P(id=ids.EVENTSUB_MESSAGE, className="eventsub-message", role="status"),
        side=buttons,
    )


def _form() -> html.Div:
    return html.Div(
        [
            html.Label("Type", htmlFor=ids.EVENTSUB_TYPE, className="visually-hidden"),
            dcc.Dropdown(
                id=ids.EVENTSUB_TYPE,
                options=[
                    {"label": f"{kind.title} · {name}", "value": name, "search": f"{kind.title} {name}"}
                    for name, kind in TYPES.items()
                ],
                placeholder="Type of notification",
                className="eventsub-type",
                labels={"search": "Find a type", "no_options_found": "No such type"},
            ),
            html.Label("Channel", htmlFor=ids.EVENTSUB_LOGIN, className="visually-hidden"),
            dcc.Input(
                id=ids.EVENTSUB_LOGIN,
                type="text",
                placeholder="Channel",
                className="field",
                debounce=False,
                spellCheck=False,
                autoComplete="off",
            ),
            html.Button("Create", id=ids.EVENTSUB_CREATE, className="button button-main", type="button"),
        ],
        className="eventsub-form",
    )


def _bones(count: int) -> Any:
    return [html.Span(className="bone bone-line") for _ in range(count)]


def notice(overview: Overview) -> Component:
    """What is wrong as a whole; nothing when all is well."""
    if overview.transport is None and overview.is_running:
        return components.empty_state(
            "EventSub is off",
            html.P(overview.error or "EVENTSUB_TRANSPORT is off. Chat and stream status are collected."),
            glyph="bell-slash",
        )
    if not overview.is_running:
        return components.notice(
            "No collector is running.",
            "Nothing new is subscribed to. Start everything with “python app.py”, or only a collector "
            "with “python app.py collect”.",
        )
    if overview.error:
        return components.notice(overview.error, SAFE)
    if overview.unusable:
        who, why = next(iter(overview.unusable.items()))
        return components.notice(f"The login of {who} does not work: {why}", SAFE)
    return None


def health(overview: Overview) -> list[Component]:
    """Connections, cost, and what the webhook got."""
    parts: list[Component] = []
    if overview.connections:
        lines = [_connection(one, overview) for one in overview.connections]
        parts.append(html.Ul(lines, className="eventsub-list"))
    if overview.deliveries:
        parts.append(_deliveries(overview.deliveries, overview.now))
    if overview.costs:
        costs = [
            f"{one.cost:,} of {one.max_cost:,} points" + (f" ({one.user_login})" if one.user_login else "")
            for one in overview.costs
        ]
        parts.append(html.P(f"Cost: {' · '.join(costs)}", className="muted"))
    if not parts:
        words: list[Component] = ["No connection is needed yet. ", _login_link("Log in"), " to subscribe."]
        parts.append(html.P(words, className="muted"))
    return parts


def _connection(one: Connection, overview: Overview) -> html.Li:
    state, style = ("connected", "good") if one.is_connected else ("not connected", "bad")
    trying = "connecting" if overview.is_running else "no collector"
    heard = f"heard {_ago(one.heard_at, overview.now)}" if one.heard_at else one.error or trying
    facts = ["1 subscription" if one.subscription_count == 1 else f"{one.subscription_count:,} subscriptions"]
    if one.shard:
        facts.append(f"shard {one.shard}")
    if one.handover_count:
        facts.append(f"moved {one.handover_count}×")
    facts.append(f"lost {one.loss_count}×" if one.loss_count else "never lost")
    return html.Li(
        [
            html.B(one.user_login or "Application"),
            html.Span(state, className=style),
            html.Span(heard),
            html.Span(" · ".join(facts), className="muted"),
        ]
    )


def _deliveries(got: Deliveries, now: Instant) -> html.Div:
    counted = [
        html.Div([html.Dt(words), html.Dd(f"{got.counts.get(name, 0):,}")])
        for name, words in RESULTS
        if got.counts.get(name) or name in ("accepted", "repeated", "bad_signature", "malformed")
    ]
    last = f"Last one {_ago(got.last_at, now)}." if got.last_at else "None came yet."
    return html.Div(
        [
            html.P(["Deliveries to ", html.Code(got.callback), f" since the web server started. {last}"]),
            html.Dl(counted, className="eventsub-counts"),
            html.P(got.error, className="bad") if got.error else None,
        ]
    )


def summary(overview: Overview) -> Component:
    """The subscriptions in one line."""
    if not overview.row_count:
        return "Nothing is subscribed to."
    words = f"{overview.enabled_count:,} of {overview.row_count:,} enabled"
    waiting = " · your wish is being carried out" if overview.is_waiting else ""
    return f"{words}{waiting}"


def table(overview: Overview) -> Component:
    """The subscriptions, one a row, each with a button to delete it."""
    if not overview.rows:
        return _nothing(overview)
    names = ("Channel", "Type", "State", "Cost", "Last event", "")
    head = html.Tr([html.Th(name, scope="col") for name in names])
    return html.Div(
        html.Table(
            [html.Thead(head), html.Tbody([_row(row, overview.now) for row in overview.rows])],
            className="eventsub-table",
        ),
        className="eventsub-scroll",
        tabIndex="0",
        **components.aria(label="Subscriptions"),
    )


def _nothing(overview: Overview) -> Component:
    if overview.row_count:
        return html.P("None of them fits the choice above.", className="muted blank")
    if not overview.rooms:
        return components.empty_state(
            "No channel is followed yet",
            html.P([dcc.Link("Choose channels on the Live page", href="/live"), ", then come back."]),
            glyph="bell",
        )
    return components.empty_state(
        "Nothing is subscribed to yet",
        html.P("Twitch wants somebody who is logged in; what is missing stands below."),
        _login_link("Log in with Twitch", class_name="button button-main"),
        glyph="bell",
    )


def _row(row: Subscription, now: Instant) -> html.Tr:
    kind = TYPES.get(row.eventsub_type)
    words, style = STATES.get(row.status, (row.status.replace("_", " "), "bad"))
    last = "–" if row.last_event_at is None else _ago(row.last_event_at, now)
    when = "" if row.last_event_at is None else f"{text.local(row.last_event_at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    count = f"{row.event_count:,} in all" if row.event_count else ""
    direction = ""
    if row.eventsub_type == "channel.raid":
        direction = " in" if "to_broadcaster_user_id" in row.condition else " out"
    title = (kind.title if kind else row.eventsub_type) + direction
    delete = html.Button(
        "Delete",
        id={"type": ids.EVENTSUB_DELETE, "key": row.key},
        className="button",
        type="button",
        **components.aria(label=f"Delete {title} of {row.room_login}"),
    )
    return html.Tr(
        [
            html.Th(dcc.Link(row.room_login, href=f"/live/{row.room_login}"), scope="row"),
            html.Td([html.Span(title), html.Small(f"{row.eventsub_type} v{row.version}")], className="type"),
            html.Td(
                [html.Span(words, className=style), html.Small(row.error) if row.error else None],
                className="state",
            ),
            html.Td(
                "–" if row.cost is None else f"{row.cost:,}",
                className="num" if row.cost else "num is-nothing",
                **components.data(label="Cost"),
            ),
            html.Td(
                [html.Span(last, title=when), html.Small(count) if count else None],
                className="num" if row.last_event_at else "num is-nothing",
                **components.data(label="Last event"),
            ),
            html.Td(delete, className="action"),
        ]
    )


def missing(overview: Overview) -> Component:
    """What can't be had, and who would have to permit it."""
    if not overview.missing:
        return None
    return components.card(
        "Not possible yet",
        html.Ul([_missing(*group) for group in _by_cure(overview.missing)], className="eventsub-missing"),
        side=_login_link("Log in or grant more", class_name="button"),
    )


def _by_cure(found: Sequence[Missing]) -> list[tuple[Missing, list[str]]]:
    """What one login by one person would bring, as one; with the scopes that it takes."""
    groups: dict[tuple[str, str, tuple[str, ...]], tuple[Missing, list[str]]] = {}
    for one in found:
        key = (one.who, _purpose(one.scope), one.rooms)
        before, scopes = groups.get(key, (replace(one, titles=()), []))
        titles = tuple(dict.fromkeys([*before.titles, *one.titles]))
        groups[key] = (replace(one, titles=titles), [*scopes, one.scope] if one.scope else scopes)
    return list(groups.values())


def _missing(one: Missing, scopes: list[str]) -> html.Li:
    rooms = ", ".join(one.rooms[:5]) + (f" and {len(one.rooms) - 5} more" if len(one.rooms) > 5 else "")
    grant: list[Component] = [" ", _login_link("Grant it", scope=one.scope)] if one.scope in USES else []
    names: Component = html.Div([html.Code(scope) for scope in scopes], className="eventsub-scopes")
    if len(scopes) > 3:
        names = html.Details([html.Summary(f"{len(scopes)} permissions"), names])
    titles = (html.B if len(one.titles) <= 3 else html.Span)(", ".join(one.titles))
    return html.Li([titles, html.Div([one.who, *grant, names]), html.Span(rooms, className="muted")])


def ended(overview: Overview) -> Component:
    """What somebody deleted, and what Twitch ended."""
    items = [
        html.Li(
            [
                html.B(_title(row.eventsub_type)),
                html.Span("Deleted here. Create it above to have it again."),
                html.Span(row.room_login, className="muted"),
            ]
        )
        for row in overview.stopped
    ] + [
        html.Li(
            [
                html.B(_title(one.eventsub_type)),
                html.Span(f"Ended by Twitch: {one.status.replace('_', ' ')}."),
                html.Span(_ago(one.revoked_at, overview.now), className="muted"),
            ]
        )
        for one in overview.revocations
    ]
    items += [
        html.Li([html.B(wish.room_login), html.Span(wish.result), html.Span(_title(wish.eventsub_type))])
        for wish in overview.dropped
    ]
    if not items:
        return None
    return components.card("Ended", html.Ul(items, className="eventsub-missing"))


def room_options(rooms: Sequence[str]) -> list[dict[str, str]]:
    """The channels to choose from."""
    return [{"label": room, "value": room} for room in rooms]


def confirm(row: Subscription) -> str:
    """The question before a subscription is deleted."""
    return (
        f"Delete “{_title(row.eventsub_type)}” of {row.room_login}? "
        "What was received stays. It is not made again until somebody creates it."
    )


def asked(words: str) -> html.Span:
    """Says that a wish was taken."""
    return html.Span(words, className="good")


def refused(words: str) -> html.Span:
    """Says why a wish was not taken."""
    return html.Span(words, className="bad")


def _title(name: str) -> str:
    kind = TYPES.get(name)
    return kind.title if kind else name


def _login_link(words: str, *, class_name: str = "", scope: str = "") -> html.A:
    """A link to the login, which is no page of Dash's."""
    purpose = _purpose(scope)
    query = f"?purpose={purpose}&next=/eventsub" if purpose else "?next=/eventsub&more=1"
    return html.A(words, href=f"/login{query}", className=class_name)


def _purpose(scope: str) -> str:
    return next((one.purpose for one in SCOPES if one.name == scope), "")


def _ago(at: Instant, now: Instant) -> str:
    """How long ago, in steps that are worth a new look."""
    seconds = max(0.0, (now - at) / 1e6)
    if seconds < 10:
        return "just now"
    return f"{text.span(seconds // 10 * 10 if seconds < 120 else seconds // 60 * 60)} ago"
