"""Every component id, written once. A page's ids start with its slug."""

from __future__ import annotations

from typing import Any, Final

SHELL_LOCATION: Final = "shell-location"
SHELL_NONCE: Final = "shell-nonce"
"""New with every page load: keeps two people's background jobs apart."""
SHELL_THEME: Final = "shell-theme"
SHELL_THEME_TOGGLE: Final = "shell-theme-toggle"
SHELL_WAKE: Final = "shell-wake"
"""Bumped when the tab becomes visible again."""
SHELL_TOAST: Final = "shell-toast"
SHELL_COLLECT_ORDER: Final = "shell-collect-order"
"""What the collectors panel asks of its background job."""
SHELL_JOBS_ORDER: Final = "shell-jobs-order"
"""What a button of the Jobs page asks: a job to run, a run to cancel."""
SHELL_JOBS_WATCH: Final = "shell-jobs-watch"
SHELL_JOBS_PROGRESS: Final = "shell-jobs-progress"
SHELL_JOBS_RESULT: Final = "shell-jobs-result"
SHELL_JOBS_STORES: Final = (
    SHELL_JOBS_ORDER,
    SHELL_JOBS_WATCH,
    SHELL_JOBS_PROGRESS,
    SHELL_JOBS_RESULT,
)
SHELL_CHATTERS_ORDER: Final = "shell-chatters-order"
"""What a button of the Chatters page asks: a room to capture, a capture to cancel."""
SHELL_CHATTERS_WATCH: Final = "shell-chatters-watch"
SHELL_CHATTERS_PROGRESS: Final = "shell-chatters-progress"
SHELL_CHATTERS_RESULT: Final = "shell-chatters-result"
SHELL_CHATTERS_STORES: Final = (
    SHELL_CHATTERS_ORDER,
    SHELL_CHATTERS_WATCH,
    SHELL_CHATTERS_PROGRESS,
    SHELL_CHATTERS_RESULT,
)
SHELL_COMMUNITY_ORDER: Final = "shell-community-order"
"""What the Community page asks: an analysis to run or to cancel."""
SHELL_COMMUNITY_WATCH: Final = "shell-community-watch"
SHELL_COMMUNITY_PROGRESS: Final = "shell-community-progress"
SHELL_COMMUNITY_RESULT: Final = "shell-community-result"
SHELL_COMMUNITY_STORES: Final = (
    SHELL_COMMUNITY_ORDER,
    SHELL_COMMUNITY_WATCH,
    SHELL_COMMUNITY_PROGRESS,
    SHELL_COMMUNITY_RESULT,
)
SHELL_KEYS: Final = "shell-keys"
SHELL_KEYS_OPEN: Final = "shell-keys-open"
SHELL_MAIN: Final = "main"

ACCOUNT_REQUEST: Final = "account-request"
ACCOUNT_BODY: Final = "account-body"
ACCOUNT_AUDIT_LIST: Final = "account-audit-list"
ACCOUNT_AUDIT_WHOSE: Final = "account-audit-whose"
ACCOUNT_AUDIT_SWITCH: Final = "account-audit-switch"
ACCOUNT_AUDIT_OLDER: Final = "account-audit-older"
ACCOUNT_KEYS_LIST: Final = "account-keys-list"
ACCOUNT_KEYS_NEW: Final = "account-keys-new"
"""The key that was just made, or what failed."""
ACCOUNT_KEYS_TEXT: Final = "account-keys-text"
ACCOUNT_KEYS_NAME: Final = "account-keys-name"
ACCOUNT_KEYS_LIFE: Final = "account-keys-life"
ACCOUNT_KEYS_EXPORT: Final = "account-keys-export"
ACCOUNT_KEYS_CREATE: Final = "account-keys-create"

API_ROOT: Final = "api-root"
API_STARTED: Final = "api-started"
API_NAV: Final = "api-nav"
API_PICK: Final = "api-pick"
API_ONE: Final = "api-one"

LIVE_ROOT: Final = "live-root"
LIVE_ROOM: Final = "live-room"
LIVE_INTERVAL: Final = "live-interval"
LIVE_REQUEST: Final = "live-request"
LIVE_CURSOR: Final = "live-cursor"
LIVE_HEADER: Final = "live-header"
LIVE_SWITCHER: Final = "live-switcher"
LIVE_FRESH: Final = "live-fresh"
LIVE_FRESH_STATE: Final = "live-fresh-state"
LIVE_FRESH_DATA: Final = "live-fresh-data"
LIVE_NOTICE: Final = "live-notice"
LIVE_SPAN: Final = "live-span"
LIVE_CHART: Final = "live-chart"
LIVE_CHART_SUMMARY: Final = "live-chart-summary"
LIVE_FEED: Final = "live-feed"
LIVE_FEED_FILTER: Final = "live-feed-filter"
LIVE_FEED_PAUSE: Final = "live-feed-pause"
LIVE_FEED_NEWS: Final = "live-feed-news"
LIVE_TOP_CHATTERS: Final = "live-top-chatters"
LIVE_TOP_EMOTES: Final = "live-top-emotes"
LIVE_COLLECT_INPUT: Final = "live-collect-input"
LIVE_COLLECT_START: Final = "live-collect-start"
LIVE_COLLECT_CANCEL: Final = "live-collect-cancel"
LIVE_COLLECT_STOP_ALL: Final = "live-collect-stop-all"
LIVE_COLLECT_STOP: Final = "live-collect-stop"
"""The channel whose stop button was pressed last."""
LIVE_COLLECT_RESULT: Final = "live-collect-result"
LIVE_COLLECT_PROGRESS: Final = "live-collect-progress"
LIVE_COLLECT_SUMMARY: Final = "live-collect-summary"
LIVE_COLLECT_TABLE: Final = "live-collect-table"

CHATTERS_ROOT: Final = "chatters-root"
CHATTERS_ROOM: Final = "chatters-room"
"""Login from the address, and a nonce of the page."""
CHATTERS_INTERVAL: Final = "chatters-interval"
CHATTERS_REQUEST: Final = "chatters-request"
CHATTERS_CURSOR: Final = "chatters-cursor"
CHATTERS_ASKED: Final = "chatters-asked"
"""New when something was ordered: the page looks at once."""
CHATTERS_HEADER: Final = "chatters-header"
CHATTERS_SWITCHER: Final = "chatters-switcher"
CHATTERS_SCOPE: Final = "chatters-scope"
"""Which capture, or which session's, is looked at."""
CHATTERS_GO: Final = "chatters-go"
"""What the page should look at by itself: the next capture."""
CHATTERS_CAPTURE: Final = "chatters-capture"
"""The buttons that ask for a capture of the room."""
CHATTERS_MINUTES: Final = "chatters-minutes"
CHATTERS_SPOKE: Final = "chatters-spoke"
CHATTERS_NOTICE: Final = "chatters-notice"
CHATTERS_MESSAGE: Final = "chatters-message"
CHATTERS_PROGRESS: Final = "chatters-progress"
CHATTERS_VERDICT: Final = "chatters-verdict"
CHATTERS_CHART: Final = "chatters-chart"
CHATTERS_CHART_FIGURE: Final = "chatters-chart-figure"
CHATTERS_CHART_SUMMARY: Final = "chatters-chart-summary"
CHATTERS_GRAIN: Final = "chatters-grain"
CHATTERS_ZOOM: Final = "chatters-zoom"
"""First and last day of the brush."""
CHATTERS_COHORTS: Final = "chatters-cohorts"
CHATTERS_TRAITS: Final = "chatters-traits"
CHATTERS_TRAITS_WHY: Final = "chatters-traits-why"
CHATTERS_LAST: Final = "chatters-last"
CHATTERS_LAST_UNIT: Final = "chatters-last-unit"
CHATTERS_TOP_DAYS: Final = "chatters-top-days"
CHATTERS_CURVE: Final = "chatters-curve"
CHATTERS_CURVE_FIGURE: Final = "chatters-curve-figure"
CHATTERS_CURVE_WORDS: Final = "chatters-curve-words"
CHATTERS_PICK: Final = "chatters-pick"
"""Whose accounts are listed: those of a bar, of a cohort, or one side of a comparison."""
CHATTERS_WANTED: Final = "chatters-wanted"
"""Whether the table has come into sight; it is not sent before."""
CHATTERS_TABLE_ASK: Final = "chatters-table-ask"
CHATTERS_TABLE_DATA: Final = "chatters-table-data"
CHATTERS_TABLE_WORDS: Final = "chatters-table-words"
CHATTERS_TABLE_BOX: Final = "chatters-table-box"
CHATTERS_TABLE_SHOWN: Final = "chatters-table-shown"
CHATTERS_GRID: Final = "chatters-grid"
CHATTERS_SEARCH: Final = "chatters-search"
CHATTERS_EXPORTS: Final = "chatters-exports"
CHATTERS_OPENED: Final = "chatters-opened"
"""The account whose details are shown."""
CHATTERS_DRAWER: Final = "chatters-drawer"
CHATTERS_DRAWER_BODY: Final = "chatters-drawer-body"
CHATTERS_COMPARE_WITH: Final = "chatters-compare-with"
CHATTERS_COMPARE: Final = "chatters-compare"
CHATTERS_COMPARE_ASK: Final = "chatters-compare-ask"
CHATTERS_SESSION: Final = "chatters-session"
CHATTERS_SESSION_NAME: Final = "chatters-session-name"
CHATTERS_SESSION_BODY: Final = "chatters-session-body"
CHATTERS_SESSION_ORDER: Final = "chatters-session-order"
CHATTERS_SESSION_SAID: Final = "chatters-session-said"
CHATTERS_ROOMS: Final = "chatters-rooms"
CHATTERS_STORES: Final = (
    CHATTERS_REQUEST,
    CHATTERS_CURSOR,
    CHATTERS_ASKED,
    CHATTERS_GO,
    CHATTERS_CHART_FIGURE,
    CHATTERS_CURVE_FIGURE,
    CHATTERS_ZOOM,
    CHATTERS_PICK,
    CHATTERS_WANTED,
    CHATTERS_TABLE_ASK,
    CHATTERS_TABLE_DATA,
    CHATTERS_TABLE_SHOWN,
    CHATTERS_OPENED,
    CHATTERS_COMPARE_ASK,
    CHATTERS_SESSION_ORDER,
)

COMMUNITY_ROOT: Final = "community-root"
COMMUNITY_ADDRESS: Final = "community-address"
COMMUNITY_REQUEST: Final = "community-request"
COMMUNITY_ASKED: Final = "community-asked"
COMMUNITY_CURSOR: Final = "community-cursor"
COMMUNITY_DATA: Final = "community-data"
COMMUNITY_NOTICE: Final = "community-notice"
COMMUNITY_FACTS: Final = "community-facts"
COMMUNITY_STATEMENT: Final = "community-statement"
COMMUNITY_RUN: Final = "community-run"
COMMUNITY_MEASURE: Final = "community-measure"
COMMUNITY_SHARED: Final = "community-shared"
COMMUNITY_RESOLUTION: Final = "community-resolution"
COMMUNITY_SIZE: Final = "community-size"
COMMUNITY_YOUNG: Final = "community-young"
COMMUNITY_CUT: Final = "community-cut"
COMMUNITY_EMPTY: Final = "community-empty"
COMMUNITY_MAP: Final = "community-map"
COMMUNITY_SELECTED: Final = "community-selected"
COMMUNITY_DRAWER: Final = "community-drawer"
COMMUNITY_LINKS: Final = "community-links"
COMMUNITY_PANEL: Final = "community-panel"
COMMUNITY_PANEL_WANTED: Final = "community-panel-wanted"
"""The panel asked for, once the scripts that it needs are there."""
COMMUNITY_PANEL_BODY: Final = "community-panel-body"
COMMUNITY_COMPARED: Final = "community-compared"
COMMUNITY_STEPS: Final = "community-steps"
COMMUNITY_STEPS_TEXT: Final = "community-steps-text"
COMMUNITY_MESSAGE: Final = "community-message"
COMMUNITY_RENAME: Final = "community-rename"
COMMUNITY_RENAME_TEXT: Final = "community-rename-text"
COMMUNITY_RENAME_SAID: Final = "community-rename-said"

JOBS_INTERVAL: Final = "jobs-interval"
JOBS_REQUEST: Final = "jobs-request"
JOBS_OPENED: Final = "jobs-opened"
"""The run whose log is shown."""
JOBS_CURSOR: Final = "jobs-cursor"
JOBS_NOTICE: Final = "jobs-notice"
JOBS_MESSAGE: Final = "jobs-message"
JOBS_SUMMARY: Final = "jobs-summary"
JOBS_TABLE: Final = "jobs-table"
JOBS_REPORTS: Final = "jobs-reports"
JOBS_FILTER: Final = "jobs-filter"
JOBS_HISTORY: Final = "jobs-history"
JOBS_HISTORY_CARD: Final = "jobs-history-card"

STORAGE_INTERVAL: Final = "storage-interval"
STORAGE_REQUEST: Final = "storage-request"
STORAGE_CURSOR: Final = "storage-cursor"
STORAGE_ASKED: Final = "storage-asked"
"""New when something was ordered: the page looks at once."""
STORAGE_NOTICE: Final = "storage-notice"
STORAGE_SUMMARY: Final = "storage-summary"
STORAGE_COPY: Final = "storage-copy"
STORAGE_SYNC: Final = "storage-sync"
STORAGE_SYNC_SAID: Final = "storage-sync-said"
STORAGE_KINDS: Final = "storage-kinds"
STORAGE_WAITING: Final = "storage-waiting"
STORAGE_EXPORTS: Final = "storage-exports"
STORAGE_DAY: Final = "storage-day"
STORAGE_EXPORT: Final = "storage-export"
STORAGE_EXPORT_SAID: Final = "storage-export-said"

EVENTSUB_NOTICE: Final = "eventsub-notice"
EVENTSUB_TRANSPORT: Final = "eventsub-transport"
EVENTSUB_HEALTH: Final = "eventsub-health"
EVENTSUB_SUMMARY: Final = "eventsub-summary"
EVENTSUB_FILTER: Final = "eventsub-filter"
EVENTSUB_ROOM: Final = "eventsub-room"
EVENTSUB_TABLE: Final = "eventsub-table"
EVENTSUB_MISSING: Final = "eventsub-missing"
EVENTSUB_ENDED: Final = "eventsub-ended"
EVENTSUB_INTERVAL: Final = "eventsub-interval"
EVENTSUB_CURSOR: Final = "eventsub-cursor"
EVENTSUB_PENDING: Final = "eventsub-pending"
EVENTSUB_CONFIRM: Final = "eventsub-confirm"
EVENTSUB_DELETE: Final = "eventsub-delete"
EVENTSUB_RETRY: Final = "eventsub-retry"
EVENTSUB_CREATE_ALL: Final = "eventsub-create-all"
EVENTSUB_CREATE: Final = "eventsub-create"
EVENTSUB_TYPE: Final = "eventsub-type"
EVENTSUB_LOGIN: Final = "eventsub-login"
EVENTSUB_MESSAGE: Final = "eventsub-message"

TILE_METRICS: Final = (
    "viewers",
    "velocity",
    "unique_chatters",
    "engagement",
    "retention",
    "uptime",
    "game",
)
"""Keys of the tiles' metrics, in the order shown."""


def community_grid(view: Any) -> dict[str, Any]:
    """Id of the grid of a table of the Community page; of all of them with ``ALL``."""
    return {"type": "community-grid", "view": view}


def account_key_revoke(prefix: Any) -> dict[str, Any]:
    """Id of the button that ends a key; of all of them with ``ALL``."""
    return {"type": "account-keys-revoke", "key": prefix}


def live_tile(metric: str) -> str:
    """Id of the changing part of a metric's tile."""
    return f"live-tile-{metric}"


def live_tile_sample(metric: str) -> str:
    """Id of the window and sample size in the tooltip of a metric's tile."""
    return f"live-tile-{metric}-sample"
