// Small parts of a chat, drawn without markup in strings: whatever people write stays text.

export function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "path");
  drawn.setAttribute("d", path);
  svg.append(drawn);
  return svg;
}

export const ROBOT = "M7 8.500h10a2.500 2.500 0 0 1 2.500 2.500v6a2.500 2.500 0 0 1-2.500 2.500H7A2.500 2.500 0 0 1 4.500 17v-6A2.500 2.500 0 0 1 7 8.500zM12 8.500V5M9 13.500h.01M15 13.500h.01M9.500 16.500h5";
export const PAPER = "M7 3.500h7l4 4v13H7zM14 3.500v4h4";
export const LETTER = "M4 6h16v12H4zM4 7l8 6 8-6";
export const CROSS = "M6 6l12 12M18 6L6 18";
const LINK = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}']/g;

export function bubble(text) {
  const drawn = element("p", "bubble");
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    drawn.append(text.slice(at, match.index));
    const link = element("a", "", match[0]);
    link.href = match[0];
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    drawn.append(link);
    at = match.index + match[0].length;
  }
  drawn.append(text.slice(at));
  return drawn;
}

export function hue(name) {
  return (([...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 7) + 1).toString();
}

export function isBright(colour) {
  if (!colour) return false;
  const [r, g, b] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.3;
}

// Only what differs is replaced, so that whoever stands on something with the keyboard stays there.
const drawnAs = new WeakMap();

export function replaceChanged(holder, drawn) {
  drawn.forEach((each, place) => {
    const former = holder.children[place];
    const html = each.outerHTML;
    if (former && drawnAs.get(former) === html) return;
    drawnAs.set(each, html);
    if (former) former.replaceWith(each);
    else holder.append(each);
  });
  while (holder.children.length > drawn.length) holder.lastChild.remove();
}
