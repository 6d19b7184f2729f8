// The map: window.StreamLensMap.mount(element, payload, options) → handle. Camera, hands and keys, what is
// pointed at and chosen, and the loop that draws only while something changes.
//
// options: view {x, y, k} · selected (id) · hidden (community keys) · hasCard (its own drawer, for exported pages)
//          onSelect(id or null, how) · onView({x, y, k}) · onHide(keys) · insets() {left, right, top, bottom}: what covers it
// handle:  setPayload(payload, isFitted) · setTheme() · select(id, flies) · fly(id) · fit() · view() · setView(view)
//          hide(keys) · setLinks(id, others, weights) · only(id or null) · stats() · destroy()
(function () {
  "use strict";
  var parts = window.StreamLensMap.parts, REST_MS = 140, MORPH_MS = 700, MOST_NEAR = 26;
  var still = window.matchMedia ? window.matchMedia("(prefers-reduced-motion: reduce)") : { matches: false };

  function clamp(v, a, b) { return Math.max(a, Math.min(b, v)); }

  // Out, across and in again, as van Wijk and Nuij found it smoothest; widths are in units of the map.
  function flight(a, b, size) {
    var w0 = size / a.k, w1 = size / b.k, dx = b.x - a.x, dy = b.y - a.y, d = Math.hypot(dx, dy), RHO = 1.3, length, at;
    if (d < w0 * 1e-3) {
      length = Math.abs(Math.log(w1 / w0)) / RHO;
      at = function (t) { return { x: a.x + dx * t, y: a.y + dy * t, k: a.k * Math.exp(Math.log(b.k / a.k) * t) }; };
    } else {
      var r2 = RHO * RHO, b0 = (w1 * w1 - w0 * w0 + r2 * r2 * d * d) / (2 * w0 * r2 * d), b1 = (w1 * w1 - w0 * w0 - r2 * r2 * d * d) / (2 * w1 * r2 * d);
      var r0 = Math.log(Math.sqrt(b0 * b0 + 1) - b0), r1 = Math.log(Math.sqrt(b1 * b1 + 1) - b1);
      length = (r1 - r0) / RHO;
      at = function (t) {
        var s = t * length * RHO + r0, u = w0 / (r2 * d) * (Math.cosh(r0) * Math.tanh(s) - Math.sinh(r0));
        return { x: a.x + u * dx, y: a.y + u * dy, k: size / (w0 * Math.cosh(r0) / Math.cosh(s)) };
      };
    }
    return { at: at, ms: clamp(Math.abs(length) * 420, 220, 1600) };
  }
  function eased(t) { return t < 0.5 ? 4 * t * t * t : 1 - Math.pow(-2 * t + 2, 3) / 2; }

  function mount(host, payload, options) {
    options = options || {};
    var began = performance.now();
    host.classList.add("map-host");
    host.textContent = "";
    var stage = parts.make("div", "map-stage", null, { tabindex: "0", role: "application", "aria-label": "Map of channels. Arrow keys move it, plus and minus zoom, 0 shows all. The list below it has every channel." });
    host.append(stage);
    var paint = parts.createPaint(stage), labels = parts.createLabels(paint), tip = parts.createTip(host);
    var map = null, w = 1, h = 1, dpr = 1, camera = { x: 0, y: 0, k: 1 }, least = 0.01, most = 40;
    var hidden = new Set(options.hidden || []), hiddenIndex = new Set(), chosen = -1, hovered = -1, pointedRegion = -1, ownLinks = null, solo = -1;
    var isDirty = true, movedAt = -1e9, frame = 0, trip = null, glide = null, wheelTo = null, morph = null, dim = 0, dead = false, stamp = 0;
    var figures = { first_ms: null, frames: 0, frame_ms: [] }, viewTimer = 0;

    function isHidden(c) { return (c < 0 ? hiddenIndex.size > 0 && hiddenIndex.has(-1) : hiddenIndex.has(c)) || false; }
    function onlyShown(i) { return !isHidden(map.community[i]); }
    function wake() { isDirty = true; if (!frame && !dead) frame = requestAnimationFrame(tick); }
    function moved() { movedAt = performance.now(); delete host.dataset.still; wake(); }
    function now() { return { x: camera.x, y: camera.y, k: camera.k }; }

    function measure() {
      var box = stage.getBoundingClientRect();
      w = Math.max(1, box.width);
      h = Math.max(1, box.height);
      dpr = Math.min(2, window.devicePixelRatio || 1);
      paint.resize(w, h, dpr);
      limits();
      wake();
    }
    function limits() {
      if (!map) return;
      var whole = fitted();
      least = whole.k * 0.5;
      most = Math.max(whole.k * 60, 8);
    }
    // The legend covers the left where there is room for one.
    function fitted(box) {
      var b = box || map.box, left = w > 900 ? 244 : 34, top = w > 900 ? 24 : 64, right = w > 900 ? 28 : 34, bottom = w > 900 ? 24 : 40;
      // The land around the outermost channels is in the picture, too.
      var land = box ? 0 : (w > 900 ? 2 : 0.6) * parts.spread(map) * Math.max(b.w, b.h);
      var k = Math.min((w - left - right) / (b.w + land), (h - top - bottom) / (b.h + land));
      return { x: (b.x0 + b.x1) / 2 - (left - right) / 2 / k, y: (b.y0 + b.y1) / 2 - (top - bottom) / 2 / k, k: k };
    }

    function go(to, isJump) {
      glide = wheelTo = null;
      to = { x: to.x, y: to.y, k: clamp(to.k, least, most) };
      if (isJump || still.matches) { camera = to; trip = null; moved(); return; }
      var path = flight(camera, to, Math.min(w, h));
      trip = { path: path, from: performance.now(), to: to };
      moved();
    }
    function zoomAt(factor, sx, sy, isSoft) {
      var from = isSoft && wheelTo ? wheelTo.k : camera.k, k = clamp(from * factor, least, most);
      trip = glide = null;
      if (isSoft && !still.matches) { wheelTo = { k: k, sx: sx, sy: sy }; moved(); return; }
      var x = camera.x + (sx - w / 2) / camera.k, y = camera.y + (sy - h / 2) / camera.k;
      camera = { x: x - (sx - w / 2) / k, y: y - (sy - h / 2) / k, k: k };
      wheelTo = null;
      moved();
    }
    function keepNear() {
      var b = map.box;
      camera.x = clamp(camera.x, b.x0 - w / 2 / camera.k, b.x1 + w / 2 / camera.k);
      camera.y = clamp(camera.y, b.y0 - h / 2 / camera.k, b.y1 + h / 2 / camera.k);
    }

    function step(at) {
      if (trip) {
        var t = clamp((at - trip.from) / trip.path.ms, 0, 1);
        camera = t >= 1 ? trip.to : trip.path.at(eased(t));
        if (t >= 1) trip = null;
        movedAt = at;
      } else if (wheelTo) {
        var k = camera.k * Math.pow(wheelTo.k / camera.k, 0.28), sx = wheelTo.sx, sy = wheelTo.sy;
        if (Math.abs(k / wheelTo.k - 1) < 0.004) k = wheelTo.k;
        var x = camera.x + (sx - w / 2) / camera.k, y = camera.y + (sy - h / 2) / camera.k;
        camera = { x: x - (sx - w / 2) / k, y: y - (sy - h / 2) / k, k: k };
        if (k === wheelTo.k) wheelTo = null;
        movedAt = at;
      } else if (glide) {
        var dt = Math.min(40, at - glide.at);
        camera.x -= glide.vx * dt / camera.k;
        camera.y -= glide.vy * dt / camera.k;
        var slow = Math.exp(-dt / 260);
        glide = { vx: glide.vx * slow, vy: glide.vy * slow, at: at };
        if (Math.hypot(glide.vx, glide.vy) < 0.02) glide = null;
        movedAt = at;
      }
      keepNear();
    }

    function linksOf(i) {
      if (ownLinks && ownLinks.node === i) return ownLinks.links;
      var out = [], q;
      for (q = map.near.start[i]; q < map.near.start[i + 1]; q++) out.push({ node: map.near.node[q], share: map.rank[map.near.edge[q]] });
      return out.sort(function (a, b) { return b.share - a.share; });
    }
    function focus() {
      var i = hovered >= 0 ? hovered : solo >= 0 ? solo : chosen;
      if (i < 0) {
        if (pointedRegion < 0) return null;
        var all = map.communities[pointedRegion];
        return all ? { node: -1, links: [], shown: all.nodes } : null;
      }
      var links = linksOf(i).filter(function (link) { return onlyShown(link.node); });
      if (hovered >= 0 && i !== chosen) links = links.slice(0, MOST_NEAR * 3);
      return { node: i, links: links, shown: links.map(function (link) { return link.node; }).concat(i) };
    }
    var scene = { focus: null, dim: 0, rings: [], isMoving: false, isQuick: false, isHidden: isHidden, stamp: 0, px: null, py: null };
    function restage() {
      var next = focus();
      scene.focus = next || (dim > 0.02 ? scene.focus : null);
      scene.isLeaving = !next;
      scene.rings = [];
      if (hovered >= 0 && hovered !== chosen) scene.rings.push({ node: hovered, isChosen: false });
      if (chosen >= 0 && onlyShown(chosen)) scene.rings.push({ node: chosen, isChosen: true });
      scene.stamp = ++stamp;
      wake();
    }

    function tick(at) {
      frame = 0;
      if (dead || !map) return;
      at = performance.now();
      step(at);
      var to = scene.focus && !scene.isLeaving ? 1 : 0;
      dim = still.matches ? to : dim < to ? Math.min(to, dim + 0.16) : Math.max(to, dim - 0.2);
      if (scene.isLeaving && dim === 0 && scene.focus) { scene.focus = null; scene.stamp = ++stamp; }
      scene.dim = dim;
      scene.isMoving = at - movedAt < REST_MS || !!drag;
      scene.isQuick = still.matches;
      var isMorphing = morphed(at), isExact = paint.draw(camera, scene), isBusy = labels.draw(map, camera, w, h, dpr, scene, at);
      if (figures.first_ms === null) {
        figures.first_ms = performance.now() - began;
        figures.first_at = performance.now();
        host.dataset.drawn = "1";
      }
      figures.frames++;
      figures.frame_ms[figures.frames % 240] = performance.now() - at;
      isDirty = scene.isMoving || isMorphing || !isExact || isBusy || dim !== to || !!trip || !!glide || !!wheelTo;
      if (isDirty) wake();
      else host.dataset.still = "1";
      if (at - movedAt < REST_MS) { delete host.dataset.still; told(); }
    }
    function told() {
      if (!options.onView) return;
      clearTimeout(viewTimer);
      viewTimer = setTimeout(function () { options.onView(now()); }, 260);
    }

    // Channels that were on the map before glide to where they are now.
    function morphed(at) {
      if (!morph) return false;
      var t = clamp((at - morph.from) / MORPH_MS, 0, 1), e = eased(t);
      if (t >= 1) { morph = null; scene.px = scene.py = null; scene.stamp = ++stamp; return true; }
      for (var i = 0; i < map.n; i++) {
        scene.px[i] = morph.x[i] + (map.x[i] - morph.x[i]) * e;
        scene.py[i] = morph.y[i] + (map.y[i] - morph.y[i]) * e;
      }
      return true;
    }

    function setPayload(next, isFitted) {
      var before = map, held = chosen >= 0 ? String(before.id[chosen]) : null;
      map = parts.read(next);
      ownLinks = null;
      hovered = solo = pointedRegion = -1;
      chosen = held !== null && map.byId.has(held) ? map.byId.get(held) : -1;
      morph = null;
      scene.px = scene.py = null;
      if (before && !still.matches && map.n) {
        var fx = new Float32Array(map.n), fy = new Float32Array(map.n), far = 0;
        for (var i = 0; i < map.n; i++) {
          var j = before.byId.get(String(map.id[i]));
          fx[i] = j === undefined ? map.x[i] : before.x[j];
          fy[i] = j === undefined ? map.y[i] : before.y[j];
          far = Math.max(far, Math.abs(fx[i] - map.x[i]) + Math.abs(fy[i] - map.y[i]));
        }
        if (far > 1) {
          morph = { from: performance.now(), x: fx, y: fy };
          scene.px = fx.slice();
          scene.py = fy.slice();
        }
      }
      indexHidden();
      paint.setMap(map, isHidden);
      labels.forget();
      limits();
      legend.fill(map, paint.look(), hidden);
      list.set(map);
      if (!before || isFitted) go(fitted(), !before);
      restage();
      stage.setAttribute("aria-label", map.n + " channels in " + map.communities.length + " communities. Arrow keys move the map, plus and minus zoom, 0 shows all. The list has every channel.");
    }
    function indexHidden() {
      hiddenIndex = new Set();
      map.communities.forEach(function (c) { if (hidden.has(c.key)) hiddenIndex.add(c.index); });
    }
    function hide(keys, isQuiet) {
      hidden = new Set(keys);
      indexHidden();
      paint.refresh();
      labels.forget();
      legend.mark(hidden);
      restage();
      moved();
      if (!isQuiet && options.onHide) options.onHide(Array.from(hidden));
    }

    function choose(i, how) {
      chosen = i;
      ownLinks = null;
      if (i < 0) solo = -1; else if (solo >= 0) solo = i;
      if (card) card(map, i);
      restage();
      if (options.onSelect) options.onSelect(i >= 0 ? String(map.id[i]) : null, how || "map");
    }
    // Near enough to see who is around, and never so near that nobody is.
    function flyTo(i) {
      var reach = 60, near = linksOf(i).slice(0, 14);
      near.forEach(function (link) { reach = Math.max(reach, Math.hypot(map.x[link.node] - map.x[i], map.y[link.node] - map.y[i])); });
      var k = clamp(Math.min(w, h) / (2.3 * Math.min(reach, 420)), fitted().k * 1.6, 26 / Math.max(1, map.r[i]) * 1.6);
      k = Math.max(k, fitted().k);
      var covered = options.insets ? options.insets() : { left: 0, right: 0, top: 0, bottom: 0 };
      go({ x: map.x[i] + (covered.right - covered.left) / 2 / k, y: map.y[i] + (covered.bottom - covered.top) / 2 / k, k: k });
    }
    function flyToRegion(index) {
      var c = map.communities[index], b = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
      c.nodes.forEach(function (i) {
        b.x0 = Math.min(b.x0, map.x[i]); b.x1 = Math.max(b.x1, map.x[i]);
        b.y0 = Math.min(b.y0, map.y[i]); b.y1 = Math.max(b.y1, map.y[i]);
      });
      if (!c.nodes.length) return;
      b.w = Math.max(60, b.x1 - b.x0) * 1.15;
      b.h = Math.max(60, b.y1 - b.y0) * 1.15;
      go(fitted(b));
    }

    var act = {
      search: function (words, limit) { return parts.search(map, words, limit); },
      found: function (hit) {
        if (hit.kind === "community") { flyToRegion(hit.index); return; }
        if (!onlyShown(hit.index)) hide([]);
        choose(hit.index, "search");
        flyTo(hit.index);
      },
      hide: hide,
      point: function (c) { pointedRegion = c; restage(); },
      zoom: function (factor) {
        var to = trip ? trip.to : now();
        go({ x: to.x, y: to.y, k: to.k * factor });
      },
      fit: function () { go(fitted()); },
      choose: function (i) { choose(i, "list"); if (i >= 0) flyTo(i); }
    };
    var search = parts.createSearch(host, act), legend = parts.createLegend(host, act);
    parts.createZoom(host, act);
    var list = parts.createList(host, act), card = options.hasCard ? parts.createCard(host, act) : null;

    // Hands.
    var fingers = new Map(), drag = null, pinch = null;
    function place(event) { var box = stage.getBoundingClientRect(); return { x: event.clientX - box.left, y: event.clientY - box.top }; }
    function under(p, isTouch) {
      var x = camera.x + (p.x - w / 2) / camera.k, y = camera.y + (p.y - h / 2) / camera.k;
      return parts.pick(map, x, y, (isTouch ? 14 : 5) / camera.k, onlyShown);
    }
    function point(i, p) {
      if (i !== hovered) { hovered = i; stage.classList.toggle("is-on-node", i >= 0); restage(); }
      tip(map, drag ? -1 : i, p ? p.x : 0, p ? p.y : 0, w);
    }
    stage.addEventListener("pointerdown", function (event) {
      if (event.button) return;
      stage.setPointerCapture(event.pointerId);
      var p = place(event);
      fingers.set(event.pointerId, p);
      trip = glide = wheelTo = null;
      if (fingers.size === 1) drag = { at: p, from: p, is: false, track: [[performance.now(), p.x, p.y]], isTouch: event.pointerType === "touch" };
      if (fingers.size === 2) {
        var two = Array.from(fingers.values());
        pinch = { gap: Math.hypot(two[0].x - two[1].x, two[0].y - two[1].y), k: camera.k };
        drag = null;
      }
      wake();
    });
    stage.addEventListener("pointermove", function (event) {
      var p = place(event);
      if (fingers.has(event.pointerId)) fingers.set(event.pointerId, p);
      if (pinch && fingers.size === 2) {
        var two = Array.from(fingers.values()), gap = Math.hypot(two[0].x - two[1].x, two[0].y - two[1].y);
        var mx = (two[0].x + two[1].x) / 2, my = (two[0].y + two[1].y) / 2;
        if (pinch.mx !== undefined) { camera.x -= (mx - pinch.mx) / camera.k; camera.y -= (my - pinch.my) / camera.k; }
        zoomAt(clamp(pinch.k * gap / pinch.gap, least, most) / camera.k, mx, my, false);
        pinch.mx = mx;
        pinch.my = my;
      } else if (drag) {
        if (!drag.is && Math.hypot(p.x - drag.from.x, p.y - drag.from.y) > (drag.isTouch ? 9 : 4)) {
          drag.is = true;
          stage.classList.add("is-held");
          point(-1);
        }
        if (drag.is) {
          camera.x -= (p.x - drag.at.x) / camera.k;
          camera.y -= (p.y - drag.at.y) / camera.k;
          drag.track.push([performance.now(), p.x, p.y]);
          if (drag.track.length > 6) drag.track.shift();
          moved();
        }
        drag.at = p;
      } else if (event.pointerType !== "touch") point(under(p, false), p);
    });
    function release(event) {
      if (!fingers.delete(event.pointerId)) return;
      stage.classList.remove("is-held");
      if (pinch) {
        pinch = null;
        if (fingers.size === 1) {
          var left = Array.from(fingers.values())[0];
          drag = { at: left, from: left, is: true, track: [], isTouch: true };
        }
        moved();
        return;
      }
      var held = drag;
      drag = null;
      if (!held || event.type === "pointercancel") return;
      if (!held.is) { var i = under(place(event), held.isTouch); if (i !== chosen) choose(i, "map"); return; }
      var first = held.track[0], end = held.track[held.track.length - 1];
      if (first && end && performance.now() - end[0] < 60 && end[0] - first[0] > 8 && !still.matches) {
        glide = { vx: (end[1] - first[1]) / (end[0] - first[0]), vy: (end[2] - first[2]) / (end[0] - first[0]), at: performance.now() };
      }
      moved();
    }
    stage.addEventListener("pointerup", release);
    stage.addEventListener("pointercancel", release);
    stage.addEventListener("pointerleave", function () { if (!drag) point(-1); });
    stage.addEventListener("dblclick", function (event) { var p = place(event); zoomAt(2, p.x, p.y, true); });
    stage.addEventListener("wheel", function (event) {
      event.preventDefault();
      var p = place(event), unit = event.deltaMode === 1 ? 24 : event.deltaMode === 2 ? 240 : 1;
      zoomAt(Math.exp(-clamp(event.deltaY * unit, -240, 240) * (event.ctrlKey ? 0.012 : 0.0024)), p.x, p.y, true);
    }, { passive: false });
    stage.addEventListener("keydown", function (event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      var far = 90 / camera.k, to = trip ? trip.to : now(), key = event.key;
      if (key === "ArrowLeft") go({ x: to.x - far, y: to.y, k: to.k });
      else if (key === "ArrowRight") go({ x: to.x + far, y: to.y, k: to.k });
      else if (key === "ArrowUp") go({ x: to.x, y: to.y - far, k: to.k });
      else if (key === "ArrowDown") go({ x: to.x, y: to.y + far, k: to.k });
      else if (key === "+" || key === "=") act.zoom(1.5);
      else if (key === "-" || key === "_") act.zoom(1 / 1.5);
      else if (key === "0" || key === "Home") act.fit();
      else if (key === "Enter") { var i = under({ x: w / 2, y: h / 2 }, true); if (i >= 0) choose(i, "key"); }
      else if (key === "Escape") choose(-1, "key");
      else return;
      event.preventDefault();
    });

    var watcher = window.ResizeObserver ? new ResizeObserver(function () { if (!dead) { measure(); restage(); } }) : null;
    paint.setLook(parts.colours(host));
    measure();
    setPayload(payload, false);
    if (options.view) { camera = { x: +options.view.x, y: +options.view.y, k: clamp(+options.view.k, least, most) }; moved(); }
    if (options.selected && map.byId.has(String(options.selected))) choose(map.byId.get(String(options.selected)), "link");
    if (watcher) watcher.observe(stage);
    // The first picture does not wait for a frame: it is there when this returns.
    tick();

    return {
      element: host,
      setPayload: setPayload,
      setTheme: function () { paint.setLook(parts.colours(host)); labels.forget(); legend.fill(map, paint.look(), hidden); restage(); },
      select: function (id, flies) {
        var i = id === null || id === undefined ? -1 : map.byId.has(String(id)) ? map.byId.get(String(id)) : -1;
        if (i !== chosen) choose(i, "page");
        if (i >= 0 && flies) flyTo(i);
        return i >= 0;
      },
      fly: function (id) { if (map.byId.has(String(id))) flyTo(map.byId.get(String(id))); },
      fit: act.fit, view: now,
      setView: function (view) { trip = glide = wheelTo = null; camera = { x: view.x, y: view.y, k: clamp(view.k, least, most) }; moved(); },
      hide: hide,
      hidden: function () { return Array.from(hidden); },
      // All of a channel's overlaps, when they come later from elsewhere; the payload has only what is drawn.
      setLinks: function (id, others, weights) {
        if (!map.byId.has(String(id))) return;
        var high = Math.max.apply(null, weights.concat(1e-9)), links = [];
        others.forEach(function (other, q) {
          if (map.byId.has(String(other))) links.push({ node: map.byId.get(String(other)), share: Math.sqrt(Math.max(0, weights[q]) / high) });
        });
        ownLinks = { node: map.byId.get(String(id)), links: links };
        restage();
      },
      // The ego map: one channel and who overlaps with it, everything else faded.
      only: function (id) { solo = id !== null && map.byId.has(String(id)) ? map.byId.get(String(id)) : -1; restage(); if (solo >= 0) flyTo(solo); },
      selected: function () { return chosen >= 0 ? String(map.id[chosen]) : null; },
      where: function (id) {
        var i = map.byId.get(String(id)), box = stage.getBoundingClientRect();
        return i === undefined ? null : { x: box.left + (map.x[i] - camera.x) * camera.k + w / 2, y: box.top + (map.y[i] - camera.y) * camera.k + h / 2, r: map.r[i] * camera.k };
      },
      focusSearch: function () { search.input.focus(); },
      stats: function () {
        return { first_ms: figures.first_ms, first_at: figures.first_at, frames: figures.frames, frame_ms: figures.frame_ms.filter(Boolean), n: map.n, m: map.m, names: labels.names(), isStill: !frame };
      },
      destroy: function () {
        dead = true;
        if (frame) cancelAnimationFrame(frame);
        clearTimeout(viewTimer);
        if (watcher) watcher.disconnect();
        host.textContent = "";
      }
    };
  }

  window.StreamLensMap.mount = mount;
})();
