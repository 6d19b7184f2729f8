// The map's names: regions far out, channels near, none over another. Where they stand is worked out a few
// times a second; in between they move with the camera. Each name is written once and stamped from then on.
(function () {
  "use strict";
  var CELL = 48, PLACE_EVERY_MS = 140, MOST = 150, FEW = 14;

  function createLabels(paint) {
    var parts = window.StreamLensMap.parts, texts = new Map(), shown = new Map(), placedAt = 0, last = null, cells = new Map(), mayWrite = Infinity;

    function forget() { texts.clear(); shown.clear(); last = null; }

    function lines(text) {
      if (text.length < 17) return [text];
      // At a bracket, a middle dot or the space nearest to the middle.
      var cut = text.indexOf(" (") > 4 ? text.indexOf(" (") : text.indexOf(" \u00b7 ") > 4 ? text.indexOf(" \u00b7 ") : -1;
      if (cut < 0) {
        var middle = text.length / 2, gap = Infinity;
        for (var i = 1; i < text.length - 1; i++) if (text[i] === " " && Math.abs(i - middle) < gap) { gap = Math.abs(i - middle); cut = i; }
      }
      return cut < 0 ? [text] : [text.slice(0, cut), text.slice(cut).replace(/^ (\u00b7 )?/, "")];
    }

    function written(text, size, kind, colour, dpr) {
      var key = kind + "|" + size + "|" + colour + "|" + text, found = texts.get(key);
      if (found || mayWrite-- <= 0) return found;
      if (texts.size > 900) texts.clear();
      var look = paint.look(), rows = kind === "region" ? lines(text) : [text];
      var weight = kind === "region" ? 650 : kind === "chosen" ? 650 : 500, font = weight + " " + size * dpr + "px " + look.font;
      var probe = paint.context;
      probe.font = font;
      var width = Math.max.apply(null, rows.map(function (row) { return probe.measureText(row).width; })), high = size * 1.18 * dpr;
      var pad = 4 * dpr, image = parts.canvas(width + 2 * pad, high * rows.length + 2 * pad), g = image.getContext("2d");
      var ink = colour >= 0 && kind === "region" ? mixed(look.node[colour], look.text) : kind === "near" ? look.text : look.text;
      g.font = font;
      g.textAlign = "center";
      g.textBaseline = "middle";
      g.lineJoin = "round";
      rows.forEach(function (row, i) {
        var x = image.width / 2, y = pad + high * (i + 0.5);
        g.strokeStyle = parts.css(look.bg, kind === "region" ? 0.86 : 0.9);
        g.lineWidth = (kind === "region" ? 4.5 : 3.2) * dpr;
        g.strokeText(row, x, y);
        g.fillStyle = parts.css(ink, 1);
        g.fillText(row, x, y);
      });
      found = { image: image, w: image.width / dpr, h: image.height / dpr };
      texts.set(key, found);
      return found;
    }
    function mixed(a, b) { return a.map(function (v, i) { return Math.round(v * 0.45 + b[i] * 0.55); }); }

    function isFree(x0, y0, x1, y1) {
      for (var c = Math.floor(x0 / CELL); c <= Math.floor(x1 / CELL); c++) {
        for (var r = Math.floor(y0 / CELL); r <= Math.floor(y1 / CELL); r++) {
          var list = cells.get(c * 100003 + r);
          for (var i = 0; list && i < list.length; i++) {
            var b = list[i];
            if (x0 < b[2] && x1 > b[0] && y0 < b[3] && y1 > b[1]) return false;
          }
        }
      }
      return true;
    }
    function take(x0, y0, x1, y1) {
      var rect = [x0, y0, x1, y1];
      for (var c = Math.floor(x0 / CELL); c <= Math.floor(x1 / CELL); c++) {
        for (var r = Math.floor(y0 / CELL); r <= Math.floor(y1 / CELL); r++) {
          var key = c * 100003 + r, list = cells.get(key);
          if (list) list.push(rect); else cells.set(key, [rect]);
        }
      }
    }

    function place(map, camera, w, h, dpr, scene) {
      var wanted = new Map(), k = camera.k, count = 0, focus = scene.isLeaving ? null : scene.focus;
      cells.clear();
      // Writing is slow: in motion only a few names are new, the others come when the map rests.
      mayWrite = scene.isMoving ? 8 : Infinity;
      function put(key, kind, text, size, colour, wx, wy, spots, node) {
        var t = written(text, size, kind, colour, dpr);
        if (!t) return false;
        var sx = (wx - camera.x) * k + w / 2, sy = (wy - camera.y) * k + h / 2;
        if (sx < -t.w || sy < -t.h || sx > w + t.w || sy > h + t.h) return false;
        for (var q = 0; q < spots.length; q++) {
          var dx = spots[q][0] * (t.w / 2), dy = spots[q][1] * (t.h / 2), ox = spots[q][2], oy = spots[q][3];
          var cx = sx + dx + ox, cy = sy + dy + oy, x0 = cx - t.w / 2 + 2, y0 = cy - t.h / 2 + 3;
          if (kind === "region" && q + 1 < spots.length && (y0 < 0 || y0 + t.h > h || x0 < 0 || x0 + t.w > w)) continue;
          if (!isFree(x0, y0, x0 + t.w - 4, y0 + t.h - 6)) continue;
          take(x0, y0, x0 + t.w - 4, y0 + t.h - 6);
          // From one spot to another a region's name fades, and does not jump.
          wanted.set(kind === "region" ? key + "/" + q : key, { text: t, wx: wx, wy: wy, dx: dx + ox, dy: dy + oy, node: node, kind: kind });
          count++;
          return true;
        }
        return false;
      }
      function name(i, kind) {
        var r = Math.max(1, map.r[i] * k), size = kind === "chosen" ? 14 : Math.round(Math.min(15, Math.max(11, 9 + r * 0.16)));
        var gap = r + (kind === "chosen" ? 5 : 1);
        put("n" + map.id[i], kind, map.name[i], size, -1, map.x[i], map.y[i], [[0, 1, 0, gap], [0, -1, 0, -gap], [1, 0, gap, 0], [-1, 0, -gap, 0]], i);
      }
      // What was pointed at or chosen first, then regions, then whoever is large enough on the screen.
      scene.rings.forEach(function (mark) { name(mark.node, "chosen"); });
      var regions = map.communities.filter(function (c) { return !scene.isHidden(c.index) && c.nodes.length > 1; });
      regions.sort(function (a, b) { return b.chatters - a.chatters || b.size - a.size; });
      regions.forEach(function (c) {
        var R = c.r * k;
        if (R < 15 || R > 0.62 * Math.max(w, h) || focus) return;
        var size = Math.round(Math.min(24, Math.max(12, R * 0.17)));
        // Where a few discs are all there is, the name stands beside them and hides none.
        var up = (c.top - c.y) * k, down = (c.bottom - c.y) * k;
        var spots = c.nodes.length <= FEW ? [[0, -1, 0, up], [0, 1, 0, down], [0, 0, 0, 0]] : [[0, 0, 0, 0]];
        for (var s = size; s >= 11; s = Math.floor(s * 0.78)) {
          if (put("c" + c.key, "region", c.label, s, c.colour % 12, c.x, c.y, spots, -1)) return;
          if (s === 11) return;
        }
      });
      if (focus) {
        var close = focus.links.slice().sort(function (a, b) { return b.share - a.share; });
        close.slice(0, 60).forEach(function (link) { name(link.node, "near"); });
      }
      var least = 4.6;
      for (var q = 0; q < map.order.length && count < MOST && !focus; q++) {
        var i = map.order[q], r = map.r[i] * k;
        if (r < least) { if (q > 4000) break; continue; }
        if (scene.isHidden(map.community[i])) continue;
        var sx = (map.x[i] - camera.x) * k + w / 2, sy = (map.y[i] - camera.y) * k + h / 2;
        if (sx < -60 || sy < -30 || sx > w + 60 || sy > h + 30) continue;
        name(i, "near");
      }
      shown.forEach(function (label, key) {
        var next = wanted.get(key);
        if (next) { next.alpha = label.alpha; } else if (label.alpha > 0.02) { label.gone = true; wanted.set(key, label); }
      });
      shown = wanted;
    }

    // One frame; true while names are still coming or going.
    function draw(map, camera, w, h, dpr, scene, now) {
      var isNew = !last || last.x !== camera.x || last.y !== camera.y || last.k !== camera.k || last.scene !== scene.stamp;
      if (isNew && (!scene.isMoving || now - placedAt > PLACE_EVERY_MS)) {
        place(map, camera, w, h, dpr, scene);
        placedAt = now;
        last = { x: camera.x, y: camera.y, k: camera.k, scene: scene.stamp };
      }
      var g = paint.context, step = scene.isQuick ? 1 : 0.14, isBusy = false, px = scene.px, py = scene.py;
      shown.forEach(function (label, key) {
        var to = label.gone ? 0 : 1, alpha = label.alpha || 0;
        alpha = alpha < to ? Math.min(to, alpha + step) : Math.max(to, alpha - step * 1.4);
        label.alpha = alpha;
        if (alpha !== to) isBusy = true;
        if (alpha <= 0.02) { if (label.gone) shown.delete(key); return; }
        var wx = px && label.node >= 0 ? px[label.node] : label.wx, wy = py && label.node >= 0 ? py[label.node] : label.wy;
        var x = (wx - camera.x) * camera.k + w / 2 + label.dx - label.text.w / 2, y = (wy - camera.y) * camera.k + h / 2 + label.dy - label.text.h / 2;
        g.globalAlpha = alpha;
        g.drawImage(label.text.image, Math.round(x * dpr), Math.round(y * dpr));
      });
      g.globalAlpha = 1;
      return isBusy || (isNew && last && (last.x !== camera.x || last.k !== camera.k || last.y !== camera.y));
    }

    return {
      draw: draw, forget: forget,
      names: function () {
        var out = [];
        shown.forEach(function (label, key) { if (!label.gone) out.push(key); });
        return out;
      }
    };
  }

  window.StreamLensMap.parts.createLabels = createLabels;
})();
