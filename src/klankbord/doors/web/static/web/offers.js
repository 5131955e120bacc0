// What is offered while somebody types: ; finds a saved reply, : an emoji. The hands stay on the keyboard, and the
// focus in the text; Tab goes on as always.

import { get, post } from "./ask.js";
import * as composer from "./composer.js";
import { emojiFor } from "./emoji.js";

const PAUSE = 90;
// At the beginning or after a space, so that a time (12:30), an address or a sentence with a semicolon stays one.
const SIGNS = [
  { sign: ";", before: /(?:^|[\s(])(;((?!\s)[^\n;]{0,40})?)$/, find: savedReplies },
  { sign: ":", before: /(?:^|[\s(])(:([\p{L}_]{2,20}))$/u, find: emoji },
];

let open = null; // { field, sign, start, language }
let timer = 0, asked = 0;

const list = () => document.getElementById("offers-list");
const options = () => [...(list()?.querySelectorAll("[role=option]") ?? [])];
const chosen = () => list()?.querySelector("[aria-selected=true]");

async function savedReplies(words, field) {
  const { number } = composer.composer().dataset;
  const query = new URLSearchParams({ q: words, language: open?.language ?? "" });
  return (await get(`/conversations/${number}/saved-replies?${query}`))?.firstElementChild ?? null;
}

function emoji(words) {
  const found = emojiFor(words);
  if (!found.length) return null;
  const box = document.createElement("div");
  const shown = document.createElement("ul");
  shown.className = "offers-list";
  shown.id = "offers-list";
  shown.setAttribute("role", "listbox");
  shown.setAttribute("aria-label", "Emoji");
  for (const [place, [sign, name]] of found.entries()) {
    const option = document.createElement("li");
    option.className = "item";
    option.id = `offer-emoji-${place}`;
    option.setAttribute("role", "option");
    option.dataset.text = sign;
    const word = document.createElement("span");
    word.className = "clip grow";
    word.textContent = name;
    option.append(sign, word);
    shown.append(option);
  }
  box.append(shown);
  return box;
}

function look(field) {
  const before = field.value.slice(0, field.selectionStart);
  for (const each of SIGNS) {
    const found = field.selectionStart === field.selectionEnd && each.before.exec(before);
    if (found) return { each, words: found[2] ?? "", start: before.length - found[1].length };
  }
  return null;
}

export function typed(field) {
  clearTimeout(timer);
  const seen = look(field);
  if (!seen) { close(); return; }
  open = { field, start: seen.start, sign: seen.each.sign, language: open?.sign === seen.each.sign ? open.language : "" };
  const mine = ++asked;
  timer = setTimeout(async () => {
    const found = await seen.each.find(seen.words, field);
    if (mine !== asked || !open) return;
    // Words after a semicolon that name nothing are a sentence, not a question.
    if (!found || (seen.words.includes(" ") && !found.querySelector("[role=option]"))) { close(); return; }
    show(field, found);
  }, seen.each.sign === ";" ? PAUSE : 0);
}

function show(field, found) {
  let box = document.getElementById("offers");
  if (!box) {
    box = document.createElement("div");
    box.id = "offers";
    box.className = "popover offers";
    composer.composer().append(box);
  }
  box.replaceChildren(found);
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", "offers-list");
  select(options()[0] ?? null);
}

function select(option) {
  for (const each of options()) each.setAttribute("aria-selected", String(each === option));
  const { field } = open ?? {};
  if (!option) { field?.removeAttribute("aria-activedescendant"); return; }
  field?.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
  const preview = document.getElementById("offer-preview");
  if (!preview) return;
  preview.replaceChildren(option.dataset.text);
  preview.lang = option.lang;
  if (option.dataset.missing) {
    const missing = document.createElement("p");
    missing.className = "small soon-text";
    missing.textContent = option.dataset.missing;
    preview.append(missing);
  }
}

function take(option) {
  if (!open || !option) return;
  const { field, start } = open;
  const { text, used } = option.dataset;
  const end = field.selectionStart;
  close();
  field.focus();
  field.setRangeText(text, start, end, "end");
  composer.written(field);
  if (used) post(used, new URLSearchParams()).catch(() => {}); // a count that is lost does no harm
}

export function close() {
  clearTimeout(timer);
  asked += 1;
  for (const name of ["aria-activedescendant", "aria-controls", "aria-autocomplete"]) open?.field.removeAttribute(name);
  document.getElementById("offers")?.remove();
  open = null;
}

function press(event) {
  if (!open || !document.getElementById("offers") || event.isComposing) return;
  const all = options();
  const at = all.indexOf(chosen());
  const inField = event.target === open.field;
  if (event.key === "Escape") { const { field } = open; close(); field.focus(); }
  else if (inField && event.key === "ArrowDown" && all.length) select(all[(at + 1) % all.length]);
  else if (inField && event.key === "ArrowUp" && all.length) select(all[(at - 1 + all.length) % all.length]);
  else if (inField && event.key === "Enter" && chosen() && !event.ctrlKey && !event.metaKey && !event.shiftKey) take(chosen());
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** The button with the bolt: as if somebody typed the sign. */
function begun() {
  const field = composer.words(document.getElementById("panel-note")?.hidden === false ? "note" : "reply");
  if (!field) return;
  const before = field.value.slice(0, field.selectionStart);
  composer.insert(`${before && !/[\s(]$/.test(before) ? " " : ""};`);
  typed(field);
}

export function begin() {
  document.addEventListener("input", (event) => { if (event.target.matches("#composer textarea")) typed(event.target); });
  document.addEventListener("keydown", press, true);
  document.addEventListener("click", (event) => {
    const { target } = event;
    const language = target.closest("[data-offer-language]");
    if (target.closest("[data-offers]")) { begun(); return; }
    if (language && open) { open.language = language.dataset.offerLanguage; open.field.focus(); typed(open.field); return; }
    const option = target.closest("#offers [role=option]");
    if (option) take(option);
    else if (open && !target.closest("#offers") && target !== open.field) close();
  });
}
