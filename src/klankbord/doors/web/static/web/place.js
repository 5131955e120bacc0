// Who comes back to a list (by the back button, from a conversation, by loading it again) finds it where it was left.

const KEY = "klankbord-place", KEPT = 30 * 60_000, MOST_PAGES = 8;

const key = () => {
  const { view, query } = document.getElementById("listing").dataset;
  return `${view}${query}`;
};
const rows = () => document.querySelectorAll("#rows > .conv").length;

function keep() {
  const scroll = document.getElementById("rows-scroll");
  if (!scroll) return;
  sessionStorage.setItem(KEY, JSON.stringify({ key: key(), top: scroll.scrollTop, count: rows(), at: Date.now() }));
}

/** From one of its own conversations, by the back button, or by loading the page again. */
function comesBack() {
  const how = performance.getEntriesByType("navigation")[0]?.type;
  const from = document.referrer.startsWith(location.origin) ? new URL(document.referrer).pathname : "";
  const here = location.pathname.split("/").slice(0, 3).join("/");
  return how === "back_forward" || how === "reload" || (from !== location.pathname && from.startsWith(`${here}/`));
}

async function restore() {
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem(KEY)); } catch { return; }
  if (!kept || kept.key !== key() || Date.now() - kept.at > KEPT || !comesBack()) return;
  for (let page = 0; page < MOST_PAGES && rows() < kept.count; page += 1) {
    const more = document.querySelector("#rows > .more");
    if (!more) break;
    const url = more.getAttribute("hx-get");
    await window.htmx.ajax("GET", url, { target: more, swap: "outerHTML", source: more });
  }
  document.getElementById("rows-scroll").scrollTop = kept.top;
}

export function begin() {
  addEventListener("pagehide", keep);
  document.getElementById("rows-scroll")?.addEventListener("scrollend", keep);
  if (window.htmx) restore(); else addEventListener("load", restore, { once: true });
}
