// Theme, keys and the waking of a hidden tab.
(function () {
  "use strict";
  var root = document.documentElement, KEY = "streamlens-theme";

  function put(id, props) {
    if (window.dash_clientside && window.dash_clientside.set_props) window.dash_clientside.set_props(id, props);
  }
  function setTheme(theme) {
    root.dataset.theme = theme;
    root.dataset.bsTheme = theme;
  }
  function saved() {
    try { return localStorage.getItem(KEY); } catch (e) { return null; }
  }

  // Without a choice of their own, people get the system's theme, also when it changes.
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", function (event) {
    if (saved()) return;
    setTheme(event.matches ? "light" : "dark");
    put("shell-theme", { data: root.dataset.theme });
  });
  document.addEventListener("visibilitychange", function () {
    if (!document.hidden) put("shell-wake", { data: Date.now() });
  });

  function click(id) {
    var element = document.getElementById(id);
    if (element) element.click();
    return !!element;
  }
  function choose(id, index) {
    var inputs = document.querySelectorAll("#" + id + " input");
    if (inputs[index]) inputs[index].click();
    return !!inputs[index];
  }
  function showKeys() {
    var dialog = document.getElementById("shell-keys");
    if (dialog && !dialog.open) dialog.showModal();
    return true;
  }
  // The switcher takes the key's release as typing, so it opens only after that.
  var isFinding = false;
  document.addEventListener("keyup", function (event) {
    if (event.key !== "/" || !isFinding) return;
    isFinding = false;
    var box = document.getElementById("live-switcher");
    if (!box) return;
    box.focus();
    box.click();
    focusSearch(12);
  });
  // The list comes a little later and takes the focus for the chosen entry; the search shall have it.
  function focusSearch(tries) {
    var search = document.querySelector(".dash-dropdown-content .dash-dropdown-search");
    if (search) search.focus();
    if (tries > 0 && !(search && tries < 6)) setTimeout(focusSearch, 30, tries - 1);
  }
  var KEYS = {
    "/": function () { isFinding = !!document.getElementById("live-switcher"); return isFinding; },
    "?": showKeys,
    "p": function () { return click("live-feed-pause"); },
    "t": function () { return click("shell-theme-toggle"); },
    "1": function () { return choose("live-span", 0); },
    "2": function () { return choose("live-span", 1); },
    "3": function () { return choose("live-span", 2); }
  };
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      // WCAG 1.4.13: what appeared on hover or focus can be put away without moving either.
      document.querySelectorAll(".hint-wrap").forEach(function (hint) { hint.classList.add("hint-quiet"); });
      document.querySelectorAll(".rail-more[open]").forEach(function (more) { more.open = false; });
      return;
    }
    var at = event.target;
    var types = at.isContentEditable || /^(TEXTAREA|SELECT)$/.test(at.tagName) ||
      (at.tagName === "INPUT" && !/^(radio|checkbox|button)$/.test(at.type));
    if (types || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    var action = KEYS[event.key];
    if (action && action()) event.preventDefault();
  });
  ["mouseover", "focusin"].forEach(function (kind) {
    document.addEventListener(kind, function (event) {
      if (event.target.classList && event.target.classList.contains("hint")) event.target.parentNode.classList.remove("hint-quiet");
    });
  });
  document.addEventListener("click", function (event) {
    if (event.target.closest("#shell-keys-open")) showKeys();
    // A press on a goal, or anywhere else, puts the phone's sheet away.
    document.querySelectorAll(".rail-more[open]").forEach(function (more) {
      if (!event.target.closest(".rail-more summary")) more.open = false;
    });
    // The table of channels is drawn anew all the time; one listener outlives it.
    var stop = event.target.closest("[data-stop]");
    if (stop) put("live-collect-stop", { data: { login: stop.dataset.stop, at: Date.now() } });
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    shell: {
      theme: function (clicks) {
        if (clicks) {
          setTheme(root.dataset.theme === "dark" ? "light" : "dark");
          try { localStorage.setItem(KEY, root.dataset.theme); } catch (e) {}
        }
        return root.dataset.theme;
      }
    }
  });
})();
