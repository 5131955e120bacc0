// Brings what is on the page to what the server just gave, and leaves alone what did not change: what somebody
// unfolded, selected or focused stays as it is, and nothing jumps.

const given = new WeakMap();

/** Remember what the server gave for every named part, before anybody unfolds or loads anything in it. */
export function remember(root) {
  if (!root) return;
  for (const part of [root, ...root.querySelectorAll("[id]")]) given.set(part, part.outerHTML);
}

/** keep: a selector for children that stay although the server did not send them. */
export function morph(old, fresh, keep = "") {
  const html = fresh.outerHTML;
  if (given.get(old) === html) return old;
  if (old.nodeName !== fresh.nodeName || ![...fresh.children].some((child) => child.id)) return replace(old, fresh);
  given.set(old, html);
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const known = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  const kept = new Set();
  let cursor = old.firstElementChild;
  for (const child of [...fresh.children]) {
    while (cursor && keep && cursor.matches(keep)) { kept.add(cursor); cursor = cursor.nextElementSibling; }
    let mine = child.id ? known.get(child.id) : null;
    if (mine) {
      if (mine !== cursor) old.insertBefore(mine, cursor); else cursor = cursor.nextElementSibling;
      mine = morph(mine, child, keep);
    } else if (cursor && !cursor.id && !child.id && cursor.nodeName === child.nodeName) {
      mine = cursor;
      cursor = cursor.nextElementSibling;
      if (mine.outerHTML !== child.outerHTML) mine = replace(mine, child);
    } else {
      remember(child);
      mine = old.insertBefore(child, cursor);
      window.htmx.process(mine);
    }
    kept.add(mine);
  }
  for (const child of [...old.children]) if (!kept.has(child) && !(keep && child.matches(keep))) child.remove();
  return old;
}

function replace(old, fresh) {
  const unfolded = [...old.querySelectorAll("details")].map((details) => details.open);
  const held = old.contains(document.activeElement) ? document.activeElement : null;
  remember(fresh);
  fresh.querySelectorAll("details").forEach((details, place) => { details.open = unfolded[place] ?? details.open; });
  old.replaceWith(fresh);
  window.htmx.process(fresh);
  if (held) (fresh.querySelector(held.tagName.toLowerCase()) ?? fresh).focus?.({ preventScroll: true });
  return fresh;
}
