// What stands beside one's own words: colleagues' drafts, replies that wait for approval, the one message that is
// answered, and the question whether something may become public.

import { get } from "./ask.js";
import * as composer from "./composer.js";

const form = () => document.getElementById("reply-form");

/** Ask again what stands above the composer; what somebody is changing there stays. */
async function look() {
  const old = document.getElementById("beside");
  if (!old || old.contains(document.activeElement)) return;
  const fresh = (await get(old.dataset.beside))?.getElementById("beside");
  if (!fresh || document.getElementById("beside") !== old || old.outerHTML === fresh.outerHTML) return;
  old.replaceWith(fresh);
  window.htmx.process(fresh);
}

function answer(button) {
  const options = [...document.querySelectorAll("#mode option")];
  const here = options.find((each) => each.value.startsWith(button.dataset.thread) && "answersOne" in each.dataset);
  if (!here || !form()) return;
  here.selected = true;
  composer.place();
  form().elements.answers.value = button.dataset.answer;
  const words = button.closest(".msg")?.querySelector(".words")?.textContent.replace(/\s+/g, " ").trim() ?? "";
  document.getElementById("answering-words").textContent = words.slice(0, 140);
  document.getElementById("answering").hidden = false;
  composer.show("reply");
}

function answerNone() {
  const field = form()?.elements.answers;
  if (!field?.value) return;
  field.value = "";
  document.getElementById("answering").hidden = true;
}

/** The first private place there is to choose. */
function stayPrivate() {
  const modes = document.getElementById("mode");
  const there = [...modes.options].find((each) => each.dataset.place === "private");
  document.getElementById("composer-refusal").hidden = true;
  if (!there) { composer.words("reply").focus(); return; }
  there.selected = true;
  modes.dispatchEvent(new Event("change", { bubbles: true }));
  composer.words("reply").focus();
}

export function begin() {
  document.addEventListener("desk:drafts", look);
  document.addEventListener("desk:acted", look);
  document.addEventListener("click", (event) => {
    const { target } = event;
    const one = target.closest("[data-answer]");
    if (one) answer(one);
    if (target.closest("[data-answer-none]")) { answerNone(); composer.words("reply")?.focus(); }
    if (target.closest("[data-stay-private]")) stayPrivate();
  });
  document.addEventListener("change", (event) => {
    // Another place cannot point at a message of this one.
    if (event.target.id === "mode") answerNone();
  });
  document.addEventListener("input", (event) => {
    const { target } = event;
    if (!target.matches?.("[data-proposed]")) return;
    target.form.querySelector(".as-proposed").hidden = target.value === target.defaultValue;
  });
  document.addEventListener("keydown", (event) => {
    // Enter in the field of the moment means that moment, not now.
    if (event.key !== "Enter" || event.target.id !== "leave-at") return;
    event.preventDefault();
    const button = document.getElementById("send-later");
    if (event.target.value && !button.disabled) form().requestSubmit(button);
  });
}
