"use strict";
(() => {
  const form = document.getElementById("key");
  const go = document.getElementById("go");
  const say = document.getElementById("say");
  const bytes = (s) => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const creating = form.dataset.creating === "true";
  const read = () => {
    const o = JSON.parse(form.dataset.options).publicKey;
    o.challenge = bytes(o.challenge);
    if (o.user) o.user.id = bytes(o.user.id);
    for (const list of [o.allowCredentials, o.excludeCredentials]) for (const c of list || []) c.id = bytes(c.id);
    return { publicKey: o };
  };
  const write = (c) => {
    const r = c.response;
    const out = { id: c.id, rawId: text(c.rawId), type: c.type, clientExtensionResults: c.getClientExtensionResults(), response: { clientDataJSON: text(r.clientDataJSON) } };
    if (creating) out.response.attestationObject = text(r.attestationObject);
    else {
      out.response.authenticatorData = text(r.authenticatorData);
      out.response.signature = text(r.signature);
      if (r.userHandle) out.response.userHandle = text(r.userHandle);
    }
    return JSON.stringify(out);
  };
  const run = async () => {
    go.disabled = true;
    say.textContent = "Waiting for the security key…";
    try {
      const c = creating ? await navigator.credentials.create(read()) : await navigator.credentials.get(read());
      form.elements.namedItem("credential").value = write(c);
      form.submit();
    } catch (e) {
      say.textContent = "The security key was not used (" + e.name + "). Try again, or choose another way.";
      go.disabled = false;
      go.focus();
    }
  };
  if (!window.PublicKeyCredential) {
    say.textContent = "This browser, or this address, cannot use a security key: it needs https or localhost.";
    return;
  }
  go.hidden = false;
  go.addEventListener("click", run);
})();
