// Naming a colleague in a note: after an @ a list of who can be named, chosen by keyboard or pointer.

import { announce, get } from "./ask.js";

const MOST = 8;
const people = new Map(); // where they come from → the options
let start = -1, chosen = 0;

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const list = () => document.getElementById("mention-list");

/** Where the @ before the caret stands and what follows it; null when nobody is being named. */
function begun(field) {
  if (field.selectionStart !== field.selectionEnd) return null;
  const found = /(?:^|[^\p{L}\p{N}_@.])@([\p{L}\p{N}][\p{L}\p{M}\p{N} .'’-]{0,60})?$/u.exec(field.value.slice(0, field.selectionStart));
  const typed = found?.[1] ?? "";
  return found ? { at: field.selectionStart - typed.length - 1, typed: plain(typed) } : null;
}

async function options(field) {
  const from = field.dataset.mentions;
  if (!people.has(from)) {
    const part = await get(from);
    if (!part) return [];
    people.set(from, [...part.querySelectorAll("[data-name]")]);
  }
  return people.get(from);
}

const fits = (name, typed) => plain(name).startsWith(typed) || (!typed.includes(" ") && plain(name).split(/\s+/).some((word) => word.startsWith(typed)));

async function look(field) {
  const naming = begun(field);
  if (!naming) { close(); return; }
  const found = (await options(field)).filter((each) => fits(each.dataset.name, naming.typed)).slice(0, MOST);
  const still = begun(field);
  if (!found.length || !still || still.typed !== naming.typed || document.activeElement !== field) { close(); return; }
  start = naming.at;
  open(field, found);
}

function open(field, found) {
  let shown = list();
  if (!shown) {
    shown = document.createElement("ul");
    shown.id = "mention-list";
    shown.className = "popover mention-list";
    shown.setAttribute("role", "listbox");
    shown.setAttribute("aria-label", field.dataset.mentionsLabel);
    shown.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the caret stays where it is
      const option = event.target.closest("[data-name]");
      if (option) pick(field, option);
    });
    field.parentElement.append(shown);
  }
  shown.replaceChildren(...found.map((each) => each.cloneNode(true)));
  field.setAttribute("aria-controls", shown.id);
  mark(field, 0);
}

function mark(field, place) {
  const each = [...list().children];
  chosen = (place + each.length) % each.length;
  each.forEach((option, position) => option.setAttribute("aria-selected", String(position === chosen)));
  field.setAttribute("aria-activedescendant", each[chosen].id);
  announce(each[chosen].dataset.name);
}

function pick(field, option) {
  field.setRangeText(`@${option.dataset.name} `, start, field.selectionStart, "end");
  close();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function close() {
  const field = document.getElementById("note-text");
  field?.removeAttribute("aria-activedescendant");
  field?.removeAttribute("aria-controls");
  list()?.remove();
}

export function begin() {
  document.addEventListener("input", (event) => { if (event.target.id === "note-text") look(event.target); });
  document.addEventListener("focusout", (event) => { if (event.target.id === "note-text") close(); });
  document.addEventListener("keydown", (event) => {
    const shown = list();
    if (event.target.id !== "note-text" || !shown || event.isComposing || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown") mark(event.target, chosen + 1);
    else if (event.key === "ArrowUp") mark(event.target, chosen - 1);
    else if (event.key === "Enter" || event.key === "Tab") pick(event.target, shown.children[chosen]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
}
