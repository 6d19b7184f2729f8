// What stands on the map: search, legend, zoom buttons, the sentence at the pointer, and the list that is the
// other way in for keyboard and screen reader. Plain DOM; everything it does it asks of the map.
(function () {
  "use strict";
  var parts = window.StreamLensMap.parts, number = 0, LISTED = 40;

  function make(tag, className, text, attributes) {
    var element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined && text !== null) element.textContent = text;
    Object.keys(attributes || {}).forEach(function (name) { element.setAttribute(name, attributes[name]); });
    return element;
  }
  var tongues = window.Intl && Intl.DisplayNames ? new Intl.DisplayNames(["en"], { type: "language" }) : null;
  function tongue(code) {
    try { return tongues ? tongues.of(code) : code; } catch (error) { return code; }
  }
  function count(value) { return Math.round(value).toLocaleString("en-US"); }
  function short(value) {
    if (value >= 1e6) return (value / 1e6).toFixed(1) + " M";
    return value >= 1e4 ? Math.round(value / 1e3) + " k" : count(value);
  }

  function createSearch(host, act) {
    var listId = "map-found-" + ++number, box = make("div", "map-search");
    var input = make("input", "map-search-input", null, {
      type: "search", placeholder: "Find a channel or community", role: "combobox", autocomplete: "off", spellcheck: "false",
      "aria-label": "Find a channel or community", "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list"
    });
    var list = make("ul", "map-found", null, { id: listId, role: "listbox", "aria-label": "Found" }), hits = [], at = -1;
    list.hidden = true;
    box.append(input, list);
    host.append(box);

    function show() {
      list.textContent = "";
      hits.forEach(function (hit, i) {
        var row = make("li", "map-hit", null, { role: "option", id: listId + "-" + i, "aria-selected": String(i === at) });
        row.append(make("b", "", hit.label), make("small", "", hit.kind === "community" ? hit.size + " channels" : short(hit.size) + " chatters"));
        row.addEventListener("pointerdown", function (event) { event.preventDefault(); go(hit); });
        list.append(row);
      });
      var isAsked = !!input.value.trim();
      if (!hits.length && isAsked) list.append(make("li", "map-hit is-none", "Not on this map"));
      list.hidden = !isAsked || document.activeElement !== input;
      input.setAttribute("aria-expanded", String(!list.hidden));
      if (at >= 0 && !list.hidden) input.setAttribute("aria-activedescendant", listId + "-" + at);
      else input.removeAttribute("aria-activedescendant");
    }
    function look() { hits = act.search(input.value, 9); at = hits.length ? 0 : -1; show(); }
    function go(hit) {
      if (!hit) return;
      input.value = hit.label;
      hits = [];
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      act.found(hit);
    }
    input.addEventListener("input", look);
    input.addEventListener("focus", function () { input.select(); });
    input.addEventListener("blur", function () { list.hidden = true; input.setAttribute("aria-expanded", "false"); });
    input.addEventListener("keydown", function (event) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (hits.length) at = (at + (event.key === "ArrowDown" ? 1 : hits.length - 1)) % hits.length;
        show();
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (!hits.length) look();
        go(hits[Math.max(0, at)]);
      } else if (event.key === "Escape") { input.value = ""; look(); input.blur(); }
      event.stopPropagation();
    });
    return { input: input };
  }

  // A press hides a community or brings it back; with Shift, or a double press, it stays alone.
  function createLegend(host, act) {
    var box = make("details", "map-legend"), head = make("summary", "map-legend-head", "Communities");
    var list = make("ul", "map-legend-list"), foot = make("div", "map-legend-foot");
    var all = make("button", "map-text-button", "Show all", { type: "button" });
    all.addEventListener("click", function () { act.hide([]); });
    foot.append(all, make("p", "map-key", "Size: chatters. Hollow: runs disagree where it belongs. Ring: torn, in the other's colour. Grey: no community."));
    box.append(head, list, foot);
    box.open = host.clientWidth > 640;
    host.append(box);
    function fill(map, look, hidden) {
      list.textContent = "";
      head.textContent = map.communities.length + (map.communities.length === 1 ? " community" : " communities");
      map.communities.slice().sort(function (a, b) { return b.size - a.size; }).forEach(function (c) {
        var isOff = hidden.has(c.key), row = make("li"), button = make("button", "map-legend-row" + (isOff ? " is-off" : ""), null, {
          type: "button", "aria-pressed": String(!isOff), "data-key": c.key, title: c.label + ": " + c.size + " channels"
        });
        var dot = make("i", "map-dot");
        dot.style.background = parts.css(look.node[c.colour % 12], 1);
        button.append(dot, make("span", "", c.label), make("small", "", count(c.size)));
        button.addEventListener("click", function (event) {
          var keys = map.communities.map(function (one) { return one.key; }), now = new Set(hidden);
          if (event.shiftKey || event.detail === 2) now = new Set(keys.filter(function (key) { return key !== c.key; }));
          else if (now.has(c.key)) now.delete(c.key); else now.add(c.key);
          act.hide(Array.from(now));
        });
        button.addEventListener("pointerenter", function () { act.point(c.index); });
        button.addEventListener("pointerleave", function () { act.point(-1); });
        row.append(button);
        list.append(row);
      });
      all.hidden = !hidden.size;
    }
    function mark(hidden) {
      list.querySelectorAll(".map-legend-row").forEach(function (button) {
        var isOff = hidden.has(button.dataset.key);
        button.classList.toggle("is-off", isOff);
        button.setAttribute("aria-pressed", String(!isOff));
      });
      all.hidden = !hidden.size;
    }
    return { fill: fill, mark: mark };
  }

  function createZoom(host, act) {
    var box = make("div", "map-zoom", null, { role: "group", "aria-label": "Zoom" });
    [["+", "Nearer", function () { act.zoom(1.6); }], ["\u2212", "Farther", function () { act.zoom(1 / 1.6); }], ["\u2922", "Whole map", act.fit]].forEach(function (row) {
      var button = make("button", "map-zoom-button", row[0], { type: "button", "aria-label": row[1], title: row[1] });
      button.addEventListener("click", row[2]);
      box.append(button);
    });
    host.append(box);
  }

  // Filled when it is opened: thousands of rows that nobody reads would cost every visit.
  function createList(host, act) {
    var box = make("details", "map-list"), head = make("summary", "map-list-head", "All channels as a list"), body = make("div", "map-list-body");
    var map = null, isFilled = false;
    box.append(head, body);
    host.append(box);
    function rows(into, nodes, from) {
      nodes.slice(from, from + LISTED).forEach(function (i) {
        var item = make("li"), button = make("button", "map-list-row", null, { type: "button", "data-id": map.id[i] });
        button.append(make("span", "", map.name[i]), make("small", "", short(map.chatters[i]) + " chatters"));
        button.addEventListener("click", function () { act.choose(i); });
        item.append(button);
        into.append(item);
      });
      if (nodes.length > from + LISTED) {
        var more = make("li"), next = make("button", "map-text-button", (nodes.length - from - LISTED) + " more", { type: "button" });
        next.addEventListener("click", function () {
          more.remove();
          rows(into, nodes, from + LISTED);
          var first = into.children[from + LISTED];
          if (first) first.querySelector("button").focus();
        });
        more.append(next);
        into.append(more);
      }
    }
    function part(title, nodes) {
      var sorted = nodes.slice().sort(function (a, b) { return map.chatters[b] - map.chatters[a]; });
      var heading = make("h3", "", title + ", " + count(nodes.length)), list = make("ul");
      rows(list, sorted, 0);
      body.append(heading, list);
    }
    function fill() {
      if (isFilled || !map) return;
      isFilled = true;
      body.textContent = "";
      map.communities.slice().sort(function (a, b) { return b.size - a.size; }).forEach(function (c) { part(c.label, c.nodes); });
      if (map.isolates.length) part("No community", map.isolates);
    }
    box.addEventListener("toggle", function () { if (box.open) fill(); });
    return { set: function (next) { map = next; isFilled = false; if (box.open) fill(); } };
  }

  function createTip(host) {
    var box = make("div", "map-tip", null, { "aria-hidden": "true" });
    box.hidden = true;
    host.append(box);
    return function (map, i, x, y, w) {
      box.hidden = i < 0;
      if (i < 0) return;
      var words = [count(map.chatters[i]) + " chatters"], c = map.communities[map.community[i]];
      if (map.game[i] >= 0 && map.games[map.game[i]]) words.push(map.games[map.game[i]]);
      if (map.language[i] >= 0 && map.languages[map.language[i]]) words.push(tongue(map.languages[map.language[i]]));
      box.textContent = "";
      box.append(make("b", "", map.name[i]), make("span", "", words.join(" \u00b7 ")), make("span", "", c ? c.label : "No community"));
      var isRight = x > w - 250;
      box.style.transform = "translate(" + Math.round(isRight ? x - 18 : x + 18) + "px," + Math.round(y + 14) + "px)" + (isRight ? " translateX(-100%)" : "");
    };
  }

  // The drawer of an exported page; in the application the page brings its own.
  function createCard(host, act) {
    var box = make("aside", "map-card", null, { "aria-label": "Channel" });
    box.hidden = true;
    host.append(box);
    return function (map, i) {
      box.hidden = i < 0;
      if (i < 0) return;
      box.textContent = "";
      var c = map.communities[map.community[i]], close = make("button", "map-text-button map-card-close", "Close", { type: "button" });
      close.addEventListener("click", function () { act.choose(-1); });
      box.append(close, make("h2", "", map.name[i]), make("p", "", count(map.chatters[i]) + " chatters"), make("p", "", c ? c.label : "No community"));
      if (map.stability[i] >= 0) box.append(make("p", "", "Stability " + Math.round(map.stability[i] * 100) + " % of the runs"));
      if (map.torn[i] >= 0) box.append(make("p", "", "Torn between this and " + map.communities[map.torn[i]].label));
      var list = make("ol"), edges = map.payload.edges, near = [];
      for (var q = map.near.start[i]; q < map.near.start[i + 1]; q++) near.push([map.near.node[q], map.near.edge[q]]);
      near.sort(function (a, b) { return map.weight[b[1]] - map.weight[a[1]]; });
      near.slice(0, 12).forEach(function (pair) {
        var item = make("li"), button = make("button", "map-text-button", map.name[pair[0]], { type: "button" });
        button.addEventListener("click", function () { act.choose(pair[0]); });
        item.append(button, make("small", "", count((edges.shared && edges.shared[pair[1]]) || 0) + " shared"));
        list.append(item);
      });
      box.append(make("h3", "", "Strongest overlaps drawn"), list);
    };
  }

  Object.assign(parts, {
    createSearch: createSearch, createLegend: createLegend, createZoom: createZoom, createList: createList,
    createTip: createTip, createCard: createCard, make: make
  });
})();
