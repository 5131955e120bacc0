// Keeps what is on screen up to date: the stream says what changed, the parts are fetched again.

import { announce, get, post, parse } from "./ask.js";
import * as composer from "./composer.js";
import { follow } from "./follow.js";
import { morph, remember } from "./morph.js";

const EVERY = 30_000, SEEN = 15_000, GATHER = 200, LOST_AFTER = 4_000;
const wanted = { list: false, conversation: false };
let timer = 0, lostTimer = 0, wasLost = false;

export const opened = () => document.querySelector("#conversation[data-number]");

export function connect() {
  const url = document.body.dataset.live;
  if (!url || !document.getElementById("listing")) return;
  const stream = new EventSource(url);
  stream.addEventListener("changes", (event) => {
    const here = opened()?.dataset.id;
    const changes = JSON.parse(event.data);
    if (changes.some((change) => !["viewing", "typing", "draft"].includes(change.what))) wanted.list = true;
    const mine = changes.filter((change) => change.conversation === here);
    if (mine.some((change) => change.what === "viewing" || change.what === "typing")) seen();
    if (mine.some((change) => change.what === "draft")) document.dispatchEvent(new CustomEvent("desk:drafts"));
    if (mine.some((change) => !["viewing", "typing", "draft"].includes(change.what))) wanted.conversation = true;
    soon();
  });
  stream.addEventListener("refresh", everything);
  stream.addEventListener("open", () => { clearTimeout(lostTimer); lost(false); });
  stream.addEventListener("error", () => {
    clearTimeout(lostTimer);
    // Closed for good: no stream here, or signed out; the regular look says which.
    if (stream.readyState === EventSource.CLOSED) { setTimeout(connect, 20_000 + Math.random() * 20_000); return; }
    lostTimer = setTimeout(() => lost(true), LOST_AFTER);
  });
  addEventListener("pagehide", () => stream.close());
}

export function everything() {
  wanted.list = wanted.conversation = true;
  soon();
}

export function changed(what) {
  wanted[what] = true;
  soon();
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, GATHER + Math.random() * GATHER);
}

async function refresh() {
  if (document.hidden) return;
  const { list, conversation } = wanted;
  wanted.list = wanted.conversation = false;
  try {
    await Promise.all([list && refreshList(), conversation && refreshConversation()]);
    if (wasLost && navigator.onLine) lost(false);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    lost(true); // fetch could not reach the server
  }
}

async function refreshList() {
  const listing = document.getElementById("listing");
  if (!listing) return;
  const { view, query, since } = listing.dataset;
  const rows = [...listing.querySelectorAll(".conv")].map((row) => row.id.slice(4));
  const address = new URL(`/inbox/${view}/pulse${query}`, location.href);
  address.searchParams.set("known", rows.join(","));
  address.searchParams.set("since", since);
  const part = await get(address);
  if (!part) return;
  document.dispatchEvent(new CustomEvent("desk:pulse", { detail: part }));
  const nav = document.getElementById("nav");
  if (!nav.querySelector("details[open]") && !nav.contains(document.activeElement)) morph(nav, part.getElementById("nav"));
  for (const fresh of [...part.querySelectorAll(".conv")]) {
    const row = document.getElementById(fresh.id);
    if (!row) continue;
    if (row.classList.contains("selected")) {
      fresh.classList.add("selected");
      fresh.querySelector("a").setAttribute("aria-current", "true");
    }
    morph(row, fresh);
  }
  morph(document.getElementById("alarms"), part.getElementById("alarms"));
  const count = document.getElementById("listing-count");
  count.textContent = part.getElementById("listing-count").textContent;
  const arrived = document.getElementById("arrived");
  const fresh = part.getElementById("arrived");
  if (arrived.textContent.trim() !== fresh.textContent.trim() && !new URLSearchParams(query).get("q")) {
    arrived.replaceChildren(...fresh.childNodes);
    arrived.hidden = fresh.dataset.count === "0";
  }
}

export async function refreshConversation() {
  const pane = opened();
  if (!pane) return;
  const { number } = pane.dataset;
  const timeline = document.getElementById("timeline");
  // Of a short conversation everything; of a long one what is on screen, from its oldest message on.
  const isShort = !timeline.querySelector(".older") && timeline.querySelectorAll(".msg, .note").length < 40;
  const oldest = isShort ? "all" : timeline.querySelector(".stretch")?.dataset.from ?? "all";
  const [lines, head] = await Promise.all([
    get(`/conversations/${number}/timeline?from=${encodeURIComponent(oldest)}&new=${timeline.dataset.new}`),
    get(`/conversations/${number}/head`),
  ]);
  if (opened()?.dataset.number !== number) return;
  const fresh = lines?.getElementById("timeline");
  if (fresh) {
    const { newest } = timeline.dataset;
    morph(timeline, fresh, ".older, .stretch");
    if (newest !== timeline.dataset.newest) arrivedInConversation(timeline);
    await follow(number, timeline.dataset.newest);
  }
  const bar = document.getElementById("case-head");
  if (head && bar && !bar.querySelector("details[open]") && !bar.contains(document.activeElement)) {
    const given = head.getElementById("case-head");
    remember(given);
    morph(bar, given);
  }
}

function arrivedInConversation(timeline) {
  const last = [...timeline.querySelectorAll(".msg")].at(-1);
  if (last) announce(last.textContent.replace(/\s+/g, " ").trim().slice(0, 200));
  const { colleague, colleagueMessage } = timeline.dataset;
  const seenField = document.querySelector("#reply-form [name=seen_message]");
  // Who was writing already must confirm; who was not has it on screen now.
  const mustConfirm = colleagueMessage && seenField && colleagueMessage > seenField.value && composer.warn(colleague);
  if (seenField && !mustConfirm) seenField.value = timeline.dataset.newest;
}

function lost(is) {
  wasLost = is;
  const band = document.getElementById("connection");
  const wasShown = band && !band.hidden;
  if (band) band.hidden = !is;
  if (wasShown && !is) everything();
}

/** Say that this conversation is on screen, and learn who else has it. */
export async function seen() {
  const pane = opened();
  if (!pane || document.hidden) return;
  const { number } = pane.dataset;
  try {
    const isTyping = Date.now() - composer.typing.at < 5_000;
    const response = await post(`/conversations/${number}/seen`, new URLSearchParams({ typing: isTyping ? "1" : "0" }));
    if (!response.ok || opened()?.dataset.number !== number) return;
    const fresh = parse(await response.text()).getElementById("presence");
    const place = document.getElementById("presence");
    if (fresh && place && place.textContent.trim() !== fresh.textContent.trim()) place.replaceWith(fresh);
  } catch { lost(true); }
}

export function begin() {
  connect();
  setInterval(everything, EVERY);
  setInterval(seen, SEEN);
  let typed = 0;
  setInterval(() => {
    if (composer.typing.at > typed && Date.now() - composer.typing.at < 3_000) { typed = Date.now(); seen(); }
  }, 3_000);
  addEventListener("online", everything);
  addEventListener("offline", () => lost(true));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { everything(); seen(); } });
}
