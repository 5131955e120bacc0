// The agents' screens: what happens after htmx has swapped a part, and what ties the other modules together.

import { announce } from "./ask.js";
import * as beside from "./beside.js";
import * as composer from "./composer.js";
import * as drafts from "./drafts.js";
import * as follow from "./follow.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import * as menus from "./menus.js";
import * as mentions from "./mentions.js";
import { remember } from "./morph.js";
import * as notices from "./notices.js";
import * as unread from "./unread.js";
import * as offers from "./offers.js";

const isNarrow = () => matchMedia("(max-width: 899px)").matches;
const rowOf = (number) => document.getElementById(`row-${number}`);

function select() {
  const pane = live.opened();
  for (const row of document.querySelectorAll("#rows .conv.selected")) {
    row.classList.remove("selected");
    row.querySelector("a").removeAttribute("aria-current");
  }
  const row = pane && rowOf(pane.dataset.number);
  row?.classList.add("selected");
  row?.querySelector("a").setAttribute("aria-current", "true");
  if (pane) document.title = pane.dataset.title;
}

/** A conversation left the list: the next one opens, so that the hands can go on. */
function goOn(number) {
  if (isNarrow()) { location.assign(document.querySelector("[data-back]")?.href ?? "/"); return; }
  const row = rowOf(number);
  const next = row?.nextElementSibling?.matches(".conv") ? row.nextElementSibling : row?.previousElementSibling;
  row?.classList.add("gone");
  const link = next?.matches?.(".conv:not(.gone)") ? next.querySelector("a") : null;
  if (link) { link.focus({ preventScroll: true }); link.click(); next.scrollIntoView({ block: "nearest" }); }
  else live.everything();
}

function countDown(toast) {
  const ends = Date.now() + Number(toast.dataset.seconds) * 1000;
  const total = ends - Date.now();
  const words = toast.querySelector("[data-left]");
  const bar = toast.querySelector(".left rect");
  const tick = setInterval(() => {
    const left = ends - Date.now();
    if (left <= 0 || !toast.isConnected) { clearInterval(tick); toast.remove(); live.changed("conversation"); return; }
    const seconds = String(Math.ceil(left / 1000));
    if (words.textContent !== seconds) words.textContent = seconds;
    bar.setAttribute("width", String((left / total) * 100));
  }, 200);
}

function wake() {
  composer.wake();
  for (const toast of document.querySelectorAll("#undo .toast:not([data-awake])")) { toast.dataset.awake = "yes"; countDown(toast); }
}

document.addEventListener("htmx:afterSwap", (event) => {
  const { target } = event.detail;
  if (target?.id === "conversation") {
    remember(document.getElementById("timeline"));
    remember(document.getElementById("case-head"));
    select();
    unread.jump();
    follow.begin();
    live.seen();
    const pane = live.opened();
    if (pane) announce(pane.getAttribute("aria-label"));
    if (isNarrow()) document.getElementById("timeline-scroll")?.focus({ preventScroll: true });
  }
  if (target?.id === "timeline") remember(document.getElementById("timeline"));
  if (target?.id === "case-head") remember(document.getElementById("case-head"));
  if (target?.classList.contains("more")) document.querySelectorAll("#rows > .conv").forEach(remember);
  wake();
});
document.addEventListener("htmx:oobAfterSwap", wake);
document.addEventListener("htmx:beforeSwap", (event) => menus.closeMenus(event.detail.target));
document.addEventListener("htmx:sendError", () => { const band = document.getElementById("connection"); if (band) band.hidden = false; });
// A refusal may come with a status that says so; the words in the composer must not be lost with it.
document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.detail.elt;
  if (form?.id === "reply-form" || form?.id === "note-form") form.querySelector("textarea").readOnly = true;
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (form?.id === "reply-form" || form?.id === "note-form") form.querySelector("textarea").readOnly = false;
});

document.addEventListener("desk:acted", (event) => {
  const { number, hasLeft } = event.detail;
  if (hasLeft) goOn(number); else live.changed("conversation");
  live.changed("list");
});
document.addEventListener("desk:replied", (event) => {
  const { number, kind } = event.detail;
  drafts.forget(number, kind);
  live.changed("conversation");
  live.changed("list");
  document.getElementById("timeline-scroll")?.scrollTo({ top: 0 });
  if (!event.detail.hasLeft) composer.words(kind)?.focus({ preventScroll: true });
});
document.addEventListener("desk:tookBack", () => {
  document.getElementById("undo")?.replaceChildren();
  live.everything();
  composer.show("reply");
});
document.addEventListener("desk:refused", () => composer.words("reply")?.focus());

document.addEventListener("input", (event) => { if (event.target.matches("#composer textarea")) composer.written(event.target); });
document.addEventListener("click", (event) => {
  const { target } = event;
  if (target.closest("#tab-reply")) composer.show("reply");
  if (target.closest("#tab-note")) composer.show("note");
  const emoji = target.closest("[data-emoji]");
  if (emoji) { composer.insert(emoji.dataset.emoji); menus.closeMenus(); }
  if (target.closest('form[action$="/accounts/logout/"] button')) drafts.forgetAll();
});
document.addEventListener("paste", (event) => {
  if (!event.target.matches("#reply-text") || !event.clipboardData?.files.length) return;
  event.preventDefault();
  composer.upload([...event.clipboardData.files]);
});
for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    const over = event.target.closest("#conversation");
    document.getElementById("composer")?.classList.toggle("dropping", kind === "dragover" && Boolean(over));
    if (kind === "drop" && over) composer.upload([...event.dataTransfer.files]);
  });
}

menus.begin();
offers.begin();
beside.begin();
mentions.begin();
notices.begin();
keys.begin();
remember(document.getElementById("timeline"));
remember(document.getElementById("case-head"));
document.querySelectorAll("#rows > .conv").forEach(remember);
remember(document.getElementById("nav"));
wake();
unread.jump();
follow.begin();
live.begin();
live.seen();
setTimeout(() => document.querySelectorAll("#notices .notice:not(.bad)").forEach((each) => each.remove()), 8_000);
