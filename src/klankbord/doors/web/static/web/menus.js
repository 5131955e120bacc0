// Menus, notices, dialogs and small conveniences; all of it works by keyboard.

export const openMenu = (name) => {
  const menu = document.querySelector(`#case-head details[data-menu="${name}"]`);
  if (!menu) return null;
  menu.open = true;
  return menu;
};

export function focusFirst(menu, selector = "input:not([type=hidden]), button, a") {
  menu?.querySelector(`.popover ${selector}`)?.focus();
}

export function closeMenus(except = null) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(except)) menu.open = false;
}

export function help() {
  const dialog = document.getElementById("help");
  if (dialog && !dialog.open) dialog.showModal();
}

export function toggleSide() {
  const pane = document.getElementById("conversation");
  const isOpen = pane.classList.toggle("side-open");
  for (const button of pane.querySelectorAll("[data-toggle-side][aria-expanded]")) button.ariaExpanded = String(isOpen);
  if (isOpen) pane.querySelector("#side [data-toggle-side]")?.focus();
  else pane.querySelector("[data-toggle-side]")?.focus();
}

/** Escape: close what is open, one thing at a time. True when something was. */
export function escape() {
  const menu = document.activeElement?.closest("details.menu[open]") ?? document.querySelector("details.menu[open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); return true; }
  if (document.querySelector("#conversation.side-open")) { toggleSide(); return true; }
  return false;
}

export function begin() {
  document.addEventListener("click", async (event) => {
    const { target } = event;
    closeMenus(target);
    if (target.closest("[data-open-help]")) { closeMenus(); help(); }
    if (target.closest("[data-toggle-side]")) toggleSide();
    target.closest("[data-close-notice]")?.closest(".notice").remove();
    const copied = target.closest("[data-copy]");
    if (copied) { await navigator.clipboard?.writeText(copied.dataset.copy); closeMenus(); }
  });
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details.menu") && event.target.open) closeMenus(event.target);
  }, true);
}
