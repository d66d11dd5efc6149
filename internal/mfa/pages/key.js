// Asks the browser for a security key, and sends its answer by the page's own form.
(function () {
  "use strict";
  var form = document.querySelector("form[data-key]");
  if (!form) { return; }
  var say = document.getElementById("key-said"), button = form.querySelector("button");
  function bytes(s) {
    var t = atob(s.replace(/-/g, "+").replace(/_/g, "/")), b = new Uint8Array(t.length);
    for (var i = 0; i < t.length; i++) { b[i] = t.charCodeAt(i); }
    return b.buffer;
  }
  function words(b) {
    var s = "", a = new Uint8Array(b);
    for (var i = 0; i < a.length; i++) { s += String.fromCharCode(a[i]); }
    return btoa(s).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  function list(a) { (a || []).forEach(function (c) { c.id = bytes(c.id); }); }
  function sent(c) {
    var r = c.response, out = { id: c.id, rawId: words(c.rawId), type: c.type, response: { clientDataJSON: words(r.clientDataJSON) } };
    if (r.attestationObject) {
      out.response.attestationObject = words(r.attestationObject);
      if (r.getTransports) { out.response.transports = r.getTransports(); }
    } else {
      out.response.authenticatorData = words(r.authenticatorData);
      out.response.signature = words(r.signature);
      if (r.userHandle) { out.response.userHandle = words(r.userHandle); }
    }
    form.elements.response.value = JSON.stringify(out);
    form.submit();
  }
  function failed(e) {
    button.disabled = false;
    say.textContent = e && e.name === "InvalidStateError" ? "This key is set up for the account already. Use another." :
      "The browser gave no key. Press the button to try again, or choose another way.";
  }
  if (!window.PublicKeyCredential || !navigator.credentials) {
    say.textContent = "This browser cannot use security keys here. Choose another way.";
    button.disabled = true;
    return;
  }
  button.disabled = false;
  say.textContent = "";
  form.addEventListener("submit", function (e) {
    e.preventDefault();
    button.disabled = true;
    say.textContent = "Follow your browser: it asks for the key, and for its PIN or your fingerprint.";
    var o = JSON.parse(form.getAttribute("data-key")).publicKey;
    o.challenge = bytes(o.challenge);
    if (o.user) {
      o.user.id = bytes(o.user.id);
      list(o.excludeCredentials);
      navigator.credentials.create({ publicKey: o }).then(sent, failed);
    } else {
      list(o.allowCredentials);
      navigator.credentials.get({ publicKey: o }).then(sent, failed);
    }
  });
})();
