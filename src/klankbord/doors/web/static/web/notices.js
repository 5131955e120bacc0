// What somebody should hear of: the bell and its list; and whether they are here themselves.

import { announce, get, parse, post } from "./ask.js";
import { opened } from "./live.js";

const SIGN_EVERY = 60_000;
let known = 0, readFor = "", signed = 0;

const bell = () => document.getElementById("bell");
const counts = () => document.querySelectorAll(".bell-count");
const unread = () => Number(bell()?.querySelector(".bell-count")?.dataset.unread ?? 0);

function show(fresh) {
  if (!fresh) return;
  for (const count of counts()) {
    count.dataset.unread = fresh.dataset.unread;
    count.textContent = fresh.textContent;
  }
  if (unread() > known) announce(bell()?.dataset.arrived ?? "");
  known = unread();
}

/** What is on screen needs no notice any more. */
async function readHere() {
  const pane = opened();
  if (!pane || document.hidden || !unread()) return;
  const { number } = pane.dataset;
  if (readFor === `${number}:${unread()}`) return;
  try {
    const response = await post("/notices/read/in", new URLSearchParams({ number }));
    if (response.ok) show(parse(await response.text()).querySelector(".bell-count"));
    readFor = `${number}:${unread()}`;
  } catch { /* no connection: said elsewhere, and tried again with the next change */ }
}

async function fill(menu) {
  const popover = menu.querySelector(".popover");
  const part = await get(menu.dataset.from);
  if (!part || !menu.open) return;
  popover.replaceChildren(part);
  window.htmx.process(popover);
  popover.querySelector("a, button")?.focus({ preventScroll: true });
}

function step(list, by) {
  const links = [...list.querySelectorAll(".notice-line > a")];
  const next = links.indexOf(document.activeElement) + by;
  links[Math.min(Math.max(next, 0), links.length - 1)]?.focus();
}

async function sign() {
  if (Date.now() - signed < SIGN_EVERY || document.hidden) return;
  signed = Date.now();
  try { await post("/me/here", new URLSearchParams()); } catch { /* no connection: nobody is told that somebody is here */ }
}

export function begin() {
  known = unread();
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details[data-from]") && event.target.open) fill(event.target);
  }, true);
  document.addEventListener("desk:pulse", (event) => {
    show(event.detail.querySelector(".bell-count"));
    readHere();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id === "conversation") readHere();
    if (event.detail.target?.closest?.("#bell, main.page")) {
      const left = document.querySelectorAll("#bell .notice-line:not(.read)").length;
      if (!left && bell()?.open) show(parse('<span class="bell-count" data-unread="0"></span>').firstElementChild);
    }
  });
  document.addEventListener("keydown", (event) => {
    const list = document.activeElement?.closest?.("#bell[open]") ?? document.querySelector("main [data-notices]");
    if (!list || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select")) return;
    const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    step(list, by);
  }, true);
  document.addEventListener("change", (event) => { if (event.target.matches("select[data-submits]") && event.target.value) event.target.form.requestSubmit(); });
  for (const kind of ["keydown", "pointerdown", "wheel", "visibilitychange"]) document.addEventListener(kind, sign, { passive: true });
  sign();
  readHere();
}
