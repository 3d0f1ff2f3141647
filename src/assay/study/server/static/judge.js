// Keys, time in view, and sending again when the server does not answer. The page works without this file.
"use strict";

(() => {
  const ballot = document.getElementById("ballot");
  const undo = document.getElementById("undo");
  const saving = document.getElementById("saving");
  const comment = document.getElementById("comment");
  const keys = document.getElementById("keys");
  const forms = [ballot, undo].filter(Boolean);
  const LONGEST_WAIT_MS = 8000;

  // Time in view: stops while the page is hidden.
  let seen = 0;
  let since = document.hidden ? null : performance.now();
  const stop = () => { if (since !== null) { seen += performance.now() - since; since = null; } };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stop(); else if (since === null) since = performance.now();
  });

  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  let sent = false;

  function hold(button, held) {
    for (const one of document.querySelectorAll("button")) one.disabled = held;
    if (button) button.classList.toggle("chosen", held);
  }

  // The same act is sent until the server has confirmed it; it counts once, however often it arrives.
  async function send(form, button) {
    if (sent) return;
    sent = true;
    stop();
    if (form === ballot) ballot.elements.ms.value = String(Math.round(seen));
    const fields = new URLSearchParams(new FormData(form));
    if (button && button.name) fields.append(button.name, button.value);
    hold(button, true);
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await fetch(form.getAttribute("action"), {
          method: "POST", body: fields, headers: { Accept: "application/json" }, credentials: "same-origin",
          signal: AbortSignal.timeout(15000),
        });
        if (answer.ok) {
          location.replace((await answer.json()).next);
          return;
        }
        if (answer.status < 500 && answer.status !== 429) {
          const told = await answer.json().catch(() => ({}));
          saving.textContent = [told.problem, told.text].filter(Boolean).join(". ") || "This could not be saved.";
          break;
        }
      } catch (error) { /* the server cannot be reached: try again */ }
      saving.textContent = "Not saved yet: the server does not answer. Keep this page open; it is sent again by itself.";
      await sleep(Math.min(LONGEST_WAIT_MS, 400 * 2 ** Math.min(attempt, 5)));
    }
    hold(button, false);
    sent = false;
    if (!document.hidden) since = performance.now();
  }

  for (const form of forms) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form, event.submitter);
    });
  }

  // Single-key shortcuts can be turned off: they get in the way of speech input.
  const STORE = "assay-keys";
  if (keys) {
    keys.parentElement.hidden = false;
    keys.checked = localStorage.getItem(STORE) !== "off";
    keys.addEventListener("change", () => localStorage.setItem(STORE, keys.checked ? "on" : "off"));
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    const typing = event.target.closest("textarea, input:not([type=radio]):not([type=checkbox])");
    if (typing) {
      if (event.key === "Escape") typing.blur();
      return;
    }
    if (keys && !keys.checked) return;
    const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
    const key = digit && !event.shiftKey ? digit[1] : event.key.toLowerCase();
    const button = document.querySelector(`.choice[data-key="${CSS.escape(key)}"]`);
    if (button) {
      event.preventDefault();
      send(ballot, button);
    } else if (key === "u" && undo) {
      event.preventDefault();
      send(undo, undo.querySelector("button"));
    } else if (key === "c" && comment) {
      event.preventDefault();
      comment.closest("details").open = true;
      comment.focus();
    }
  });

  document.getElementById("main").focus({ preventScroll: true });
})();
