// The session: off to the login when it is over, and the token of forms that change something.
(function () {
  "use strict";
  var isLeaving = false;

  function toLogin() {
    if (isLeaving) return;
    isLeaving = true;
    location.assign("/login?why=ended&next=" + encodeURIComponent(location.pathname + location.search));
  }

  // Dash would only write a 401 to the console and go on asking.
  var plainFetch = window.fetch;
  window.fetch = function (resource) {
    return plainFetch.apply(this, arguments).then(function (response) {
      var address = typeof resource === "string" ? resource : (resource && resource.url) || "";
      if (response.status === 401 && /\/_dash-/.test(address)) toLogin();
      return response;
    });
  };

  function token() {
    var found = document.cookie.split("; ").find(function (part) { return part.indexOf("_csrf_token=") === 0; });
    return found ? decodeURIComponent(found.slice("_csrf_token=".length)) : "";
  }
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (!form.classList || !form.classList.contains("post-form")) return;
    if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) {
      event.preventDefault();
      return;
    }
    var field = form.querySelector("input[name=csrf_token]");
    if (!field) {
      field = document.createElement("input");
      field.type = "hidden";
      field.name = "csrf_token";
      form.appendChild(field);
    }
    field.value = token();
  }, true);

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    session: {
      request: function () {
        return { tz: Intl.DateTimeFormat().resolvedOptions().timeZone, at: Date.now() };
      }
    }
  });
})();
