// A text field with a list below it, from which one line can be chosen while one goes on typing (the combobox of ARIA).

const options = (list) => [...list.querySelectorAll("[role=option]")];
const current = (list) => list.querySelector("[aria-selected=true]");

function mark(field, list, option) {
  current(list)?.setAttribute("aria-selected", "false");
  if (option) {
    option.setAttribute("aria-selected", "true");
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else field.removeAttribute("aria-activedescendant");
}

/**
 * ask(words): gives the lines (a fragment with options) or null. choose(option): does what a line says.
 * pause: milliseconds without a key before it asks. marksFirst: Enter takes the first line without an arrow.
 */
export function picker(field, list, { ask, choose, pause, marksFirst = false }) {
  let timer = 0, asked = 0;

  function close() {
    asked += 1;
    clearTimeout(timer);
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    mark(field, list, null);
  }

  async function look() {
    const mine = ++asked;
    const found = await ask(field.value).catch(() => null);
    if (mine !== asked) return;
    list.replaceChildren(...(found?.childNodes ?? []));
    const lines = options(list);
    list.hidden = !lines.length;
    field.setAttribute("aria-expanded", String(lines.length > 0));
    mark(field, list, marksFirst ? lines[0] : null);
    list.scrollTop = 0;
    list.dispatchEvent(new CustomEvent("looked", { detail: lines.length }));
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(look, pause);
  }

  field.addEventListener("input", soon);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || list.hidden) return;
    const lines = options(list), at = lines.indexOf(current(list));
    const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? lines.length - 1 : at - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      mark(field, list, lines[(to + lines.length) % lines.length]);
    } else if (event.key === "Enter" && at >= 0 && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      choose(lines[at], event);
    }
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(option, event);
  });
  return { look, soon, close };
}
