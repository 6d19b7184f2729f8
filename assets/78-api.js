/* The API page: lists the resources of /api/v1/openapi.json and tries them. */
(function () {
  "use strict";

  var BASE = "/api/v1";
  var LONGEST_SHOWN = 60000;
  var description = null;

  function make(tag, attributes, children) {
    var node = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) {
      if (name === "text") node.textContent = attributes[name];
      else if (name === "on") Object.keys(attributes.on).forEach(function (event) {
        node.addEventListener(event, attributes.on[event]);
      });
      else if (attributes[name] !== null && attributes[name] !== undefined) node.setAttribute(name, attributes[name]);
    });
    (children || []).forEach(function (child) { if (child) node.append(child); });
    return node;
  }

  function resolve(part) {
    return part && part.$ref ? part.$ref.slice(2).split("/").reduce(function (at, key) { return at[key]; }, description) : part;
  }

  function plain(words) { return (words || "").replace(/[`*]/g, ""); }

  function names() {
    return Object.keys(description.paths).map(function (path) { return path.slice(1); });
  }

  function isAlias(name) { return /^The same as/.test(description.paths["/" + name].get.description || ""); }

  function chosen() {
    var name = decodeURIComponent(location.hash.slice(1));
    return names().indexOf(name) >= 0 ? name : "messages";
  }

  function choose(name) {
    history.replaceState(history.state, "", location.pathname + "#" + name);
    draw();
  }

  function drawNav(nav, pick, current) {
    var groups = { Named: [], "Other kinds": [] };
    names().forEach(function (name) {
      if (!isAlias(name)) groups[description.paths["/" + name].get.tags[0]].push(name);
    });
    nav.replaceChildren();
    var select = make("select", { class: "field", "aria-label": "Resource", on: { change: function (e) { choose(e.target.value); } } });
    Object.keys(groups).forEach(function (group) {
      nav.append(make("h2", { text: group === "Named" ? "Resources" : "Every other kind" }));
      var options = make("optgroup", { label: group === "Named" ? "Resources" : "Every other kind" });
      nav.append(make("ul", {}, groups[group].map(function (name) {
        var option = make("option", { value: name, text: name });
        option.selected = name === current;
        options.append(option);
        return make("li", {}, [make("a", {
          href: "#" + name, text: name, "aria-current": name === current ? "true" : null,
          on: { click: function (event) { event.preventDefault(); choose(name); } }
        })]);
      })));
      select.append(options);
    });
    pick.replaceChildren(make("div", { class: "api-form" }, [select]));
  }

  function control(parameter) {
    var schema = parameter.schema;
    var input;
    if (schema.enum) {
      input = make("select", { name: parameter.name }, [make("option", { value: "", text: schema.default ? schema.default + " (default)" : (parameter.name === "format" ? "json (default)" : "any") })]);
      schema.enum.forEach(function (value) { input.append(make("option", { value: value, text: value })); });
    } else {
      input = make("input", {
        name: parameter.name, autocomplete: "off", spellcheck: "false",
        inputmode: schema.type === "integer" ? "numeric" : null,
        placeholder: schema.default !== undefined ? String(schema.default) : ""
      });
    }
    return make("label", {}, [make("span", { text: parameter.name }), input, make("small", { text: plain(parameter.description) })]);
  }

  function address(name, form) {
    var query = new URLSearchParams();
    new FormData(form).forEach(function (value, key) { if (value.trim()) query.append(key, value); });
    var text = query.toString();
    return BASE + "/" + name + (text ? "?" + text : "");
  }

  function fields(name) {
    var schema = description.components.schemas[name];
    if (!schema) return null;
    var rows = Object.keys(schema.properties).map(function (key) {
      var type = schema.properties[key];
      var word = type.format === "date-time" ? "time" : (Array.isArray(type.type) ? type.type[0] : type.type);
      return make("tr", {}, [
        make("td", {}, [make("code", { text: key })]), make("td", { text: word }), make("td", { text: plain(type.description) })
      ]);
    });
    var head = make("tr", {}, ["Field", "Type", "Meaning"].map(function (word) { return make("th", { text: word, scope: "col" }); }));
    return make("section", { class: "sl-card", "aria-label": "Fields" }, [
      make("div", { class: "card-head" }, [make("h2", { text: "Fields" }), make("span", { class: "muted", text: "null means “not told”" })]),
      make("table", { class: "api-fields" }, [make("thead", {}, [head]), make("tbody", {}, rows)])
    ]);
  }

  function drawOne(one, name) {
    var operation = description.paths["/" + name].get;
    var url = make("code", { class: "api-url" });
    var status = make("p", { class: "api-status", role: "status" });
    var answer = make("pre", { class: "api-answer", tabindex: "0", "aria-label": "Answer" });
    var more = make("button", { class: "button", type: "button", text: "Next page" });
    var form = make("form", {}, [make("div", { class: "api-form" }, operation.parameters.map(resolve).map(control))]);
    var cursor = null;
    more.hidden = true;

    function show() { url.textContent = "GET " + address(name, form); }

    function tell(words, isBad) {
      status.textContent = words;
      status.classList.toggle("is-bad", Boolean(isBad));
    }

    async function send() {
      show();
      more.hidden = true;
      tell("Asking…");
      var began = performance.now();
      try {
        var response = await fetch(address(name, form), { headers: { Accept: "application/json" }, cache: "no-store" });
        var type = response.headers.get("Content-Type") || "";
        var left = response.headers.get("RateLimit-Remaining");
        cursor = response.headers.get("X-Next-Cursor");
        var body;
        var rows = "";
        if (type.indexOf("json") > 0 && type.indexOf("x-ndjson") < 0) {
          var data = await response.json();
          body = JSON.stringify(data, null, 2);
          if (data.meta) rows = " · " + data.meta.row_count + (data.meta.row_count === 1 ? " row" : " rows");
          if (data.message) rows = " · " + data.message;
        } else if (type.indexOf("parquet") > 0) {
          var blob = await response.blob();
          var link = make("a", { href: URL.createObjectURL(blob), download: name + ".parquet" });
          link.click();
          URL.revokeObjectURL(link.href);
          body = "Saved as " + name + ".parquet (" + blob.size.toLocaleString("en") + " bytes).";
        } else {
          body = await response.text();
        }
        var isCut = body.length > LONGEST_SHOWN;
        answer.textContent = isCut ? body.slice(0, LONGEST_SHOWN) + "\n… (" + body.length.toLocaleString("en") + " characters in all)" : body;
        tell(response.status + rows + " · " + Math.round(performance.now() - began) + " ms" +
          (left === null ? "" : " · " + left + " requests left this minute"), !response.ok);
        more.hidden = !cursor;
      } catch (error) {
        answer.textContent = "";
        tell("No answer. Is the server running?", true);
      }
    }

    form.addEventListener("input", show);
    form.addEventListener("submit", function (event) { event.preventDefault(); send(); });
    more.addEventListener("click", function () {
      if (form.elements.cursor) form.elements.cursor.value = cursor;
      send();
    });
    form.append(make("div", { class: "api-send" }, [make("button", { class: "button button-main", type: "submit", text: "Send" }), more, url]));
    var head = make("div", { class: "card-head" }, [make("h2", { text: name }), make("span", { class: "muted", text: plain(operation.summary) })]);
    one.replaceChildren(
      make("section", { class: "sl-card", "aria-label": name }, [
        head, operation.description ? make("p", { class: "api-about", text: plain(operation.description) }) : null, form, status, answer
      ]),
      fields(name) || ""
    );
    show();
  }

  function draw() {
    var nav = document.getElementById("api-nav");
    var pick = document.getElementById("api-pick");
    var one = document.getElementById("api-one");
    if (!nav || !pick || !one || !description) return;
    drawNav(nav, pick, chosen());
    drawOne(one, chosen());
  }

  window.addEventListener("hashchange", draw);

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.api = {
    start: function () {
      fetch(BASE + "/openapi.json").then(function (response) {
        if (!response.ok) throw new Error(String(response.status));
        return response.json();
      }).then(function (found) {
        description = found;
        draw();
      }).catch(function () {
        var one = document.getElementById("api-one");
        if (one) one.replaceChildren(make("p", { class: "muted", text: "The description could not be loaded. Load the page again." }));
      });
      return true;
    }
  };
})();
