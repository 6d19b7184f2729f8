"""What each column means, taken from the words below the fields of the event classes."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache

from dashboard.events import KINDS

_COMMON = {
    "event_id": "Twitch's id, or one that StreamLens made; the same happening always has the same.",
    "source": "Who told us: irc, helix, eventsub or import.",
    "room_login": "Login of the channel at that time.",
    "room_id": "Twitch id of the channel.",
    "sent_at": "When it happened.",
    "received_at": "When StreamLens learnt of it.",
    "source_room_id": "Set and different from room_id: mirrored here from that channel's chat.",
}


@cache
def field_docs(kind: str) -> dict[str, str]:
    """Descriptions of a kind's columns by name; columns whose name says it all have none."""
    docs: dict[str, str] = {}
    for cls in reversed(KINDS[kind].__mro__[:-1]):
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        if not isinstance(tree, ast.ClassDef):
            continue
        for statement, after in zip(tree.body, tree.body[1:], strict=False):
            words = ast.get_docstring(_as_module(after)) if isinstance(after, ast.Expr) else None
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and words:
                docs[statement.target.id] = words.replace("``", "`").replace("\n", " ")
    return docs | _COMMON


def _as_module(statement: ast.stmt) -> ast.Module:
    return ast.Module(body=[statement], type_ignores=[])
