// The map's data: a columnar payload becomes typed arrays, neighbours, a grid to pick from, a search.
// Part of the renderer (85-community-1 … 5): no Dash in it, so that it also runs in an exported page.
(function () {
  "use strict";
  var CELLS = 96;

  function floats(list, n, missing) {
    var out = new Float32Array(n);
    for (var i = 0; i < n; i++) out[i] = list && list[i] !== null && list[i] !== undefined ? list[i] : missing;
    return out;
  }
  function ints(list, n, missing) {
    var out = new Int32Array(n);
    for (var i = 0; i < n; i++) out[i] = list && list[i] !== null && list[i] !== undefined ? list[i] : missing;
    return out;
  }
  function plain(text) { return String(text || "").toLowerCase().normalize("NFKD"); }

  function box(map) {
    var b = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
    for (var i = 0; i < map.n; i++) {
      b.x0 = Math.min(b.x0, map.x[i] - map.r[i]); b.x1 = Math.max(b.x1, map.x[i] + map.r[i]);
      b.y0 = Math.min(b.y0, map.y[i] - map.r[i]); b.y1 = Math.max(b.y1, map.y[i] + map.r[i]);
    }
    if (!map.n) b = { x0: -1, y0: -1, x1: 1, y1: 1 };
    // One channel, or a line of them, still has an extent to look at.
    var least = 40, cx = (b.x0 + b.x1) / 2, cy = (b.y0 + b.y1) / 2;
    if (b.x1 - b.x0 < least) { b.x0 = cx - least / 2; b.x1 = cx + least / 2; }
    if (b.y1 - b.y0 < least) { b.y0 = cy - least / 2; b.y1 = cy + least / 2; }
    b.w = b.x1 - b.x0; b.h = b.y1 - b.y0;
    return b;
  }

  // Neighbours of every node in one array: of node i from start[i] to start[i + 1].
  function neighbours(n, s, t) {
    var start = new Uint32Array(n + 1), i, m = s.length;
    for (i = 0; i < m; i++) { start[s[i] + 1]++; start[t[i] + 1]++; }
    for (i = 0; i < n; i++) start[i + 1] += start[i];
    var at = start.slice(), node = new Uint32Array(2 * m), edge = new Uint32Array(2 * m);
    for (i = 0; i < m; i++) {
      edge[at[s[i]]] = i; node[at[s[i]]++] = t[i];
      edge[at[t[i]]] = i; node[at[t[i]]++] = s[i];
    }
    return { start: start, node: node, edge: edge };
  }

  // How strong each edge is among all, 0 … 1: ranks say more to the eye than values over five decades.
  function ranks(values, m) {
    var order = new Uint32Array(m), out = new Float32Array(m), i;
    for (i = 0; i < m; i++) order[i] = i;
    order.sort(function (a, b) { return values[a] - values[b]; });
    for (i = 0; i < m; i++) out[order[i]] = m > 1 ? i / (m - 1) : 1;
    return out;
  }

  function grid(map) {
    var b = map.box, size = Math.max(b.w, b.h) / CELLS, cells = new Map();
    var most = 0;
    for (var i = 0; i < map.n; i++) {
      most = Math.max(most, map.r[i]);
      var key = Math.floor((map.x[i] - b.x0) / size) * 4096 + Math.floor((map.y[i] - b.y0) / size);
      var cell = cells.get(key);
      if (cell) cell.push(i); else cells.set(key, [i]);
    }
    return { size: size, cells: cells, most: most };
  }

  function read(payload) {
    var nodes = payload.nodes || {}, edges = payload.edges || {}, told = payload.communities || {};
    var n = (nodes.id || []).length, m = (edges.s || []).length, i;
    var map = {
      payload: payload, n: n, m: m,
      id: nodes.id || [], login: nodes.login || nodes.id || [],
      name: (nodes.id || []).map(function (id, k) { return (nodes.name && nodes.name[k]) || (nodes.login && nodes.login[k]) || id; }),
      x: floats(nodes.x, n, 0), y: floats(nodes.y, n, 0), r: floats(nodes.r, n, 4),
      chatters: floats(nodes.chatters, n, 0), stability: floats(nodes.stability, n, -1),
      community: ints(nodes.community, n, -1), torn: ints(nodes.torn, n, -1),
      s: Uint32Array.from(edges.s || []), t: Uint32Array.from(edges.t || []),
      games: payload.games || [], game: nodes.game || [], languages: payload.languages || [], language: nodes.language || [],
      communities: []
    };
    var measure = (payload.run && payload.run.measure) || "jaccard";
    var weight = { shared: edges.shared, jaccard: edges.jaccard, lift: edges.lift }[measure] || edges.jaccard || edges.shared;
    if (measure === "containment") weight = (edges.ab || []).map(function (ab, k) { return Math.max(ab || 0, edges.ba[k] || 0); });
    map.weight = floats(weight, m, 0);
    map.rank = ranks(map.weight, m);
    for (i = 0; i < (told.key || []).length; i++) {
      map.communities.push({
        index: i, key: told.key[i], label: told.label[i], size: told.size[i], chatters: told.chatters ? told.chatters[i] : 0,
        colour: told.colour ? told.colour[i] : i % 12, x: told.x[i], y: told.y[i], r: told.r ? told.r[i] : 60,
        coherence: told.coherence ? told.coherence[i] : null, stability: told.stability ? told.stability[i] : null,
        nodes: []
      });
    }
    map.isolates = [];
    for (i = 0; i < n; i++) (map.community[i] >= 0 ? map.communities[map.community[i]].nodes : map.isolates).push(i);
    map.communities.forEach(function (c) {
      c.top = Infinity;
      c.bottom = -Infinity;
      c.nodes.forEach(function (k) { c.top = Math.min(c.top, map.y[k] - map.r[k]); c.bottom = Math.max(c.bottom, map.y[k] + map.r[k]); });
    });
    map.byId = new Map();
    for (i = 0; i < n; i++) map.byId.set(String(map.id[i]), i);
    map.byLogin = new Map();
    for (i = 0; i < n; i++) map.byLogin.set(plain(map.login[i]), i);
    map.order = Array.from({ length: n }, function (_, k) { return k; }).sort(function (a, b) {
      return map.chatters[b] - map.chatters[a] || a - b;
    });
    map.near = neighbours(n, map.s, map.t);
    map.box = box(map);
    map.grid = grid(map);
    map.found = map.name.map(function (name, k) { return plain(name) + " " + plain(map.login[k]); });
    map.vanished = payload.vanished || null;
    return map;
  }

  // The node under a point of the map: the nearest rim within `slack`; -1 when there is none.
  function pick(map, x, y, slack, allowed) {
    var g = map.grid, b = map.box, reach = g.most + slack, best = -1, bestGap = slack;
    var c0 = Math.floor((x - reach - b.x0) / g.size), c1 = Math.floor((x + reach - b.x0) / g.size);
    var r0 = Math.floor((y - reach - b.y0) / g.size), r1 = Math.floor((y + reach - b.y0) / g.size);
    for (var c = Math.max(0, c0); c <= Math.min(CELLS, c1); c++) {
      for (var r = Math.max(0, r0); r <= Math.min(CELLS, r1); r++) {
        var cell = g.cells.get(c * 4096 + r);
        for (var k = 0; cell && k < cell.length; k++) {
          var i = cell[k];
          if (allowed && !allowed(i)) continue;
          var gap = Math.hypot(map.x[i] - x, map.y[i] - y) - map.r[i];
          if (gap < bestGap) { bestGap = gap; best = i; }
        }
      }
    }
    return best;
  }

  // Channels and communities whose name has the words in it: the very name, beginnings, then by size.
  function search(map, words, limit) {
    var sought = plain(words).trim(), ranked = [[], [], [], [], []];
    if (!sought) return [];
    map.communities.forEach(function (c) {
      var at = plain(c.label).indexOf(sought);
      if (at >= 0) ranked[at === 0 ? 1 : 3].push({ kind: "community", index: c.index, label: c.label, size: c.size });
    });
    for (var k = 0; k < map.order.length; k++) {
      var i = map.order[k], found = map.found[i], at = found.indexOf(sought);
      if (at < 0) continue;
      var isWhole = plain(map.name[i]) === sought || plain(map.login[i]) === sought, isStart = at === 0 || found[at - 1] === " ";
      var into = ranked[isWhole ? 0 : isStart ? 2 : 4];
      if (into.length < limit) into.push({ kind: "channel", index: i, label: map.name[i], size: map.chatters[i] });
    }
    ranked[1].sort(function (a, b) { return b.size - a.size; });
    ranked[3].sort(function (a, b) { return b.size - a.size; });
    return [].concat(ranked[0], ranked[1].slice(0, 4), ranked[2].slice(0, limit - 2), ranked[3].slice(0, 2), ranked[4]).slice(0, limit);
  }

  window.StreamLensMap = Object.assign(window.StreamLensMap || {}, {
    parts: { read: read, pick: pick, search: search }
  });
})();
