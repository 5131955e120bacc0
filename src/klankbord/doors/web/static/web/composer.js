// Where words are written: tabs, place, counter, files, drafts.

import { notice, parse, post } from "./ask.js";
import * as drafts from "./drafts.js";
import { lengthOf } from "./measure.js";

const numbers = new Intl.NumberFormat(document.documentElement.lang);
export const typing = { at: 0 };

export const composer = () => document.getElementById("composer");
const select = () => document.getElementById("mode");
const mode = () => select()?.selectedOptions[0] ?? null;

/** Make a composer that just came onto the page work. */
export function wake() {
  const box = composer();
  if (!box || box.dataset.awake || !box.querySelector("#reply-form")) return;
  box.dataset.awake = "yes";
  for (const field of box.querySelectorAll("textarea")) {
    if ("fresh" in box.dataset) { if (!field.value) drafts.forget(box.dataset.number, field.dataset.kind); }
    else {
      const unsaved = drafts.local(box.dataset.number, field.dataset.kind);
      if (unsaved !== null && unsaved !== field.value) { field.value = unsaved; keep(field); }
    }
    grow(field);
  }
  box.querySelector("#mode")?.addEventListener("change", () => { place(); const field = words("reply"); if (field.value) keep(field); });
  box.querySelector("#switch-mode")?.addEventListener("click", switchMode);
  box.querySelector("#files")?.addEventListener("change", (event) => { upload([...event.target.files]); event.target.value = ""; });
  box.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      event.preventDefault();
      show(box.querySelector("#tab-reply").ariaSelected === "true" ? "note" : "reply", "tab");
    }
  });
  place();
}

/** Nothing is being written or added: no word would be lost with this composer. */
export const isEmpty = () =>
  [...composer().querySelectorAll("textarea")].every((field) => !field.value) && !composer().querySelector("#uploads li");

export const words = (kind) => document.getElementById(`${kind}-text`);

export function show(kind, focus = "text") {
  const box = composer();
  if (!box?.querySelector("#reply-form")) return;
  for (const each of ["reply", "note"]) {
    const tab = box.querySelector(`#tab-${each}`);
    tab.setAttribute("aria-selected", String(each === kind));
    tab.tabIndex = each === kind ? 0 : -1;
    box.querySelector(`#panel-${each}`).hidden = each !== kind;
  }
  place();
  const field = words(kind);
  if (field) grow(field);
  if (focus === "text") field?.focus(); else if (focus === "tab") box.querySelector(`#tab-${kind}`).focus();
}

export function switchMode() {
  const chosen = select();
  if (!chosen || chosen.options.length < 2) return;
  chosen.selectedIndex = (chosen.selectedIndex + 1) % chosen.options.length;
  chosen.dispatchEvent(new Event("change", { bubbles: true }));
}

export function grow(field) {
  field.rows = 3;
  while (field.scrollHeight > field.clientHeight + 2 && field.rows < 12) field.rows += 1;
}

/** Edge, band and button say where the words go. */
export function place() {
  const box = composer();
  const note = box.querySelector("#tab-note")?.getAttribute("aria-selected") === "true";
  const chosen = mode();
  if (!chosen) return;
  const { place, lead, band, blocked, blockedLead, warning, window: left, send } = chosen.dataset;
  box.classList.toggle("noted", note);
  box.classList.toggle("public", !note && place === "public");
  box.classList.toggle("private", !note && place === "private");
  box.classList.toggle("blocked", !note && Boolean(blocked));
  box.classList.toggle("speaks-public", place === "public");
  const strong = document.createElement("b");
  strong.textContent = blocked ? blockedLead : lead;
  box.querySelector("#band-words").replaceChildren(strong, ` ${blocked || band}`);
  box.querySelector("#band-words").title = `${strong.textContent} ${blocked || band}`;
  box.querySelector("#window").textContent = blocked ? "" : left;
  box.querySelector("#closing").textContent = closing(chosen).split("\n").map((line) => line.trim()).filter(Boolean).join(" ↵ ");
  const moved = box.dataset.movedFrom === place ? box.dataset.moved : "";
  box.querySelector("#mode-warning").hidden = !warning && !moved;
  box.querySelector("#mode-warning .text-wrap").textContent = [moved, warning].filter(Boolean).join(" ");
  box.querySelector("#send-word").textContent = send;
  for (const button of box.querySelectorAll("#send, .send-more")) {
    button.classList.toggle("to-public", place === "public");
    button.classList.toggle("to-private", place === "private");
  }
  count();
}

/** What is put behind the words without being typed: initials, a signature. */
const closing = (chosen) => chosen?.dataset.closing ?? "";

export function count() {
  const chosen = mode();
  const field = words("reply");
  if (!chosen || !field) return;
  const { limit, unit, perLink, blocked } = chosen.dataset;
  const counter = document.getElementById("counter");
  const maximum = Number(limit) || 0;
  const said = field.value.trim();
  const length = said ? lengthOf(`${said}${closing(chosen)}`.trim(), unit, Number(perLink) || 0) : 0;
  const splits = "splits" in chosen.dataset;
  const over = maximum > 0 && length > maximum;
  const box = composer().dataset;
  counter.classList.toggle("over", over && !splits);
  counter.textContent = !maximum ? (length ? numbers.format(length) : "")
    : over && splits ? box.parts.replace("{n}", numbers.format(Math.ceil(length / maximum)))
    : over ? box.over.replace("{n}", numbers.format(length - maximum))
    : `${numbers.format(length)} / ${numbers.format(maximum)}`;
  const empty = !field.value.trim() && !document.querySelector("#uploads li");
  for (const button of document.querySelectorAll("#reply-form .send")) button.disabled = Boolean(blocked) || (over && !splits) || empty;
}

function keep(field) {
  drafts.keep(composer(), field, () => select()?.value ?? "");
}

export function written(field) {
  typing.at = Date.now();
  grow(field);
  if (field.dataset.kind === "reply") { began(field); count(); }
  keep(field);
}

/** Where these words were begun: what was begun in private does not become public by one key. */
function began(field) {
  const kept = field.form?.elements.began;
  if (!kept) return;
  if (!field.value.trim()) kept.value = "";
  else if (!kept.value) kept.value = mode()?.dataset.place ?? "";
}

export async function upload(files) {
  const chosen = mode();
  const list = document.getElementById("uploads");
  if (!chosen || !list) return;
  const { tooLarge, tooMany, uploadUrl, wrongType } = composer().dataset;
  const types = chosen.dataset.types.split(",").filter(Boolean);
  const most = Number(chosen.dataset.files) || 0;
  const bytes = Number(chosen.dataset.bytes) || 0;
  for (const file of files) {
    if (list.children.length >= most) { tell(tooMany.replace("{n}", most)); break; }
    if (bytes && file.size > bytes) { tell(tooLarge.replace("{name}", file.name).replace("{size}", Math.floor(bytes / 1e6))); continue; }
    if (types.length && file.type && !types.some((type) => file.type.startsWith(type))) { tell(wrongType.replace("{name}", file.name)); continue; }
    const waiting = parse(`<li class="upload" aria-busy="true"><span class="skeleton w40"></span></li>`).firstElementChild;
    list.append(waiting);
    const body = new FormData();
    body.append("files", file, file.name || "image.png");
    try {
      const response = await post(uploadUrl, body);
      const answer = await response.text();
      if (response.ok) { const item = parse(answer).firstElementChild; waiting.replaceWith(item); window.htmx.process(item); }
      else { waiting.remove(); notice(answer); }
    } catch { waiting.remove(); }
    count();
  }
}

function tell(sentence, isWarning = false) {
  const refusal = document.getElementById("composer-refusal");
  refusal.hidden = false;
  refusal.classList.toggle("warning", isWarning);
  refusal.setAttribute("role", "alert");
  refusal.textContent = sentence;
}

/** A colleague answered while this person was writing. */
export function warn(name) {
  const box = composer();
  if (!box || !words("reply")?.value.trim()) return false;
  tell(box.dataset.answered.replace("{name}", name), true);
  return true;
}

export function insert(text) {
  const field = words(document.getElementById("panel-note")?.hidden === false ? "note" : "reply");
  field.focus();
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  written(field);
}
