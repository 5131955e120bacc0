// One key for everything an agent does often.

import * as composer from "./composer.js";
import * as menus from "./menus.js";

let afterG = 0;

const press = (selector) => { const button = document.querySelector(selector); button?.click(); return Boolean(button); };

const places = { c: "/contacts", i: "/inbox/mine", m: "/inbox/mentioned", n: "/notices" };

const deeds = {
  j: () => step(1),
  k: () => step(-1),
  r: () => composer.show("reply"),
  n: () => composer.show("note"),
  p: () => composer.switchMode(),
  e: () => press("#case-head [data-key=e]"),
  u: () => press("[data-undo]"),
  a: () => menu("assign"),
  t: () => menu("assign", "[data-teams] ~ form button"),
  l: () => menu("label", "#label-name"),
  s: () => menu("snooze", "button"),
  ".": () => menu("more"),
  "/": () => { const box = document.getElementById("search"); if (box) box.focus(); else location.assign("/search"); },
  "?": () => menus.help(),
};

function menu(name, selector) {
  const opened = menus.openMenu(name);
  if (!opened) return;
  menus.focusFirst(opened, selector);
  // What the menu holds may still be on its way.
  opened.addEventListener("htmx:afterSwap", () => menus.focusFirst(opened, selector), { once: true });
}

function step(by) {
  const links = [...document.querySelectorAll("#rows .conv > a")];
  if (!links.length) return;
  const focused = links.indexOf(document.activeElement);
  const selected = links.findIndex((link) => link.parentElement.classList.contains("selected"));
  const from = focused >= 0 ? focused : selected;
  const next = links[Math.min(Math.max(from + by, 0), links.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

const isWriting = (target) => target.closest?.("input, textarea, select, [contenteditable]");

export function begin() {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      if (document.querySelector("dialog[open]")) return;
      if (menus.escape()) event.preventDefault();
      else if (isWriting(event.target)) { event.target.blur(); (document.querySelector("#rows .selected > a") ?? document.body).focus?.({ preventScroll: true }); }
      return;
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const form = event.target.closest?.("#reply-form, #note-form");
      const button = form?.querySelector("#send, .to-note");
      if (button && !button.disabled) { event.preventDefault(); form.requestSubmit(button); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target) || document.querySelector("dialog[open]")) return;
    if (afterG && Date.now() - afterG < 1200 && event.key in places) { afterG = 0; location.assign(places[event.key]); return; }
    afterG = event.key === "g" ? Date.now() : 0;
    const deed = deeds[event.key];
    if (!deed) return;
    event.preventDefault();
    deed();
  });
}
