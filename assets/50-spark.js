// Draws sparklines: any element with data-spark="1,2,,3" gets an inline SVG in the theme's colours.
// React owns the element and its attribute and gives it no children, so a child of ours stays.
(function () {
  "use strict";
  var WIDTH = 100, HEIGHT = 30, PAD = 3;

  function path(points, low, high) {
    var range = high - low || 1, step = WIDTH / (points.length - 1), runs = [], run = null;
    points.forEach(function (value, i) {
      if (value === null) { run = null; return; }
      if (!run) { run = []; runs.push(run); }
      // A flat line stands in the middle, not on the floor.
      var share = high === low ? 0.5 : (value - low) / range;
      run.push([(i * step).toFixed(1), (HEIGHT - PAD - share * (HEIGHT - 2 * PAD)).toFixed(1)]);
    });
    return runs;
  }

  function draw(box) {
    var text = box.getAttribute("data-spark");
    if (box.streamlensSpark === text && box.firstChild) return;
    box.streamlensSpark = text;
    if (!text) { box.replaceChildren(); return; }
    var points = text.split(",").map(function (v) { return v === "" ? null : Number(v); });
    var seen = points.filter(function (v) { return v !== null; });
    var runs = path(points, Math.min.apply(null, seen), Math.max.apply(null, seen));
    var line = runs.map(function (r) { return "M" + (r.length > 1 ? r : r.concat(r)).map(String).join("L"); }).join("");
    var fill = runs.map(function (r) {
      return "M" + r[0][0] + "," + HEIGHT + "L" + r.map(String).join("L") + "L" + r[r.length - 1][0] + "," + HEIGHT + "Z";
    }).join("");
    box.innerHTML = '<svg viewBox="0 0 ' + WIDTH + " " + HEIGHT + '" preserveAspectRatio="none" focusable="false">' +
      '<path class="fill" d="' + fill + '"/><path d="' + line + '"/></svg>';
  }

  function drawAll(root) {
    if (root.nodeType !== 1) return;
    if (root.hasAttribute("data-spark") || root.classList.contains("spark")) draw(root);
    root.querySelectorAll("[data-spark]").forEach(draw);
  }

  function start() {
    new MutationObserver(function (records) {
      records.forEach(function (record) {
        if (record.type === "attributes") draw(record.target);
        else record.addedNodes.forEach(drawAll);
      });
    }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-spark"] });
    drawAll(document.body);
  }
  if (document.body) start(); else document.addEventListener("DOMContentLoaded", start);
})();
