// The Live page's clock: asks the server once a second, never twice at once, never while hidden.
(function () {
  "use strict";
  var GIVE_UP_MS = 15000, STALE_MS = 15000, sequence = 0;
  var freshness = { data: null, at: 0 };

  function keep() { return window.dash_clientside.no_update; }

  function isWaiting(request, cursor, page, now) {
    var answered = cursor && cursor.page === page && cursor.seq === request.seq;
    return !answered && now - request.sent_ms < GIVE_UP_MS;
  }

  function gate(ticks, span, filter, pauses, room, theme, wake, request, cursor) {
    if (document.hidden || !room) return keep();
    var now = Date.now(), mine = request && request.page === room.page ? request : null;
    if (mine && isWaiting(mine, cursor, room.page, now)) return keep();
    var next = {
      page: room.page,
      room: room.room,
      span_s: span,
      filter: filter,
      is_paused: (pauses || 0) % 2 === 1,
      theme: document.documentElement.dataset.theme,
      tz: Intl.DateTimeFormat().resolvedOptions().timeZone
    };
    // After an error the server asks for a rest, unless the person wants something else.
    var isSame = mine && ["span_s", "filter", "is_paused", "theme"].every(function (k) { return mine[k] === next[k]; });
    if (isSame && cursor && cursor.retry_ms && now - mine.sent_ms < cursor.retry_ms) return keep();
    next.seq = ++sequence;
    next.sent_ms = now;
    return next;
  }

  function pause(pauses, waiting) {
    var isPaused = (pauses || 0) % 2 === 1;
    if (!isPaused) return ["Pause", "false"];
    return [waiting ? "Resume · " + waiting + " new" : "Resume", "true"];
  }

  function ago(ms) {
    var s = Math.round(ms / 1000);
    if (s < 1) return "now";
    if (s < 120) return s + " s ago";
    if (s < 7200) return Math.round(s / 60) + " min ago";
    return Math.round(s / 3600) + " h ago";
  }
  function time(ms) {
    var at = new Date(ms), today = at.toDateString() === new Date().toDateString();
    var clock = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    return today ? clock : at.toLocaleDateString("en-GB", { day: "numeric", month: "short" }) + ", " + clock;
  }

  function fresh(ticks, data, spoken) {
    if (data && data !== freshness.data) freshness = { data: data, at: performance.now() };
    if (!data) return ["", "fresh", spoken || ""];
    var sinceAnswer = performance.now() - freshness.at;
    var words, style = "fresh", state;
    if (data.age_ms === null) {
      words = state = "";
    } else {
      var age = data.age_ms + sinceAnswer;
      var isStale = sinceAnswer > STALE_MS || (data.is_expected && age > STALE_MS);
      if (isStale) {
        words = state = "stale since " + time(Date.now() - age);
        style += " is-stale";
      } else if (!data.is_expected) {
        words = data.status === "recorded" ? "recording" : "not collected";
        state = words;
      } else {
        words = "updated " + ago(age);
        state = "up to date";
        style += " is-fresh";
      }
    }
    return [words, style, state === spoken ? keep() : state];
  }

  function go(value, room) {
    return value && room && value !== room.room ? "/live/" + encodeURIComponent(value) : keep();
  }

  // Only a real press makes an order: Dash also calls this when the page is put up.
  function order(clicks, submits, typed) {
    return clicks || submits ? { typed: typed || "", at: Date.now() } : keep();
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    live: { gate: gate, pause: pause, fresh: fresh, go: go, order: order }
  });
})();
