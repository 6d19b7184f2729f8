// The Chatters page: what is chosen becomes one question, asked only when it changes or something is under way.
(function () {
  "use strict";
  var GIVE_UP_MS = 15000, BUSY_MS = 1000, QUIET_MS = 5000, DAY_MS = 86400000, NARROW_PX = 640, SAID_MS = 7000;
  var sequence = 0, selection = null;

  function keep() { return window.dash_clientside.no_update; }
  function put(id, props) { window.dash_clientside.set_props(id, props); }
  function isNarrow() { return window.innerWidth <= NARROW_PX; }
  function zone() { return Intl.DateTimeFormat().resolvedOptions().timeZone; }

  // ---- The question ----------------------------------------------------------------------
  function gate(ticks, scope, grain, zoom, traits, last, unit, minutes, pick, session, asked, room, theme, wake,
    request, cursor) {
    if (document.hidden || !room) return keep();
    listen();
    var now = Date.now(), mine = request && request.page === room.page ? request : null;
    var next = {
      page: room.page, room: room.room, scope: scope || "", grain: grain, zoom: zoom || null,
      traits: traits || [], last_days: last > 0 ? last * unit : null, minutes: minutes || 10,
      cohort: (pick && pick.cohort) || null, picked: pick && pick.start !== undefined ? [pick.start, pick.end] : null,
      session: session || "", asked: asked || "", theme: document.documentElement.dataset.theme,
      is_narrow: isNarrow(), tz: zone()
    };
    var said = JSON.stringify(next);
    if (mine && mine.said === said) {
      var isAnswered = cursor && cursor.page === room.page && cursor.seq === mine.seq;
      if (!isAnswered && now - mine.sent_ms < GIVE_UP_MS) return keep();
      var rest = (cursor && cursor.retry_ms) || (cursor && cursor.is_busy ? BUSY_MS : QUIET_MS);
      if (isAnswered && now - mine.sent_ms < rest - 50) return keep();
    }
    next.said = said;
    next.seq = ++sequence;
    next.sent_ms = now;
    return next;
  }

  // The table is asked for once it is in sight, and anew only when other people are in it.
  function tableAsk(wanted, cursor, pick, other, before) {
    if (!cursor || !cursor.selection) return keep();
    selection = cursor.selection;
    if (!wanted) {
      watchTable();
      return keep();
    }
    var chosen = pick ? Object.assign({}, pick) : null;
    if (chosen) delete chosen.at;
    if (chosen && chosen.side) { chosen.other = other || ""; chosen.shown = cursor.shown || ""; }
    var next = { selection: cursor.selection, data: cursor.data_key, pick: chosen };
    var said = JSON.stringify(next);
    if (before && before.said === said) return keep();
    next.said = said;
    return next;
  }

  function compareAsk(other, cursor, theme, before) {
    if (!cursor) return keep();
    var next = { other: other || "", shown: cursor.shown || "", is_possible: !!cursor.can_compare,
      theme: document.documentElement.dataset.theme, tz: zone() };
    return before && JSON.stringify(before) === JSON.stringify(next) ? keep() : next;
  }

  var ENDS = { complete: "complete", failed: "failed", cancelled: "cancelled" };
  function ended(told) {
    if (!told || !ENDS[told.state]) return keep();
    put("chatters-asked", { data: String(Date.now()) });
    var words = "Capture of " + told.room_login + ": " + ENDS[told.state] + ".";
    return words + (told.state === "complete" ? " " + told.listed_count.toLocaleString("en-GB") + " people." : "");
  }

  // ---- The picture -----------------------------------------------------------------------
  function grainFor(days) { return days <= 120 ? "day" : days <= 900 ? "week" : days <= 7500 ? "month" : "year"; }

  function draw(figure) { return figure || keep(); }

  function brushed(layout) {
    if (!layout) return keep();
    if (layout["xaxis.autorange"]) return null;
    var from = layout["xaxis.range[0]"], to = layout["xaxis.range[1]"];
    if (from === undefined || to === undefined) return keep();
    var start = Math.floor(Date.parse(String(from).replace(" ", "T").slice(0, 10) + "T00:00:00Z") / DAY_MS);
    var end = Math.floor(Date.parse(String(to).replace(" ", "T").slice(0, 10) + "T00:00:00Z") / DAY_MS);
    if (!(end >= start)) return keep();
    put("chatters-grain", { value: grainFor(end - start + 1) });
    return [Math.max(0, start), Math.max(0, end)];
  }

  // Heard from plotly itself: a tap comes twice, the second time some pixels off, and Dash keeps the last.
  var clickedAt = 0;
  function clicked(event) {
    var point = event.points && event.points[0];
    if (!point || !point.customdata || point.curveNumber > 1 || Date.now() - clickedAt < 800) return;
    clickedAt = Date.now();
    put("chatters-pick", { data: { start: point.customdata[0], end: point.customdata[1], at: clickedAt } });
    showTable();
  }
  function listen() {
    var chart = document.querySelector(".chatters-chart .js-plotly-plot");
    if (!chart || !chart.on || chart.streamlensHeard) return;
    chart.streamlensHeard = true;
    chart.on("plotly_click", clicked);
  }

  // ---- The table -------------------------------------------------------------------------
  var functions = window.dashAgGridFunctions = window.dashAgGridFunctions || {};
  functions.chattersTheme = function (quartz, agGrid) {
    return quartz.withPart(agGrid.colorSchemeVariable).withParams({
      backgroundColor: "var(--surface)", foregroundColor: "var(--text)", accentColor: "var(--accent)",
      borderColor: "var(--line)", chromeBackgroundColor: "var(--surface)", headerBackgroundColor: "var(--surface)",
      headerTextColor: "var(--muted)", headerFontWeight: 400, oddRowBackgroundColor: "var(--surface)",
      rowHoverColor: "var(--raised)", selectedRowBackgroundColor: "var(--raised)", fontFamily: "inherit",
      fontSize: 13, headerFontSize: 12, wrapperBorder: false, wrapperBorderRadius: 0, spacing: 6,
      menuBackgroundColor: "var(--raised)", focusShadow: "none", inputFocusShadow: "none",
      checkboxBorderRadius: 4, iconSize: 14, cellHorizontalPadding: isNarrow() ? 6 : 10, columnBorder: false
    });
  };
  functions.chattersDate = function (params, field) {
    var seconds = params.data && params.data[field];
    return seconds === null || seconds === undefined ? null : new Date(seconds * 1000);
  };
  // A creation date is a UTC day, as in the picture; the rest is on the clock of whoever looks.
  functions.chattersMoment = function (params) {
    var at = params.value, isDay = params.column && params.column.getColId() === "created_s";
    if (!at) return "not known";
    if (isDay) return at.getUTCDate() + " " + MONTHS[at.getUTCMonth()] + " " + at.getUTCFullYear();
    var clock = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    return at.getDate() + " " + MONTHS[at.getMonth()] + ", " + clock;
  };
  functions.chattersNothing = function () { return ""; };
  functions.chattersAge = function (params) {
    var days = params.value;
    if (days === null || days === undefined) return "not known";
    if (days < 60) return days + (days === 1 ? " day" : " days");
    var months = Math.max(2, Math.floor(days / 30.4375));
    if (months < 24) return months + " months";
    return Math.floor(months / 12) + " y" + (months % 12 ? " " + (months % 12) + " m" : "");
  };

  var COLUMNS = ["user_id", "user_login", "user_display_name", "created_s", "age_days", "seen_count",
    "first_seen_s", "last_seen_s", "message_count", "rename_count", "evidence", "cohort"];
  var MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  var PHONE = ["user_login", "created_s", "message_count"];

  function rowsOf(columns) {
    var count = columns.row_count || 0, rows = new Array(count);
    for (var i = 0; i < count; i++) {
      var row = {};
      for (var k = 0; k < COLUMNS.length; k++) row[COLUMNS[k]] = columns[COLUMNS[k]][i];
      rows[i] = row;
    }
    return rows;
  }

  // The rows go straight into the grid: they never pass through Dash's own state a second time.
  function fill(columns, box) {
    if (!columns || !window.dash_ag_grid) return keep();
    return window.dash_ag_grid.getApiAsync("chatters-grid").then(function (api) {
      prepare(api);
      api.setGridOption("rowData", rowsOf(columns));
      return columns.row_count;
    });
  }

  function prepare(api) {
    if (api.streamlensReady) return;
    api.streamlensReady = true;
    if (isNarrow()) {
      var away = api.getColumns().map(function (c) { return c.getColId(); })
        .filter(function (id) { return PHONE.indexOf(id) < 0 && COLUMNS.indexOf(id) >= 0; });
      api.setColumnsVisible(away, false);
      api.setGridOption("defaultColDef", { sortable: true, resizable: true, filter: true, suppressMovable: true, suppressHeaderFilterButton: true });
      api.setColumnWidths([{ key: "created_s", newWidth: 104 }, { key: "message_count", newWidth: 76 },
        { key: "ag-Grid-SelectionColumn", newWidth: 36 }]);
    }
    api.addEventListener("rowClicked", function (event) {
      var at = event.event && event.event.target;
      if (at && at.closest && at.closest(".ag-selection-checkbox, .ag-checkbox")) return;
      open(event.data);
    });
    api.addEventListener("cellKeyDown", function (event) {
      if (event.event && event.event.key === "Enter") open(event.data);
    });
    api.addEventListener("selectionChanged", function () {
      var count = api.getSelectedNodes().length, button = document.querySelector("[data-chatterscopy]");
      if (!button) return;
      button.disabled = !count;
      button.textContent = count ? "Copy " + count.toLocaleString("en-GB") + (count === 1 ? " login" : " logins") : "Copy logins";
      button.title = count ? "One login a line" : "Tick rows first";
    });
  }
  function open(row) { if (row) put("chatters-opened", { data: { user_id: row.user_id, selection: selection, at: Date.now(), tz: zone() } }); }

  function search(words) {
    if (!window.dash_ag_grid || !document.getElementById("chatters-grid")) return keep();
    return window.dash_ag_grid.getApiAsync("chatters-grid").then(function (api) {
      api.setGridOption("quickFilterText", words || "");
      return keep();
    });
  }

  function copyLogins() {
    window.dash_ag_grid.getApiAsync("chatters-grid").then(function (api) {
      var logins = api.getSelectedRows().map(function (row) { return row.user_login; });
      navigator.clipboard.writeText(logins.join("\n")).then(function () {
        put("chatters-message", { children: (logins.length === 1 ? "1 login is" : logins.length + " logins are") + " in the clipboard." });
      }, function () {
        put("chatters-message", { children: "The browser did not let the logins into the clipboard." });
      });
    });
  }

  // The table's library comes once it is needed, then the table itself.
  var isLoading = false;
  function wantTable() {
    var box = document.getElementById("chatters-table-box");
    if (window.dash_ag_grid) return put("chatters-wanted", { data: true });
    if (isLoading || !box) return;
    isLoading = true;
    var script = document.createElement("script");
    script.src = box.dataset.script;
    script.onload = function () { put("chatters-wanted", { data: true }); };
    script.onerror = function () { isLoading = false; };
    document.head.appendChild(script);
  }

  function showTable() {
    wantTable();
    var card = document.querySelector(".chatters-accounts");
    if (card) card.scrollIntoView({ block: isNarrow() ? "start" : "nearest" });
  }

  // ---- Buttons in rows become orders -----------------------------------------------------
  function value(id) { var element = document.getElementById(id); return element ? element.value : ""; }

  function sessionOrder(button) {
    if (button.dataset.confirm && !window.confirm(button.dataset.confirm)) return;
    put("chatters-session-order", { data: {
      action: button.dataset.session, capture: button.dataset.capture || "",
      name: value("chatters-session-name"), at: Date.now()
    } });
  }

  document.addEventListener("click", function (event) {
    var at = event.target.closest && event.target.closest("button");
    if (!at || at.disabled || !at.closest(".chatters")) return;
    var told = at.dataset;
    if (told.chatterscapture) {
      put("shell-chatters-order", { data: { source: told.chatterscapture, room: told.room || "", at: Date.now() } });
      document.querySelectorAll(".spoke[open]").forEach(function (sheet) { sheet.open = false; });
    } else if (told.chatterscancel) {
      put("shell-chatters-order", { data: { cancel: told.chatterscancel, at: Date.now() } });
    } else if (told.chatterszoom) {
      put("chatters-zoom", { data: null });
      put("chatters-grain", { value: "month" });
    } else if (told.chatterspick === "all") {
      put("chatters-pick", { data: null });
    } else if (told.chatterspick) {
      put("chatters-pick", { data: { cohort: Number(told.chatterspick), at: Date.now() } });
      showTable();
    } else if (told.chattersstart) {
      put("chatters-pick", { data: { start: Number(told.chattersstart), end: Number(told.chattersend), at: Date.now() } });
      showTable();
    } else if (told.chattersside) {
      put("chatters-pick", { data: { side: told.chattersside, at: Date.now() } });
      showTable();
    } else if (told.chatterscopy) copyLogins();
    else if (told.session) sessionOrder(at);
    else if (told.sessionlook) put("chatters-scope", { value: "s:" + told.sessionlook });
  });

  // A sheet goes away when something else is pressed, or with Escape.
  function closeSheets(except) {
    document.querySelectorAll(".spoke[open], .exports[open]").forEach(function (sheet) {
      if (!except || !sheet.contains(except)) sheet.open = false;
    });
  }
  document.addEventListener("click", function (event) { closeSheets(event.target); });
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") closeSheets(null); });

  // "/" searches the accounts, as it finds a channel on the Live page.
  document.addEventListener("keydown", function (event) {
    var search = document.getElementById("chatters-search"), at = event.target;
    var types = /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) && !/^(radio|checkbox)$/.test(at.type);
    if (event.key !== "/" || !search || types || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open], .offcanvas.show") || !search.offsetParent) return;
    event.preventDefault();
    showTable();
    search.focus({ preventScroll: true });
  });

  // ---- The table comes when it is nearly in sight ----------------------------------------
  var watcher = window.IntersectionObserver && new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (!entry.isIntersecting) return;
      watcher.unobserve(entry.target);
      wantTable();
    });
  }, { rootMargin: "150px" });
  // Not before the verdict is painted: the table's library is heavy, and the verdict is what was come for.
  function watchTable() {
    var box = document.getElementById("chatters-table-box");
    if (!box || box.streamlensWatched) return;
    box.streamlensWatched = true;
    setTimeout(function () { if (watcher) watcher.observe(box); else wantTable(); }, 400);
  }

  // What is said stands for some seconds over the page.
  function say(element) {
    element.classList.toggle("is-shown", !!element.textContent);
    clearTimeout(element.streamlensTimer);
    element.streamlensTimer = setTimeout(function () { element.classList.remove("is-shown"); }, SAID_MS);
  }

  function watch(id) {
    var message = document.getElementById("chatters-message");
    if (message && !message.streamlensWatched) {
      message.streamlensWatched = true;
      new MutationObserver(function () { say(message); }).observe(message, { childList: true, characterData: true, subtree: true });
    }
    return keep();
  }

  function look(told) {
    if (told) put("chatters-scope", { value: told.scope || null });
    return keep();
  }

  function go(room, here) {
    return room && here && room !== here.room && here.room !== "" ? "/chatters/" + encodeURIComponent(room) : keep();
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    chatters: {
      gate: gate, tableAsk: tableAsk, compareAsk: compareAsk, draw: draw, brushed: brushed,
      fill: fill, search: search, watch: watch, look: look, go: go, ended: ended
    }
  });
})();
