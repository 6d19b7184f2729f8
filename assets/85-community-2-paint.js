// The map's picture on a plain canvas. Measured without a graphics card, WebGL is twenty times slower
// than this, and with one both are fast. Territories and edges are drawn once into a bitmap that is moved
// and stretched while the camera moves; nodes are stamped from small sprites in every frame.
(function () {
  "use strict";
  var COLOURS = 12, MARGIN = 0.22, FIELD = 232, SLICE_MS = 4, LOG_STEP = Math.log(1.3);

  function canvas(w, h) {
    var c = document.createElement("canvas");
    c.width = Math.max(1, Math.round(w));
    c.height = Math.max(1, Math.round(h));
    return c;
  }
  function rgb(text) {
    var probe = canvas(1, 1).getContext("2d", { willReadFrequently: true });
    probe.fillStyle = text || "#888";
    probe.fillRect(0, 0, 1, 1);
    return Array.from(probe.getImageData(0, 0, 1, 1).data.slice(0, 3));
  }
  function css(c, alpha) { return "rgba(" + c[0] + "," + c[1] + "," + c[2] + "," + alpha + ")"; }
  function mix(a, b, share) { return a.map(function (v, i) { return Math.round(v * (1 - share) + b[i] * share); }); }

  // Colours come from the page's tokens, so that the map follows the theme.
  function colours(element) {
    var style = getComputedStyle(element);
    function token(name, otherwise) { return rgb(style.getPropertyValue(name).trim() || otherwise); }
    var look = {
      bg: token("--bg", "#0f0f15"), surface: token("--surface", "#17171f"), text: token("--text", "#ececf3"),
      muted: token("--muted", "#a3a3b6"), edge: token("--edge", "#6f6f85"), accent: token("--accent", "#a78bfa"),
      warn: token("--warn", "#f6bd45"), line: token("--line", "#2b2b39"), node: [],
      font: style.fontFamily || "sans-serif"
    };
    for (var i = 0; i < COLOURS; i++) look.node.push(token("--map-" + i, "#a78bfa"));
    look.isDark = look.bg[0] + look.bg[1] + look.bg[2] < 380;
    return look;
  }

  // The fewer channels, the wider each one's land: neighbours shall touch. In cells of the field.
  function usualSpread(map) { return Math.min(16, Math.max(3.2, 0.4 * FIELD / Math.sqrt(Math.max(1, map.n)))); }

  // Who owns which land: each community's channels spread over a coarse field, the strongest owns a cell.
  function territories(map, look, isHidden) {
    var usual = usualSpread(map);
    var b = map.box, pad = Math.max(b.w, b.h) * (0.05 + 2.4 * usual / FIELD), side = Math.max(b.w, b.h) + 2 * pad;
    var x0 = (b.x0 + b.x1) / 2 - side / 2, y0 = (b.y0 + b.y1) / 2 - side / 2, scale = FIELD / side;
    var best = new Float32Array(FIELD * FIELD), owner = new Int16Array(FIELD * FIELD).fill(-1);
    var field = new Float32Array(FIELD * FIELD);
    map.communities.forEach(function (c) {
      if (isHidden(c.index) || !c.nodes.length) return;
      var touched = [FIELD, FIELD, 0, 0];
      c.nodes.forEach(function (i) {
        var u = (map.x[i] - x0) * scale, v = (map.y[i] - y0) * scale;
        var spread = Math.min(22, usual + map.r[i] * scale * 0.9), reach = Math.ceil(spread * 2);
        for (var q = Math.max(0, Math.floor(v - reach)); q <= Math.min(FIELD - 1, v + reach); q++) {
          for (var p = Math.max(0, Math.floor(u - reach)); p <= Math.min(FIELD - 1, u + reach); p++) {
            var d = ((p - u) * (p - u) + (q - v) * (q - v)) / (spread * spread);
            if (d < 4) field[q * FIELD + p] += (1 - d / 4) * (1 - d / 4);
          }
        }
        touched = [Math.min(touched[0], u - reach), Math.min(touched[1], v - reach), Math.max(touched[2], u + reach), Math.max(touched[3], v + reach)];
      });
      for (var q = Math.max(0, Math.floor(touched[1])); q <= Math.min(FIELD - 1, touched[3]); q++) {
        for (var p = Math.max(0, Math.floor(touched[0])); p <= Math.min(FIELD - 1, touched[2]); p++) {
          var k = q * FIELD + p;
          if (field[k] > best[k]) { best[k] = field[k]; owner[k] = c.colour; }
          field[k] = 0;
        }
      }
    });
    var out = canvas(FIELD, FIELD), g = out.getContext("2d"), image = g.createImageData(FIELD, FIELD), most = look.isDark ? 46 : 40;
    for (var k = 0; k < best.length; k++) {
      if (owner[k] < 0) continue;
      var c = look.node[owner[k] % COLOURS], t = Math.min(1, Math.max(0, (best[k] - 0.3) / 1.5));
      image.data[4 * k] = c[0]; image.data[4 * k + 1] = c[1]; image.data[4 * k + 2] = c[2];
      image.data[4 * k + 3] = Math.round((t * t * (3 - 2 * t)) * most);
    }
    g.putImageData(image, 0, 0);
    return { image: out, x: x0, y: y0, side: side };
  }

  function createPaint(host) {
    var view = canvas(1, 1), g = view.getContext("2d", { alpha: false });
    var w = 1, h = 1, dpr = 1, look = null, map = null, land = null, isHidden = function () { return false; };
    var base = null, spare = null, work = null, buckets = null, sprites = new Map();
    view.className = "map-canvas";
    host.appendChild(view);

    function resize(width, height, ratio) {
      w = width; h = height; dpr = ratio;
      view.width = Math.round(w * dpr);
      view.height = Math.round(h * dpr);
      base = spare = work = null;
    }
    function setLook(next) { look = next; sprites.clear(); refresh(); }
    function setMap(next, hidden) { map = next; isHidden = hidden; refresh(); }
    function refresh() {
      base = work = null;
      buckets = null;
      land = map && look ? territories(map, look, isHidden) : null;
    }

    // Edges of one colour and strength make one path: strokes are what costs.
    function bucketed() {
      if (buckets) return buckets;
      var made = new Map(), bend = new Float32Array(map.m);
      for (var e = 0; e < map.m; e++) {
        var a = map.community[map.s[e]], b = map.community[map.t[e]];
        if (isHidden(a) || isHidden(b)) continue;
        var colour = a >= 0 && a === b ? map.communities[a].colour % COLOURS : -1;
        var level = map.rank[e] > 0.9 ? 2 : map.rank[e] > 0.6 ? 1 : 0;
        bend[e] = colour < 0 ? 0.14 : 0.08;
        var key = colour * 4 + level, bucket = made.get(key);
        if (bucket) bucket.edges.push(e); else made.set(key, { colour: colour, level: level, edges: [e] });
      }
      buckets = Array.from(made.values()).sort(function (p, q) { return p.level - q.level || p.colour - q.colour; });
      buckets.bend = bend;
      return buckets;
    }

    function curve(to, sx, sy, tx, ty, bend) {
      to.moveTo(sx, sy);
      to.quadraticCurveTo((sx + tx) / 2 - (ty - sy) * bend, (sy + ty) / 2 + (tx - sx) * bend, tx, ty);
    }

    // A bitmap larger than the view, begun for a camera and finished a slice at a time.
    function begin(camera) {
      var bw = Math.round(view.width * (1 + 2 * MARGIN)), bh = Math.round(view.height * (1 + 2 * MARGIN));
      var image = spare && spare.image.width === bw && spare.image.height === bh ? spare.image : canvas(bw, bh);
      spare = null;
      var out = image.getContext("2d", { alpha: false });
      out.fillStyle = css(look.bg, 1);
      out.fillRect(0, 0, bw, bh);
      if (land) {
        out.imageSmoothingEnabled = true;
        out.imageSmoothingQuality = "high";
        var k = camera.k * dpr;
        out.drawImage(land.image, (land.x - camera.x) * k + bw / 2, (land.y - camera.y) * k + bh / 2, land.side * k, land.side * k);
      }
      // Many edges at once would be a fog: the more there are, the fainter each one.
      var fade = Math.min(1.8, Math.sqrt(5200 / Math.max(1, map.m))) * Math.min(1.25, 0.62 + 0.34 * Math.log2(1 + camera.k));
      return { image: image, out: out, camera: { x: camera.x, y: camera.y, k: camera.k }, bucket: 0, edge: 0, fade: fade };
    }
    function proceed(job, until) {
      var list = bucketed(), k = job.camera.k * dpr, bw = job.image.width, bh = job.image.height, out = job.out;
      var ox = bw / 2 - job.camera.x * k, oy = bh / 2 - job.camera.y * k;
      while (job.bucket < list.length) {
        var b = list[job.bucket], end = Math.min(b.edges.length, job.edge + 400), any = false;
        var strength = [0.2, 0.32, 0.52][b.level] * (b.colour < 0 ? 0.85 : 1.1) * job.fade * (look.isDark ? 1 : 1.25);
        out.strokeStyle = css(b.colour < 0 ? look.edge : look.node[b.colour], Math.min(0.8, strength).toFixed(3));
        out.lineWidth = [0.7, 0.9, 1.3][b.level] * dpr * Math.min(1.8, Math.max(0.8, Math.sqrt(job.camera.k)));
        out.beginPath();
        for (; job.edge < end; job.edge++) {
          var e = b.edges[job.edge], i = map.s[e], j = map.t[e];
          var sx = map.x[i] * k + ox, sy = map.y[i] * k + oy, tx = map.x[j] * k + ox, ty = map.y[j] * k + oy;
          if ((sx < 0 && tx < 0) || (sy < 0 && ty < 0) || (sx > bw && tx > bw) || (sy > bh && ty > bh)) continue;
          curve(out, sx, sy, tx, ty, list.bend[e]);
          any = true;
        }
        if (any) out.stroke();
        if (job.edge >= b.edges.length) { job.bucket++; job.edge = 0; }
        if (until && performance.now() > until) return false;
      }
      return true;
    }
    function fits(job, camera) {
      if (!job) return false;
      var ratio = camera.k / job.camera.k;
      if (ratio < 0.72 || ratio > 1.7) return false;
      var room = 1 + 2 * MARGIN, dx = Math.abs(camera.x - job.camera.x) * camera.k, dy = Math.abs(camera.y - job.camera.y) * camera.k;
      return dx + w / 2 <= (w * room / 2) * ratio + 1 && dy + h / 2 <= (h * room / 2) * ratio + 1;
    }
    function same(a, b) { return a.x === b.x && a.y === b.y && a.k === b.k; }

    // Makes sure that there is a bitmap to move; true when it is exactly of this camera.
    function prepare(camera, isMoving) {
      if (base && same(base.camera, camera)) { work = null; return true; }
      if (isMoving && base) {
        if (!fits(base, camera)) {
          if (!work || !fits(work, camera)) work = begin(camera);
          if (proceed(work, performance.now() + SLICE_MS)) { spare = base; base = work; work = null; }
        }
        return false;
      }
      if (!work || !same(work.camera, camera)) work = begin(camera);
      // The first picture comes whole; later ones in slices, so that a hand on the map is never kept waiting.
      if (!proceed(work, base ? performance.now() + 3 * SLICE_MS : 0)) return false;
      spare = base; base = work; work = null;
      return true;
    }

    function sprite(colour, radius, kind) {
      var size = radius < 12 ? Math.round(radius * 4) / 4 : Math.round(radius), key = colour * 100000 + kind * 20000 + size * 4;
      var found = sprites.get(key);
      if (found) return found;
      if (sprites.size > 1500) sprites.clear();
      var side = Math.ceil(size * 2) + 4, made = canvas(side, side), out = made.getContext("2d"), c = side / 2;
      var fill = colour < 0 ? look.edge : look.node[colour];
      out.beginPath();
      out.arc(c, c, size, 0, 2 * Math.PI);
      if (kind === 1) {
        // Hollow: the runs do not agree where it belongs.
        out.fillStyle = css(mix(fill, look.bg, 0.62), 1);
        out.fill();
        out.lineWidth = Math.max(1, Math.min(3, size * 0.22));
        out.beginPath();
        out.arc(c, c, Math.max(0.5, size - out.lineWidth / 2), 0, 2 * Math.PI);
        out.strokeStyle = css(fill, 1);
        out.stroke();
      } else {
        out.fillStyle = css(fill, 1);
        out.fill();
        if (size > 2.5) {
          out.lineWidth = Math.min(1.6, size * 0.16) * Math.min(dpr, 1.5);
          out.strokeStyle = css(mix(fill, look.bg, 0.55), 1);
          out.stroke();
        }
      }
      found = { image: made, half: side / 2 };
      sprites.set(key, found);
      return found;
    }

    function nodeColour(i) { return map.community[i] < 0 ? -1 : map.communities[map.community[i]].colour % COLOURS; }
    function nodes(camera, scene, only) {
      var k = camera.k * dpr, ox = view.width / 2 - camera.x * k, oy = view.height / 2 - camera.y * k, bw = view.width, bh = view.height;
      var px = scene.px || map.x, py = scene.py || map.y, least = 0.9 * dpr, count = only ? only.length : map.n;
      for (var q = 0; q < count; q++) {
        // Small ones last would hide the large: largest first is the payload's order.
        var i = only ? only[q] : q, x = px[i] * k + ox, y = py[i] * k + oy, r = Math.max(least, map.r[i] * k);
        if (x < -r || y < -r || x > bw + r || y > bh + r || isHidden(map.community[i])) continue;
        var colour = nodeColour(i);
        if (r < 1.6) {
          g.fillStyle = css(colour < 0 ? look.edge : look.node[colour], 0.9);
          g.fillRect(x - r, y - r, 2 * r, 2 * r);
          continue;
        }
        var isLoose = map.stability[i] >= 0 && map.stability[i] < 0.6;
        if (r < 64) {
          // While zooming every frame has other sizes: stamps of few sizes are stretched, none is made anew.
          var exact = scene.isMoving ? Math.pow(1.3, Math.ceil(Math.log(r) / LOG_STEP)) : r;
          var s = sprite(colour, exact, isLoose ? 1 : 0), half = scene.isMoving ? s.half * r / exact : s.half;
          if (half === s.half) g.drawImage(s.image, x - half, y - half);
          else g.drawImage(s.image, x - half, y - half, 2 * half, 2 * half);
        } else {
          g.beginPath();
          g.arc(x, y, r, 0, 2 * Math.PI);
          g.fillStyle = css(isLoose ? mix(look.node[colour] || look.edge, look.bg, 0.62) : look.node[colour] || look.edge, 1);
          g.fill();
        }
        if (map.torn[i] >= 0 && r > 4 * dpr) {
          g.beginPath();
          g.arc(x, y, r + 2.2 * dpr, 0, 2 * Math.PI);
          g.lineWidth = 1.6 * dpr;
          g.strokeStyle = css(look.node[map.communities[map.torn[i]].colour % COLOURS], 0.95);
          g.stroke();
        }
      }
    }

    function spokes(camera, scene) {
      var k = camera.k * dpr, ox = view.width / 2 - camera.x * k, oy = view.height / 2 - camera.y * k, focus = scene.focus;
      focus.links.forEach(function (link) {
        var i = focus.node, j = link.node, colour = nodeColour(j);
        if (isHidden(map.community[j])) return;
        g.beginPath();
        curve(g, map.x[i] * k + ox, map.y[i] * k + oy, map.x[j] * k + ox, map.y[j] * k + oy, 0.1);
        g.strokeStyle = css(colour < 0 ? look.edge : look.node[colour], 0.3 + 0.6 * link.share);
        g.lineWidth = (0.8 + 2.6 * link.share) * dpr;
        g.stroke();
      });
    }

    function ring(camera, scene, i, colour, width) {
      var k = camera.k * dpr, px = scene.px || map.x, py = scene.py || map.y;
      g.beginPath();
      g.arc((px[i] - camera.x) * k + view.width / 2, (py[i] - camera.y) * k + view.height / 2, Math.max(0.9 * dpr, map.r[i] * k) + 4.5 * dpr, 0, 2 * Math.PI);
      g.lineWidth = width * dpr;
      g.strokeStyle = css(colour, 1);
      g.stroke();
    }

    function dashes(camera) {
      var k = camera.k * dpr, ox = view.width / 2 - camera.x * k, oy = view.height / 2 - camera.y * k, lost = map.vanished;
      g.beginPath();
      for (var e = 0; e < lost.s.length; e++) {
        curve(g, map.x[lost.s[e]] * k + ox, map.y[lost.s[e]] * k + oy, map.x[lost.t[e]] * k + ox, map.y[lost.t[e]] * k + oy, 0.1);
      }
      g.setLineDash([5 * dpr, 4 * dpr]);
      g.lineWidth = 1.3 * dpr;
      g.strokeStyle = css(look.warn, 0.8);
      g.stroke();
      g.setLineDash([]);
    }

    // One frame. True when nothing better is to come for this camera.
    function draw(camera, scene) {
      var isExact = prepare(camera, scene.isMoving), dim = scene.focus ? scene.dim : 0;
      g.globalAlpha = 1;
      g.fillStyle = css(look.bg, 1);
      g.fillRect(0, 0, view.width, view.height);
      if (base) {
        var ratio = camera.k / base.camera.k, bw = base.image.width * ratio, bh = base.image.height * ratio, k = camera.k * dpr;
        var x = view.width / 2 + (base.camera.x - camera.x) * k - bw / 2, y = view.height / 2 + (base.camera.y - camera.y) * k - bh / 2;
        g.imageSmoothingEnabled = !(ratio === 1);
        g.globalAlpha = (1 - 0.78 * dim) * (scene.px ? 0.35 : 1);
        // A whole pixel's step needs no filter, and none shows.
        if (ratio === 1) g.drawImage(base.image, Math.round(x), Math.round(y));
        else g.drawImage(base.image, x, y, bw, bh);
        g.imageSmoothingEnabled = true;
      }
      g.globalAlpha = 1 - 0.84 * dim;
      nodes(camera, scene, null);
      g.globalAlpha = 1;
      if (map.vanished) dashes(camera);
      if (scene.focus) {
        g.globalAlpha = Math.min(1, 0.2 + dim);
        spokes(camera, scene);
        g.globalAlpha = 1;
        nodes(camera, scene, scene.focus.shown);
      }
      scene.rings.forEach(function (mark) { ring(camera, scene, mark.node, mark.isChosen ? look.text : look.accent, mark.isChosen ? 2.2 : 1.4); });
      return isExact;
    }

    return {
      element: view, context: g, resize: resize, setLook: setLook, setMap: setMap, refresh: refresh, draw: draw,
      look: function () { return look; }
    };
  }

  Object.assign(window.StreamLensMap.parts, { spread: function (map) { return 1.1 * usualSpread(map) / FIELD; }, createPaint: createPaint, colours: colours, css: css, canvas: canvas });
})();
