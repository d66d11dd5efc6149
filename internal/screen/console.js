// What the console has with a script and does without: nothing needs it. It opens the
// search in place, walks rows by key, opens a row in place, and narrows while one types.
(() => {
  "use strict";
  const typing = (e) => e.target.closest("input, textarea, select, [contenteditable]");

  // The palette: the search page in a dialog.
  let dialog;
  const palette = async () => {
    const link = document.querySelector("a.find");
    if (!link || dialog?.open) return;
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.className = "palette";
      dialog.setAttribute("aria-label", "Search");
      document.body.append(dialog);
      dialog.addEventListener("click", (e) => { if (e.target === dialog) dialog.close(); });
    }
    if (!(await fill(dialog, link.href, "#find"))) { location.href = link.href; return; }
    dialog.showModal();
    dialog.querySelector("input[type=search]")?.focus();
  };

  const fetched = async (address) => {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  // Only what the search finds is replaced, so that the field keeps the caret.
  let turn = 0;
  const fill = async (into, address, what) => {
    const mine = ++turn;
    const page = await fetched(address).catch(() => null);
    const found = page?.querySelector(what);
    if (!found || mine !== turn) return Boolean(found);
    const field = into.querySelector("input[type=search]");
    if (field) {
      into.querySelector("#found")?.replaceWith(found.querySelector("#found"));
    } else {
      into.replaceChildren(...found.childNodes);
    }
    sprite(page);
    return true;
  };

  // A page has only those glyphs that it uses: what comes later brings its own.
  const sprite = (page) => {
    const here = document.querySelector("svg.sprite");
    for (const glyph of page.querySelectorAll("svg.sprite > *")) {
      if (here && !document.getElementById(glyph.id)) here.append(glyph);
    }
  };

  // Rows by key: j and k, Enter follows the row's link.
  const step = (by) => {
    const rows = [...document.querySelectorAll(".list-card tbody > tr:not(.more, .group)")];
    if (!rows.length) return;
    const at = rows.findIndex((r) => r.contains(document.activeElement));
    const row = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
    (row.querySelector("th a, a, input, button") || row).focus();
    row.scrollIntoView({ block: "nearest" });
  };
  const hits = (by) => {
    const list = [...document.querySelectorAll("dialog[open] .find-list a, main .find-list a")];
    const at = list.indexOf(document.activeElement);
    list[Math.min(Math.max(at + by, 0), list.length - 1)]?.focus();
  };

  addEventListener("keydown", (e) => {
    if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") { e.preventDefault(); palette(); return; }
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      if (e.target.closest(".find-list, dialog.palette, #find")) { e.preventDefault(); hits(e.key === "ArrowDown" ? 1 : -1); }
      return;
    }
    if (typing(e) || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "/") { e.preventDefault(); palette(); }
    if (e.key === "j") step(1);
    if (e.key === "k") step(-1);
  });

  // The link to the search opens the dialog.
  addEventListener("click", async (e) => {
    if (e.button || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
    const find = e.target.closest("a.find");
    if (find) { e.preventDefault(); palette(); return; }
    const exp = e.target.closest("a.exp");
    if (!exp) return;
    e.preventDefault();
    const body = exp.closest("tbody");
    const page = await fetched(exp.href).catch(() => null);
    const next = page?.getElementById(body.id);
    if (!next) { location.href = exp.href; return; }
    body.replaceWith(next);
    sprite(page);
    history.replaceState(null, "", exp.href);
    next.querySelector("a.exp")?.focus();
  });

  // Narrow while one types, and when the typing rests.
  let timer;
  addEventListener("input", (e) => {
    const field = e.target.closest("form[data-live] input[type=search]");
    if (!field) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const query = new URLSearchParams(new FormData(field.form));
      const address = field.form.getAttribute("action") + "?" + query;
      if (field.form.dataset.live === "find") { fill(field.closest("dialog, #find"), address, "#find"); return; }
      list(address);
    }, 200);
  });
  const list = async (address) => {
    const mine = ++turn;
    const page = await fetched(address).catch(() => null);
    if (!page || mine !== turn) return;
    for (const id of ["rows", "count", "chips"]) {
      const here = document.getElementById(id), next = page.getElementById(id);
      if (here && next) here.replaceWith(next);
    }
    sprite(page);
    history.replaceState(null, "", address);
  };
})();
