// The list as a tool: choosing many rows, deeds on them, dragging, the counts of saved views, and the place one was at.

import { announce, notice, parse, post } from "./ask.js";
import * as live from "./live.js";
import * as place from "./place.js";

const KEYS = { a: "assign", t: "assign", l: "label", s: "snooze", e: "resolve", r: "reply", "!": "spam" };
const COUNT_EVERY = 20_000;
const picked = new Set(); // numbers; rows may be drawn anew at any moment, this stays
let last = null, countedAt = 0;

const form = () => document.getElementById("bulk");
const ticks = () => [...document.querySelectorAll("#rows .conv .tick")];
const tickOf = (row) => row?.querySelector(".pick .tick");

// ---- choosing ----

function pick(tick, is) {
  tick.checked = is;
  if (is) picked.add(tick.value); else picked.delete(tick.value);
}

function clear() {
  picked.clear();
  last = null;
  show();
}

/** Ticks and bar as they should be, whatever was drawn anew. */
function show() {
  const shown = ticks();
  for (const tick of shown) if (tick.checked !== picked.has(tick.value)) tick.checked = picked.has(tick.value);
  const bar = form();
  if (!bar) return;
  bar.classList.toggle("on", picked.size > 0);
  document.getElementById("listing").classList.toggle("choosing", picked.size > 0);
  const words = document.getElementById("picked");
  const said = picked.size === 1 ? words.dataset.one : words.dataset.many.replace("#", picked.size);
  if (picked.size && words.textContent !== said) words.textContent = said;
  const all = document.getElementById("pick-all");
  all.checked = shown.length > 0 && shown.every((tick) => tick.checked);
  all.indeterminate = picked.size > 0 && !all.checked;
}

function pickAll(is) {
  for (const tick of ticks()) pick(tick, is);
  show();
}

function pickTo(tick) {
  const shown = ticks();
  const [from, to] = [shown.findIndex((each) => each.value === last), shown.indexOf(tick)].sort((a, b) => a - b);
  if (from < 0) return;
  for (const each of shown.slice(from, to + 1)) pick(each, tick.checked);
}

document.addEventListener("click", (event) => {
  const { target } = event;
  if (target.matches?.("#rows .tick")) {
    pick(target, target.checked);
    if (event.shiftKey && last) pickTo(target);
    last = target.value;
    show();
  }
  if (target.matches?.("[data-pick-all]")) pickAll(target.checked);
  if (target.closest?.("[data-pick-none]")) clear();
  if (target.closest?.("[data-close-sheet]")) target.closest("dialog").close();
  // Shift and a click on a row choose up to there, as in any list.
  const row = event.shiftKey && target.closest?.("#rows .conv");
  if (row && !target.closest(".pick") && tickOf(row)) {
    event.preventDefault();
    event.stopPropagation();
    const tick = tickOf(row);
    pick(tick, true);
    if (last) pickTo(tick);
    last = tick.value;
    getSelection()?.removeAllRanges();
    show();
  }
}, true);

// A row that is chosen and not on this page any more goes along as well.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.elt?.closest?.("#bulk")) event.detail.parameters.number = [...picked];
});

// ---- keys: while rows are chosen, they speak of those ----

const isWriting = (target) => target.closest?.("input:not(.tick), textarea, select, [contenteditable]");

function atHand() {
  return document.activeElement?.closest?.("#rows .conv") ?? document.querySelector("#rows .conv.selected") ?? document.querySelector("#rows .conv");
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const done = act(event);
  if (done) { event.preventDefault(); event.stopImmediatePropagation(); }
}, true);

function act(event) {
  if (event.key === "f") {
    const menu = document.getElementById("narrow");
    if (!menu) return false;
    menu.open = true;
    menu.querySelector(".popover select")?.focus();
    menu.addEventListener("htmx:afterSwap", () => menu.querySelector("select")?.focus(), { once: true });
    return true;
  }
  if (!form()) return false;
  if (event.key === "x") {
    const row = atHand();
    const tick = tickOf(row);
    if (!tick) return false;
    pick(tick, !tick.checked);
    row.querySelector("a").focus({ preventScroll: true });
    last = tick.value;
    show();
    announce(document.getElementById("picked").textContent);
    return true;
  }
  if (event.key === "X") { pickAll(true); return true; }
  if (!picked.size) return false;
  if (event.key === "Escape" && !document.querySelector("details.menu[open]")) { clear(); return true; }
  const deed = KEYS[event.key];
  if (!deed) return false;
  document.querySelector(`#bulk [name=deed][value=${deed}]`)?.click();
  return true;
}

// ---- the sheet that says what would happen ----

document.addEventListener("htmx:afterSwap", (event) => {
  const sheet = document.getElementById("bulk-sheet");
  if (event.detail.target?.id !== "bulk-sheet" || !sheet?.matches("[data-sheet]") || sheet.open) return;
  sheet.showModal();
  sheet.addEventListener("close", () => atHand()?.querySelector("a")?.focus({ preventScroll: true }));
});
// A moment that is typed counts for more than one that was offered.
document.addEventListener("input", (event) => {
  const other = document.getElementById(event.target.dataset?.clears ?? "");
  if (other && event.target.value) other.value = "";
});
document.addEventListener("desk:many", (event) => {
  const { numbers } = event.detail;
  clear();
  live.changed("list");
  if (numbers.includes(Number(live.opened()?.dataset.number))) live.changed("conversation");
  atHand()?.querySelector("a")?.focus({ preventScroll: true });
});

// ---- dragging rows onto the navigation ----

const FIXED = {
  "nav-mine": { deed: "assign", owner: "me" }, "nav-unassigned": { deed: "assign", owner: "none" },
  "nav-resolved": { deed: "resolve" }, "nav-spam": { deed: "spam" },
};

function wishOf(link) {
  if (!link) return null;
  const team = link.dataset.dropTeam ?? link.id.match(/^nav-team-([0-9a-f]{32})$/)?.[1];
  if (team) return { deed: "assign", team };
  return link.dataset.dropOwner ? { deed: "assign", owner: link.dataset.dropOwner } : FIXED[link.id] ?? null;
}

let dragged = [];
document.addEventListener("dragstart", (event) => {
  const row = event.target.closest?.("#rows .conv");
  if (!row || !form()) return;
  const number = row.id.slice(4);
  dragged = picked.has(number) ? [...picked] : [number];
  event.dataTransfer.setData("text/plain", dragged.map((each) => `#${each}`).join(" "));
  event.dataTransfer.effectAllowed = "move";
  document.getElementById("nav").classList.add("takes");
});
document.addEventListener("dragover", (event) => {
  const link = dragged.length ? event.target.closest?.("#nav .nav-item") : null;
  for (const each of document.querySelectorAll("#nav .over")) if (each !== link) each.classList.remove("over");
  if (!wishOf(link)) return;
  event.preventDefault();
  link.classList.add("over");
});
document.addEventListener("dragend", stopDragging);
document.addEventListener("drop", async (event) => {
  const wish = dragged.length ? wishOf(event.target.closest?.("#nav .nav-item")) : null;
  const numbers = dragged;
  stopDragging();
  if (!wish) return;
  event.preventDefault();
  const body = new URLSearchParams({ ...wish, deed_id: crypto.randomUUID() });
  for (const number of numbers) body.append("seen", `${number}:`);
  const response = await post(`${form().getAttribute("action")}/do`, body);
  const html = await response.text();
  if (!response.ok) { notice(html); return; }
  const part = parse(html);
  const undo = document.getElementById("undo");
  undo.replaceChildren(...(part.getElementById("undo")?.childNodes ?? []));
  window.htmx.process(undo);
  document.dispatchEvent(new CustomEvent("htmx:oobAfterSwap", { detail: { target: undo } }));
  for (const each of part.querySelectorAll("#notices > .notice")) document.getElementById("notices").append(each);
  document.dispatchEvent(new CustomEvent("desk:many", { detail: { numbers: numbers.map(Number) } }));
});

function stopDragging() {
  dragged = [];
  document.getElementById("nav")?.classList.remove("takes");
  for (const each of document.querySelectorAll("#nav .over")) each.classList.remove("over");
}

// ---- counts of saved views: looked up after the page, never in its way ----

async function count() {
  if (document.hidden || !document.querySelector("[data-count]") || Date.now() - countedAt < COUNT_EVERY) return;
  countedAt = Date.now();
  try {
    const response = await fetch("/views/counts", { headers: { "HX-Request": "true" } });
    if (!response.ok) return;
    const counts = await response.json();
    for (const each of document.querySelectorAll("[data-count]")) each.textContent = counts[each.dataset.count] ?? "";
  } catch { countedAt = 0; } // no connection: at the next look
}

new MutationObserver(show).observe(document.getElementById("rows"), { childList: true, subtree: true });
setInterval(count, 5_000);
count();
show();
place.begin();
