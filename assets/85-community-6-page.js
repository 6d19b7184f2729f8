// The Community page: binds the map to Dash, keeps the address up to date, and turns presses into orders.
(function () {
  "use strict";
  var SHARED = [1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500];
  var GRID = "/_dash-component-suites/dash_ag_grid/dash_ag_grid.min.js";
  var map = null, shown = null, sequence = 0, made = null, address = {}, compared = [], watched = "", waiting = null;

  function keep() { return window.dash_clientside.no_update; }
  function put(id, data) { if (window.dash_clientside && window.dash_clientside.set_props) window.dash_clientside.set_props(id, { data: data }); }
  function zone() { return Intl.DateTimeFormat().resolvedOptions().timeZone; }
  function here() { return location.pathname.replace(/\/$/, "") === "/community"; }

  // What stands in the address is what a permalink brings back; no entry in the history for every move.
  function note(changes) {
    if (!here()) return;
    Object.keys(changes).forEach(function (key) {
      var value = changes[key];
      if (value === null || value === undefined || value === "") delete address[key]; else address[key] = String(value);
    });
    var words = Object.keys(address).map(function (key) { return encodeURIComponent(key) + "=" + encodeURIComponent(address[key]); });
    history.replaceState(history.state, "", location.pathname + (words.length ? "?" + words.join("&") : ""));
  }

  // The settings that differ from the run as it was made; another run starts as it was made.
  function differences(run, measure, shared, resolution, size, young, cursor) {
    var out = {}, was = cursor.made;
    if (was && (!run || run === cursor.run)) {
      if (measure !== was.measure) out.measure = measure;
      if (shared !== was.shared) out.shared = SHARED[shared];
      if (resolution !== was.resolution) out.res = resolution;
      if (size !== was.size) out.min = size;
      if (young) out.young = young;
    }
    return out;
  }

  var asking = "";
  function gate(run, measure, shared, resolution, size, young, asked, told, cursor) {
    var next = { tz: zone() };
    if (!cursor) {
      next.seq = ++sequence;
      address = Object.assign({}, told);
      compared = [];
      made = null;
      asking = "";
      ["run", "measure", "shared", "res", "min", "young"].forEach(function (key) { if (told[key]) next[key] = told[key]; });
      return next;
    }
    var changes = differences(run, measure, shared, resolution, size, young, cursor), key = JSON.stringify([run, changes, asked]);
    // The page itself puts the sliders where the answer says; that is no new question.
    if (key === asking) return keep();
    asking = key;
    next.seq = ++sequence;
    var isNewest = !cursor.newest || cursor.newest === run;
    note({ run: isNewest ? null : run, measure: changes.measure, shared: changes.shared, res: changes.res, min: changes.min, young: changes.young });
    return Object.assign(next, changes, run ? { run: run } : {});
  }

  function settle(cursor, asked) {
    if (!cursor || !cursor.run) return;
    made = cursor.made;
    // Somebody has moved a slider since: theirs stays.
    if (cursor.seq !== sequence) return;
    var at = cursor.sliders;
    asking = JSON.stringify([cursor.run, differences(cursor.run, at.measure, at.shared, at.resolution, at.size, at.young, cursor), asked]);
    [["run", cursor.run], ["measure", at.measure], ["shared", at.shared], ["resolution", at.resolution], ["size", at.size], ["young", at.young]].forEach(function (row) {
      window.dash_clientside.set_props("community-" + row[0], { value: row[1] });
    });
  }

  // The drawer comes over the map: from the right, or from below on a phone.
  function insets() {
    var isPhone = window.innerWidth <= 640, element = document.getElementById("community-map");
    if (!isPhone) return { left: 244, right: 384, top: 0, bottom: 0 };
    element.scrollIntoView({ block: "start" });
    return { left: 0, right: 0, top: 52, bottom: Math.max(0, element.getBoundingClientRect().bottom - window.innerHeight * 0.5 + 62) };
  }

  function show(data, theme, told) {
    var element = document.getElementById("community-map");
    if (!element || !data) return keep();
    if (map && map.element !== element) { map.destroy(); map = null; }
    if (!map) {
      var view = told.x && told.y && told.k ? { x: +told.x, y: +told.y, k: +told.k } : null;
      map = window.StreamLensMap.mount(element, data.payload, {
        view: view && isFinite(view.x + view.y + view.k) ? view : null,
        selected: told.c, hidden: told.hide ? told.hide.split(",") : [],
        insets: insets,
        onSelect: function (id) { put("community-selected", { id: id, at: Date.now() }); note({ c: id }); },
        onView: function (v) { note({ x: v.x.toFixed(1), y: v.y.toFixed(1), k: v.k.toFixed(3) }); },
        onHide: function (keys) { note({ hide: keys.join(",") }); }
      });
      window.StreamLensMap.page = map;
      shown = data;
      if (told.ego) map.only(told.ego);
      return "community-map map-host is-drawn";
    }
    if (data !== shown) { map.setPayload(data.payload, shown.run !== data.run); shown = data; }
    else map.setTheme();
    return keep();
  }

  function links(data) {
    if (map && data) map.setLinks(data.id, data.others, data.weights);
  }
  function row(cells) {
    var cell = (cells || []).find(function (one) { return one; });
    var trigger = window.dash_clientside.callback_context.triggered[0];
    if (!map || !cell || !trigger || !trigger.value) return;
    var ids = String(trigger.value.rowId || cell.rowId).split("/");
    map.select(ids[trigger.value.colId === "second" ? 1 : 0], true);
    document.getElementById("community-map").scrollIntoView({ block: "nearest" });
  }

  // The table's script is large, and only the table needs it.
  function panel(value) {
    note({ panel: value === "communities" ? null : value });
    if ((value !== "channels" && value !== "overlaps") || window.dash_ag_grid) return value;
    waiting = waiting || new Promise(function (done) {
      var script = document.createElement("script");
      script.src = GRID;
      script.onload = script.onerror = done;
      document.head.append(script);
    });
    return waiting.then(function () { return value; });
  }

  var ended = "";
  function watching(watch) {
    if (!watch || !watch.run_id) return [keep(), keep()];
    watched = watch.run_id;
    return watched === ended ? [keep(), keep()] : ["steps is-open is-step-0", "Waiting for the worker"];
  }
  function progress(told) {
    if (!told || told.run_id === ended) return [keep(), keep()];
    watched = told.run_id;
    if (told.state === "requested") return ["steps is-open is-step-0", "Waiting for the worker"];
    if (told.state !== "running") return [keep(), keep()];
    var at = told.total ? Math.min(6, Math.floor(6 * (told.done || 0) / told.total) + 1) : 1;
    return ["steps is-open is-step-" + at, told.text || ""];
  }
  function over(told, toast) {
    if (!told || told.run_id === ended) return [toast && watched !== ended ? "steps" : keep(), keep(), keep()];
    ended = told.run_id;
    if (told.state === "ok") {
      // The newest is what people want to see now.
      window.dash_clientside.set_props("community-run", { value: null });
      return ["steps", "", "run " + ended];
    }
    var words = { cancelled: "Cancelled. ", failed: "The analysis failed. ", lost: "The worker was lost; it is done again. " }[told.state] || "";
    return ["steps is-open is-" + told.state, words + (told.text || ""), keep()];
  }

  function openRename(key, name) {
    var dialog = document.getElementById("community-rename-dialog"), input = document.getElementById("community-rename-text");
    if (!dialog || !input) return;
    dialog.dataset.key = key;
    window.dash_clientside.set_props("community-rename-text", { value: name });
    dialog.showModal();
    input.focus();
    input.select();
  }
  function closeRename(how) {
    var dialog = document.getElementById("community-rename-dialog"), input = document.getElementById("community-rename-text");
    if (how !== "no") put("community-rename", { key: dialog.dataset.key, label: how === "own" ? "" : input.value, at: Date.now() });
    dialog.close();
  }
  function choosePanel(value) {
    window.dash_clientside.set_props("community-panel", { value: value });
    var below = document.querySelector(".community-below");
    if (below) below.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("click", function (event) {
    if (!here() || !event.target.closest) return;
    // The files are of the map as it is cut now.
    var file = event.target.closest("[data-communityfile]");
    if (file) { file.href = "/community/files/" + file.dataset.communityfile + location.search; return; }
    var button = event.target.closest("button");
    if (!button) return;
    var told = button.dataset;
    if (told.communityrun) put("shell-community-order", { run: true, at: Date.now() });
    else if (told.communitycancel) put("shell-community-order", { cancel: watched, at: Date.now() });
    else if (told.communityclose && map) { map.only(null); map.select(null); note({ ego: null }); }
    else if (told.communitygo && map) map.select(told.communitygo, true);
    else if (told.communityego && map) {
      var isOn = address.ego === told.communityego;
      map.only(isOn ? null : told.communityego);
      note({ ego: isOn ? null : told.communityego });
      button.setAttribute("aria-pressed", String(!isOn));
    } else if (told.communitycompare) {
      if (compared.indexOf(told.communitycompare) < 0) compared = compared.concat(told.communitycompare).slice(-4);
      put("community-compared", compared);
      choosePanel("compare");
    } else if (told.communityuncompare) {
      compared = compared.filter(function (id) { return id !== told.communityuncompare; });
      put("community-compared", compared);
    } else if (told.communitypartners) choosePanel("partners");
    else if (told.communityrename) openRename(told.communityrename, told.name || "");
    else if (told.communityrenamed) closeRename(told.communityrenamed);
    else if (told.communityrunpick) window.dash_clientside.set_props("community-run", { value: told.communityrunpick });
    else if (told.communityreset && made) {
      [["measure", made.measure], ["shared", made.shared], ["resolution", made.resolution], ["size", made.size], ["young", 0]].forEach(function (row) {
        window.dash_clientside.set_props("community-" + row[0], { value: row[1] });
      });
    }
  });
  document.addEventListener("keydown", function (event) {
    if (!here() || !map) return;
    if (event.key === "Enter" && event.target.id === "community-rename-text") { event.preventDefault(); closeRename("save"); return; }
    var types = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
    if (types || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "/") { event.preventDefault(); map.focusSearch(); }
    if (event.key === "Escape" && event.target.closest(".community-drawer")) map.select(null);
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    community: { gate: gate, settle: settle, show: show, links: links, row: row, panel: panel, watching: watching, progress: progress, ended: over }
  });
})();
