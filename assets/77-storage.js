// The Storage page looks every three seconds while it is seen, never twice at once.
(function () {
  "use strict";
  var GIVE_UP_MS = 15000, sequence = 0;

  function gate(ticks, asked, wake, request, cursor) {
    var now = Date.now(), isAnswered = !request || (cursor && cursor.seq === request.seq);
    if (document.hidden || (!isAnswered && now - request.sent_ms < GIVE_UP_MS)) {
      return window.dash_clientside.no_update;
    }
    return { seq: ++sequence, sent_ms: now, tz: Intl.DateTimeFormat().resolvedOptions().timeZone };
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { storage: { gate: gate } });
})();
