"""The sandbox: a local stand-in for Twitch, to try StreamLens without owning a Twitch app.

It plays an invented platform (channels with communities, people, bots, streams, raids, hype) and
serves it by Twitch's own contracts, so the collectors can't tell: chat over WebSocket and TCP,
Helix, OAuth, EventSub (WebSocket, webhook, conduit). Everything is a function of the seed and the
time: two clients see the same, and a restart goes on where the clock is.

Serve it::

    world = World(seed=7, channel_count=40)
    server = SandboxServer(world, "127.0.0.1", 5080, 5081)
    await server.start()            # or: async with server
    server.urls                     # {"irc": "ws://…/irc", "helix": …, "oauth": …, "eventsub": …}
    await server.stop()

or, as the command does, ``await run_sandbox(port=5080, truth=Path("data/sandbox/truth.json"))``.
``mothlight``, ``quillandbarrow`` and ``saltmarshsam`` are always live.

Log in with the app ``sandbox-client`` / ``sandbox-secret``. A person's token without a browser:
``server.oauth.issue("user", "mothlight", ("moderator:read:chatters",))``.

Look into the past (the same lines with the same ids that the server sent or would have sent)::

    for line in world.raw_lines("mothlight", now - 7200, now): ...
    world.stream_at("mothlight", now).viewer_count
    world.ground_truth(now - 7200, now)     # what detectors are scored on

Load and trouble::

    world.boost("mothlight", 1000)          # messages a second on top
    server.faults.fail_http(503, 2)         # also 401, 429; path="/oauth2"
    server.faults.latency_s = 2.0
    server.faults.is_half_open = True       # connections stay open, nothing is answered
    server.send_reconnect(); server.drop_connections(); server.inject("broken line")
    server.oauth.revoke_user("mothlight")   # they disconnect the app: tokens and subscriptions end
    server.eventsub.sockets.send_reconnect()        # also .kill(), .close(4000)

The same over HTTP: ``POST /_sandbox/faults`` with a JSON object of any of these. What makes no sense
is answered with 400 and words, and nothing is done.

- Chat: ``half_open``, ``refuse``, ``reconnect``, ``drop`` (true), ``lines`` (a list of raw lines),
  ``long_line_bytes``.
- Helix and login: ``http`` (``{"status": 503, "count": 2, "path": "/helix"}``), ``down``
  (``{"seconds": 60, "status": 503, "path": "/helix"}``; the status 0 lets requests hang),
  ``latency_s``, ``clip_pending_s``, ``clips_fail``.
- Tokens: ``expire_tokens`` (true; refresh finds new ones), ``revoke`` (a login; there are none any more).
- EventSub's WebSockets: ``eventsub_reconnect``, ``eventsub_kill``, ``eventsub_silent`` (true),
  ``eventsub_close`` (4000 to 4007), ``eventsub_duplicates`` (how many times more).
- EventSub's webhooks: ``webhook_duplicates``, ``webhook_out_of_order``, ``webhook_delay_s``.

Also ``POST /_sandbox/boost`` with ``{"channel": "mothlight", "messages_per_s": 1000}``, and
``GET /_sandbox/truth?start=…&end=…&channel=mothlight``.

A recording as a channel: ``SandboxServer(world, …, replay={"name": lines}, replay_speed=10)``
(see :mod:`dashboard.sandbox.replay`).
"""

from __future__ import annotations

from dashboard.sandbox.server import SandboxServer, run_sandbox, write_truth
from dashboard.sandbox.world import World

__all__ = ["SandboxServer", "World", "run_sandbox", "write_truth"]
