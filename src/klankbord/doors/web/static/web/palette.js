// Ctrl or Cmd and K: to any conversation, person, view or page, and every command. And the search box's own hints.

import { get } from "./ask.js";
import { picker } from "./picker.js";

const dialog = document.getElementById("palette");
const field = document.getElementById("palette-words");
const lines = document.getElementById("palette-lines");
const none = dialog?.querySelector(".palette-none");
let first = null; // the lines before anything is typed, for the conversation that is open

function ask(words) {
  const open = document.querySelector("#conversation[data-number]")?.dataset.number ?? "";
  if (!words.trim() && first?.open === open) return Promise.resolve(first.part.cloneNode(true));
  return get(`${dialog.dataset.url}?${new URLSearchParams({ q: words, open })}`).then((part) => {
    if (part && !words.trim()) first = { open, part: part.cloneNode(true) };
    return part;
  });
}

function choose(option, event) {
  const { url, press, click } = option.dataset;
  if (url && (event.ctrlKey || event.metaKey)) { window.open(url, "_blank", "noopener"); return; }
  dialog.close();
  if (url) location.assign(url);
  else if (press) {
    document.activeElement?.blur(); // the key is the desk's, not a letter of the text that had the focus
    document.dispatchEvent(new KeyboardEvent("keydown", { key: press, bubbles: true }));
  } else document.querySelector(click)?.click();
}

function begin() {
  const picked = picker(field, lines, { ask, choose, pause: 90, marksFirst: true });
  const open = () => {
    document.querySelector("dialog[open]")?.close();
    field.value = "";
    none.hidden = true;
    dialog.showModal();
    field.focus();
    picked.look();
  };
  dialog.addEventListener("close", picked.close);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  lines.addEventListener("looked", (event) => { none.hidden = event.detail > 0; });
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    if (event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (dialog.open) dialog.close(); else open();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-open-palette]")) return;
    event.preventDefault();
    open();
  });
}

function hint(box) {
  const list = document.getElementById(box.getAttribute("aria-controls"));
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-expanded", "false");
  const picked = picker(box, list, {
    pause: 120,
    ask: (words) => get(`${box.dataset.hints}?${new URLSearchParams({ q: words.slice(0, box.selectionStart) })}`),
    choose(option) {
      const rest = box.value.slice(box.selectionStart);
      box.value = option.dataset.text + rest.trimStart();
      box.setSelectionRange(option.dataset.text.length, option.dataset.text.length);
      picked.close();
      if ("complete" in option.dataset) box.dispatchEvent(new Event("chosen", { bubbles: true }));
      else picked.look();
    },
  });
  box.addEventListener("blur", picked.close);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") picked.close();
    if (event.key === "Escape" && !list.hidden) { event.stopPropagation(); event.preventDefault(); picked.close(); }
  });
}

if (dialog) begin();
const box = document.querySelector("input[data-hints]");
if (box) hint(box);
