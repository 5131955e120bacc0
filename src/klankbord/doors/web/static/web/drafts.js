// Unsent words: kept on the server at every pause, and on this device until the server has them.

import { notice, post } from "./ask.js";

const PAUSE = 900;
const start = () => `draft:${document.body.dataset.member ?? ""}:`;
const timers = new Map();

const keyOf = (number, kind) => `${start()}${number}:${kind}`;

export function local(number, kind) {
  try { return localStorage.getItem(keyOf(number, kind)); } catch { return null; }
}

export function forget(number, kind) {
  clearTimeout(timers.get(keyOf(number, kind)));
  timers.delete(keyOf(number, kind));
  try { localStorage.removeItem(keyOf(number, kind)); } catch { /* storage is off: nothing was kept */ }
}

export function forgetAll() {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith("draft:")) localStorage.removeItem(key);
  } catch { /* storage is off: nothing was kept */ }
}

export function keep(composer, field, mode) {
  const { number, draftUrl, keptHere } = composer.dataset;
  const kind = field.dataset.kind;
  const key = keyOf(number, kind);
  try { localStorage.setItem(key, field.value); } catch { /* storage is off: the server still keeps it */ }
  clearTimeout(timers.get(key));
  // The key of the message these words are for: once that is sent, a late save must not bring them back.
  const clientKey = field.form?.elements.client_key?.value ?? "";
  timers.set(key, setTimeout(() => save(draftUrl, number, kind, field.value, mode(), keptHere, clientKey), PAUSE));
}

async function save(url, number, kind, text, mode, keptHere, clientKey) {
  timers.delete(keyOf(number, kind));
  const state = document.querySelector(`#composer[data-number="${number}"] #draft-state`);
  try {
    const response = await post(url, new URLSearchParams({ kind, text, mode, client_key: clientKey }));
    const words = await response.text();
    if (response.ok) {
      if (local(number, kind) === text) forget(number, kind);
      if (state) state.textContent = words;
      return;
    }
    if (response.status === 401 || response.status === 403) notice(words);
  } catch { /* no connection: said below */ }
  if (state) state.textContent = keptHere;
}
