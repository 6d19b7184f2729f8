// The Jobs page: buttons in rows become orders, and it looks every two seconds while it is seen.
(function () {
  "use strict";
  var GIVE_UP_MS = 15000, sequence = 0;
  var WORDS = { ok: "done", failed: "failed", cancelled: "cancelled", lost: "lost its worker; it is done again" };

  function keep() { return window.dash_clientside.no_update; }
  function put(id, data) { window.dash_clientside.set_props(id, { data: data }); }

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-jobrun],[data-jobcancel],[data-joblog]");
    if (!button || button.disabled) return;
    var told = button.dataset;
    if (told.jobrun) put("shell-jobs-order", { run: told.jobrun, at: Date.now() });
    else if (told.jobcancel) put("shell-jobs-order", { cancel: told.jobcancel, at: Date.now() });
    else put("jobs-opened", told.joblog || "");
  });

  function gate(ticks, filter, opened, wake, request, cursor) {
    if (document.hidden) return keep();
    var now = Date.now(), next = {
      filter: filter, opened: opened || "", tz: Intl.DateTimeFormat().resolvedOptions().timeZone
    };
    var isSame = request && request.filter === next.filter && request.opened === next.opened;
    var isAnswered = !request || (cursor && cursor.seq === request.seq);
    if (isSame && !isAnswered && now - request.sent_ms < GIVE_UP_MS) return keep();
    next.seq = ++sequence;
    next.sent_ms = now;
    return next;
  }

  function result(told) {
    if (!told) return keep();
    return told.title + ": " + (WORDS[told.state] || told.state) +
      (told.text ? ". " + told.text : "");
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { jobs: { gate: gate, result: result } });
})();
