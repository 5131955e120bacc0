// Keeps the composer pointing at the place where the contact spoke last, without touching words that are being written.

import { announce, get } from "./ask.js";
import * as composer from "./composer.js";

/** newest: the last message on screen. Asks again later when the server could not be reached. */
export async function follow(number, newest) {
  const box = composer.composer();
  if (!box?.querySelector("#reply-form") || box.dataset.follows === newest) return;
  const fresh = (await get(`/conversations/${number}/composer`))?.getElementById("composer");
  // Another composer may have come meanwhile: after sending, or of another conversation.
  if (!fresh || composer.composer() !== box) return;
  if (composer.isEmpty()) replace(box, fresh, newest);
  else if (box.querySelector("#mode") && fresh.querySelector("#mode")) offer(box, fresh);
  composer.composer().dataset.follows = newest;
}

/** A composer that came with the timeline that is on screen knows all of it. */
export function begin() {
  const box = composer.composer();
  const timeline = document.getElementById("timeline");
  if (box && timeline) box.dataset.follows = timeline.dataset.newest;
}

function replace(box, fresh, newest) {
  const held = box.contains(document.activeElement) ? document.activeElement.id : null;
  const isNote = box.querySelector("#tab-note").getAttribute("aria-selected") === "true";
  const seen = fresh.querySelector("[name=seen_message]");
  if (seen) seen.value = newest;
  box.replaceWith(fresh);
  window.htmx.process(fresh);
  composer.wake();
  if (isNote) composer.show("note", "");
  if (held !== null) (document.getElementById(held) ?? composer.words(isNote ? "note" : "reply"))?.focus({ preventScroll: true });
}

/** Other places to choose from; the chosen one stays, with a remark when the contact has just left it. */
function offer(box, fresh) {
  const modes = box.querySelector("#mode");
  const chosen = modes.selectedOptions[0];
  const offered = [...fresh.querySelectorAll("#mode option")];
  const same = offered.find((each) => each.value === chosen.value)
    ?? offered.find((each) => each.dataset.place === chosen.dataset.place);
  modes.replaceChildren(...(same ? offered : [chosen, ...offered]));
  (same ?? chosen).selected = true;
  const { spokeIn, spokeAt } = fresh.dataset;
  if (spokeAt !== box.dataset.spokeAt) {
    const here = chosen.dataset.place;
    box.dataset.movedFrom = spokeIn && spokeIn !== here ? here : "";
    box.dataset.moved = spokeIn === "public" ? fresh.dataset.movedPublic : fresh.dataset.movedPrivate;
    if (box.dataset.movedFrom) announce(box.dataset.moved);
    Object.assign(box.dataset, { spokeIn, spokeAt });
  }
  box.querySelector(".switch-mode").className = fresh.querySelector(".switch-mode").className;
  const switcher = fresh.querySelector("#switch-mode");
  if (switcher && !box.querySelector("#switch-mode")) {
    switcher.addEventListener("click", composer.switchMode);
    box.querySelector("#band").append(switcher);
  }
  composer.place();
}
