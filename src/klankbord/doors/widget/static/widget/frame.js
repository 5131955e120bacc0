// The chat in its frame: draws what the visitor may read, keeps what they wrote until it has arrived.
import { CROSS, LETTER, PAPER, ROBOT, bubble, element, hue, icon, isBright, replaceChanged } from "./drawing.js";
import { Line } from "./line.js";
import { Refused, call as request } from "./server.js";
import { Slot } from "./slot.js";
import { words } from "./words.js";

const settings = JSON.parse(document.getElementById("settings").textContent);
const $ = (id) => document.getElementById(id);
const chat = document.querySelector(".chat");
const line = new Line();

let language = "nl";
let page = { url: "", title: "" };
let identity = null;
let parentOrigin = "";
let token = "";
let isShown = false;
let hasEmail = false;
let isAddressAsked = false;
let isSilent = false; // nobody answered for a while
let isTyping = false;
let typingEnds = 0;
let messages = []; // as the server tells them, oldest first
let hasEarlier = false;
let outgoing = []; // {clientId, text, files, state: "sending" | "waiting" | "failed"} not yet in `messages`
let chosen = []; // {id, name, key}
let starting = null;
let nudge = 0;
let coversPage = false; // on a phone there is nothing else to go to
let heard = null; // ids of answers that were told or seen; null: nothing was fetched yet
const openedAt = Date.now();
const pictures = new Map();

const say = (name, ...more) => {
  const found = words[language][name];
  return typeof found === "function" ? found(...more) : found;
};

// ---------------------------------------------------------------------------------------- what the browser keeps

const slot = new Slot(`klankbord:${settings.key}`);
const userOf = (who) => (who ? who.user_id : "");

let seenAt = "";
const noteSeen = (at) => {
  if (at > seenAt) seenAt = at;
  if (token && slot.read().token) slot.write({ seenAt });
};

// ---------------------------------------------------------------------------------------- who is here

function meet(message) {
  const former = userOf(identity);
  language = message.language === "en" ? "en" : "nl";
  page = message.page && typeof message.page.url === "string" ? message.page : page;
  identity = message.user && message.user.user_id ? message.user : null;
  document.documentElement.lang = language;
  dress(message.theme);
  const kept = slot.read();
  // Somebody else than who chatted here: on a shared computer nobody may find the chat of who was here before.
  const isOther = (kept.token && (kept.user || "") !== userOf(identity)) || (token && former !== userOf(identity));
  if (isOther) forget();
  else if (!token && kept.token) {
    token = kept.token;
    seenAt = kept.seenAt || "";
  }
  translate();
  chat.hidden = false;
  tellParent({ say: "ready", accent: settings.accent, onAccent: isBright(settings.accent) ? "dark" : "light" });
  if (token) follow();
  draw();
}

function forget() {
  slot.clear();
  line.stop();
  token = "";
  seenAt = "";
  messages = [];
  outgoing = [];
  chosen = [];
  hasEmail = false;
  isAddressAsked = isSilent = false;
  starting = heard = null;
}

function tellParent(message) {
  if (window.parent !== window && parentOrigin) window.parent.postMessage({ klankbord: 1, ...message }, parentOrigin);
}

window.addEventListener("message", (event) => {
  if (event.source !== window.parent || !settings.origins.includes(event.origin)) return;
  const message = event.data;
  if (!message || message.klankbord !== 1) return;
  parentOrigin = event.origin;
  if (message.say === "hello") meet(message);
  else if (message.say === "shown") {
    isShown = true;
    coversPage = message.covers === true;
    if (identity && !token) start().then(follow, () => {});
    $("text").focus();
    toEnd();
    reportRead();
  } else if (message.say === "hidden") isShown = false;
});

// ---------------------------------------------------------------------------------------- talking to the server

const REFUSED = { 400: "invalid", 403: "refused", 413: "tooLarge", 422: "invalid" };

const call = (path, options) => request(token, path, options);
const isTooFast = (error) => error instanceof Refused && error.status === 429;
const inWords = (seconds) => (seconds < 90 ? say("seconds", seconds) : say("minutes", Math.ceil(seconds / 60)));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function start() {
  if (token) return;
  starting ||= (async () => {
    for (;;) {
      try {
        const made = await call("conversations", {
          method: "POST",
          json: { key: settings.key, stamp: settings.stamp, website: $("website").value, identity },
        });
        token = made.token;
        heard = new Set(); // who is new here has nothing behind them: every answer is news
        return;
      } catch (error) {
        // Somebody who types at once is quicker than a machine may be; all other waits are told.
        if (!isTooFast(error) || error.retryAfter > 2) throw error;
        await pause(error.retryAfter * 1000);
      }
    }
  })().finally(() => { starting = null; });
  await starting;
}

function follow() {
  line.follow({
    token,
    onNews: fetchHistory,
    onState: (isUp) => notice(isUp ? "" : say("offline")),
    onLost: () => { forget(); draw(); },
  });
}

let isFetching = false;
let wantsFetch = false;

async function fetchHistory() {
  if (isFetching) { wantsFetch = true; return; }
  isFetching = true;
  try {
    const mine = token;
    const told = await call("history");
    if (mine === token) take(told);
  } catch (error) {
    if (error instanceof Refused && error.status === 404) { forget(); draw(); }
  } finally {
    isFetching = false;
    if (wantsFetch) { wantsFetch = false; fetchHistory(); }
  }
}

function take(told) {
  const first = told.messages.length ? told.messages[0].at : "";
  const kept = messages.filter((each) => first && each.at < first && !told.messages.some((other) => other.id === each.id));
  if (!kept.length) hasEarlier = told.earlier;
  messages = [...kept, ...told.messages];
  hasEmail = told.has_email;
  showTyping(told.typing);
  const arrived = new Set(messages.map((each) => each.client_id).filter(Boolean));
  outgoing = outgoing.filter((each) => !arrived.has(each.clientId));
  draw();
  announce();
  reportRead();
}

// A screen reader hears each answer once, however often the log is drawn; the log itself keeps silent.
function announce() {
  const ours = messages.filter((each) => each.from === "us");
  const news = heard ? ours.filter((each) => !heard.has(each.id) && !each.withdrawn) : [];
  heard = new Set([...(heard || []), ...ours.map((each) => each.id)]);
  if (news.length) tell(news.map((each) => [`${each.author || settings.site}:`, each.text, ...each.files.map((file) => file.name)].join(" ")));
}

function tell(sentences) {
  $("told").replaceChildren(...sentences.map((each) => element("p", "", each)));
}

// Nobody says that typing has stopped: it fades by itself.
function showTyping(isShownNow) {
  clearTimeout(typingEnds);
  isTyping = isShownNow;
  if (isTyping) typingEnds = setTimeout(() => { isTyping = false; draw(); }, 9000);
}

async function fetchEarlier() {
  const told = await call(`history?before=${encodeURIComponent(messages[0].id)}`);
  hasEarlier = told.earlier;
  messages = [...told.messages, ...messages];
  const before = $("log").scrollHeight;
  draw(false);
  $("log").scrollTop += $("log").scrollHeight - before;
}

// ---------------------------------------------------------------------------------------- writing

const newId = () => (crypto.randomUUID ? crypto.randomUUID() : [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join(""));

async function submit() {
  const text = $("text").value.trim();
  const files = chosen.filter((each) => each.id);
  if (chosen.some((each) => !each.id) || (!text && !files.length)) return;
  if (text.length > settings.mostCharacters) return wrong(say("tooLong", settings.mostCharacters));
  if (settings.asksEmail && !hasEmail && !token) {
    if (!(await saveAddress())) return;
  }
  wrong("");
  outgoing.push({ clientId: newId(), text, files, state: "sending", at: new Date().toISOString() });
  $("text").value = "";
  chosen = [];
  grow();
  setTyping(false);
  draw();
  deliver();
}

let isDelivering = false;

async function deliver() {
  if (isDelivering) return;
  isDelivering = true;
  try {
    for (let each; (each = outgoing.find((one) => one.state !== "failed" && one.state !== "sent")); ) {
      if (!(await deliverOne(each))) break;
    }
  } finally {
    isDelivering = false;
  }
}

// One after the other, and each until it has arrived: the same id every time, so that it never counts twice.
async function deliverOne(each) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await start();
      await call("messages", {
        method: "POST",
        headers: { "Idempotency-Key": each.clientId },
        json: { text: each.text, files: each.files.map((file) => file.id), language, page },
      });
      each.state = "sent";
      if (!slot.read().token) slot.write({ token, user: userOf(identity), seenAt });
      if (line.token !== token) follow();
      if (!slot.isKept) notice(say("notKept"));
      tell([say("sent")]);
      draw();
      watchForSilence();
      return true;
    } catch (error) {
      if (error instanceof Refused && error.status !== 429 && error.status < 500) {
        if (error.status === 404 && token && attempt === 0 && !each.files.length) { token = ""; slot.clear(); continue; }
        each.state = "failed";
        wrong(say(REFUSED[error.status] || "refused"));
        draw();
        return true;
      }
      each.state = isTooFast(error) ? "slow" : "waiting";
      each.wait = error.retryAfter || 0;
      draw();
      const wait = error.retryAfter || Math.min(30, 2 ** attempt);
      await Promise.race([pause(wait * 1000), new Promise((done) => window.addEventListener("online", done, { once: true }))]);
    }
  }
}

async function choose(list) {
  for (const file of list) {
    if (chosen.length >= settings.mostFiles) return wrong(say("tooManyFiles", settings.mostFiles));
    if (file.size > settings.mostFileBytes) { wrong(say("fileTooLarge", file.name)); continue; }
    const entry = { id: "", name: file.name, key: newId() };
    chosen.push(entry);
    drawChosen();
    try {
      await start();
      const form = new FormData();
      form.append("file", file);
      entry.id = (await call("attachments", { method: "POST", form })).id;
      tell([say("attached", file.name)]);
    } catch (error) {
      chosen = chosen.filter((each) => each !== entry);
      if (isTooFast(error)) wrong(say("fileSlow", inWords(error.retryAfter)));
      else wrong(say(error instanceof Refused && error.status === 413 ? "fileTooLarge" : "fileFailed", file.name));
    }
    drawChosen();
  }
}

async function saveAddress() {
  const email = $("email").value.trim();
  if (!$("email").checkValidity() || !email) {
    $("email-wrong").textContent = say("emailWrong");
    $("email-wrong").hidden = false;
    $("email").setAttribute("aria-invalid", "true");
    $("email").focus();
    return false;
  }
  try {
    await start();
    await call("email", { method: "POST", json: { email } });
  } catch (error) {
    const isWrong = error instanceof Refused && error.status === 422;
    $("email-wrong").textContent = isTooFast(error) ? say("tryIn", inWords(error.retryAfter)) : say(isWrong ? "emailWrong" : "tryLater");
    $("email-wrong").hidden = false;
    return false;
  }
  hasEmail = true;
  isAddressAsked = false;
  $("email-wrong").hidden = true;
  $("email").removeAttribute("aria-invalid");
  draw();
  return true;
}

// Nobody answered for a while: offer the mail, once.
function watchForSilence() {
  clearTimeout(nudge);
  nudge = setTimeout(() => {
    const last = messages[messages.length - 1];
    if (settings.mails && !hasEmail && last && last.from === "you") {
      isAddressAsked = isSilent = true;
      draw();
    }
  }, 180_000);
}

// ---------------------------------------------------------------------------------------- typing and reading

let saidTyping = 0;
let stopsTyping = 0;

function setTyping(isWriting) {
  clearTimeout(stopsTyping);
  if (!token || (!isWriting && !saidTyping)) return;
  const now = Date.now();
  if (isWriting) {
    stopsTyping = setTimeout(() => setTyping(false), 6000);
    if (now - saidTyping < 5000) return;
  }
  saidTyping = isWriting ? now : 0;
  call("typing", { method: "POST", json: { typing: isWriting } }).catch(() => {});
}

let reported = "";

function reportRead() {
  const ours = messages.filter((each) => each.from === "us");
  const last = ours[ours.length - 1];
  const isReading = isShown && document.visibilityState === "visible";
  if (last && isReading) {
    noteSeen(last.at);
    if (reported !== last.id) {
      reported = last.id;
      call("read", { method: "POST", json: { up_to: last.id } }).catch(() => { reported = ""; });
    }
  }
  tellParent({ say: "unread", count: isReading ? 0 : ours.filter((each) => each.at > seenAt).length });
}

// ---------------------------------------------------------------------------------------- drawing

const locale = () => (language === "en" ? "en-GB" : "nl-NL");
const clock = (at) => new Date(at).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
const dayOf = (at) => new Date(at).toLocaleDateString(locale(), { weekday: "long", day: "numeric", month: "long" });
const isPicture = (file) => /^image\/(png|jpeg|gif|webp)$/.test(file.type);

function drawFile(file) {
  const drawn = element("button", isPicture(file) ? "file picture" : "file");
  drawn.type = "button";
  drawn.setAttribute("aria-label", say("file", file.name));
  if (isPicture(file)) showPicture(drawn, file);
  else drawn.append(icon(PAPER), element("span", "", file.name));
  drawn.addEventListener("click", () => save(file));
  return drawn;
}

async function fetchFile(file) {
  if (!pictures.has(file.id)) {
    const data = await call(`attachments/${file.id}`, { isFile: true });
    pictures.set(file.id, URL.createObjectURL(data));
  }
  return pictures.get(file.id);
}

async function showPicture(holder, file) {
  const picture = element("img");
  picture.alt = file.name;
  try {
    picture.src = await fetchFile(file);
    holder.append(picture);
    await picture.decode();
    toEnd();
  } catch {
    holder.className = "file";
    holder.replaceChildren(icon(PAPER), element("span", "", file.name));
  }
}

async function save(file) {
  try {
    const link = element("a");
    link.href = await fetchFile(file);
    link.download = file.name;
    link.click();
  } catch {
    wrong(say("tryLater"));
  }
}

function drawOurs(message, former) {
  const drawn = element("article", "msg");
  const isSame = former && former.from === "us" && former.author === message.author && former.kind === message.kind;
  const face = element("span", isSame ? "face same" : message.author ? `face f${hue(message.author)}` : "face");
  face.setAttribute("aria-hidden", "true");
  if (message.author) face.textContent = [...message.author][0].toUpperCase();
  else face.append(icon(ROBOT));
  drawn.append(face);
  const by = element("span", isSame ? "by unseen" : "by");
  by.append(element("b", "", message.author || settings.site));
  if (!message.author) by.append(element("span", "", say("automatic")));
  const time = element("time", "", clock(message.at));
  time.dateTime = message.at;
  by.append(time);
  drawn.append(by);
  return drawn;
}

function drawMessage(message, former) {
  const drawn = message.from === "us" ? drawOurs(message, former) : element("article", "msg you");
  if (message.from === "you") drawn.append(element("span", "unseen", `${say("you")}, ${clock(message.at)}`));
  if (message.withdrawn) drawn.append(element("p", "bubble gone", say("withdrawn")));
  else if (message.text) drawn.append(bubble(message.text));
  drawn.append(...message.files.map(drawFile));
  return drawn;
}

function drawOutgoing(each) {
  const drawn = element("article", "msg you");
  if (each.text) drawn.append(bubble(each.text));
  for (const file of each.files) {
    const chip = element("span", "file");
    chip.append(icon(PAPER), element("span", "", file.name));
    drawn.append(chip);
  }
  const state = element("span", each.state === "failed" ? "state failed" : "state", say(each.state, inWords(each.wait || 0)));
  if (each.state === "failed") {
    const again = element("button", "link", say("again"));
    again.type = "button";
    again.addEventListener("click", () => { each.state = "sending"; draw(); deliver(); });
    state.append(" ", again);
  }
  if (each.state !== "sent") drawn.append(state);
  return drawn;
}

function drawTyping() {
  const drawn = element("p", "typing");
  const dots = element("span", "dots");
  dots.setAttribute("aria-hidden", "true");
  dots.append(element("i"), element("i"), element("i"));
  drawn.append(dots, element("span", "unseen", say("typing")));
  return drawn;
}

function draw(follows = true) {
  const log = $("log");
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  const drawn = [];
  if (hasEarlier) {
    const earlier = element("button", "link earlier", say("earlier"));
    earlier.type = "button";
    earlier.addEventListener("click", fetchEarlier);
    drawn.push(earlier);
  }
  if (settings.welcome && !hasEarlier) {
    const hello = { from: "us", author: "", kind: "system", text: settings.welcome, at: messages.length ? messages[0].at : new Date(openedAt).toISOString(), files: [] };
    const greeting = drawMessage(hello);
    greeting.querySelector("time").remove();
    drawn.push(greeting);
  }
  const today = dayOf(new Date());
  messages.forEach((message, place) => {
    const former = messages[place - 1];
    const day = dayOf(message.at);
    if (former ? dayOf(former.at) !== day : day !== today) drawn.push(element("div", "day", day === today ? say("today") : day));
    drawn.push(drawMessage(message, former));
  });
  drawn.push(...outgoing.map(drawOutgoing));
  if (isSilent && !hasEmail) drawn.push(element("p", "aside", say("silence")));
  if (isTyping) drawn.push(drawTyping());
  replaceChanged(log, drawn);
  drawChosen();
  drawFoot();
  if (follows && (isAtEnd || outgoing.some((each) => each.state === "sending"))) toEnd();
}

function drawChosen() {
  const holder = $("chosen");
  holder.hidden = !chosen.length;
  replaceChanged(holder, chosen.map((each) => {
    const item = element("li");
    item.dataset.key = each.key; // two files may have one name
    item.append(element("span", "", each.id ? each.name : say("uploading", each.name)));
    const off = element("button", "plain");
    off.type = "button";
    off.setAttribute("aria-label", say("remove", each.name));
    off.append(icon(CROSS));
    off.addEventListener("click", () => { chosen = chosen.filter((other) => other !== each); drawChosen(); $("text").focus(); });
    item.append(off);
    return item;
  }));
  const isEmpty = !$("text").value.trim() && !chosen.some((each) => each.id);
  $("send").setAttribute("aria-disabled", String(isEmpty || chosen.some((each) => !each.id)));
}

function drawFoot() {
  const isAsking = isAddressAsked || (settings.asksEmail && !token);
  $("address").hidden = hasEmail || !isAsking;
  $("email-save").hidden = $("email-not").hidden = settings.asksEmail && !token;
  const foot = $("foot");
  const isQuiet = !settings.mails || isAsking || (!messages.length && !outgoing.length); // promise what can be kept
  if (hasEmail && settings.mails) replaceChanged(foot, [icon(LETTER), element("span", "", say("mailed"))]);
  else if (isQuiet) foot.replaceChildren();
  else {
    const ask = element("button", "link", say("byMail"));
    ask.type = "button";
    ask.addEventListener("click", () => { isAddressAsked = true; draw(); $("email").focus(); });
    replaceChanged(foot, [icon(LETTER), element("span", "", say("leaving")), ask]);
  }
}

function wrong(sentence) {
  $("wrong").textContent = sentence;
  $("wrong").hidden = !sentence;
}

function notice(sentence) {
  const shown = sentence || (slot.isKept ? "" : say("notKept"));
  $("notice").textContent = shown;
  $("notice").hidden = !shown;
}

function toEnd() {
  $("log").scrollTop = $("log").scrollHeight;
}

let wasAtEnd = true;
$("log").addEventListener("scroll", () => { wasAtEnd = $("log").scrollHeight - $("log").scrollTop - $("log").clientHeight < 60; });
new ResizeObserver(() => { if (wasAtEnd) toEnd(); }).observe($("log"));

function grow() {
  const text = $("text");
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, 140)}px`;
}

function translate() {
  for (const each of document.querySelectorAll("[data-say]")) each.textContent = say(each.dataset.say);
  for (const each of document.querySelectorAll("[data-name]")) each.setAttribute("aria-label", say(each.dataset.name));
  if (!settings.mails) document.querySelector("label[for=email]").textContent = say("emailPlain");
  for (const each of document.querySelectorAll("[data-hint]")) each.placeholder = say(each.dataset.hint);
  document.querySelector(".mark").textContent = [...settings.site][0].toUpperCase();
}

const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function dress(theme) {
  document.documentElement.classList.toggle("dark", theme ? theme === "dark" : prefersDark.matches);
  if (settings.accent) {
    document.documentElement.style.setProperty("--accent", settings.accent);
    document.documentElement.style.setProperty("--on-accent", isBright(settings.accent) ? "#101418" : "#ffffff");
  }
}

// ---------------------------------------------------------------------------------------- hands

$("write").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
$("address").addEventListener("submit", (event) => { event.preventDefault(); saveAddress().then((saved) => saved && $("text").focus()); });
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
});
$("text").addEventListener("input", () => { grow(); drawChosen(); setTyping(Boolean($("text").value)); wrong(""); });
$("text").addEventListener("paste", (event) => {
  if (event.clipboardData && event.clipboardData.files.length) { event.preventDefault(); choose([...event.clipboardData.files]); }
});
$("choose").addEventListener("click", () => $("files").click());
$("files").addEventListener("change", () => { choose([...$("files").files]); $("files").value = ""; });
$("close").addEventListener("click", () => tellParent({ say: "close" }));
$("email-not").addEventListener("click", () => {
  isAddressAsked = isSilent = false;
  $("email-wrong").hidden = true;
  $("email").removeAttribute("aria-invalid");
  draw();
  $("text").focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") tellParent({ say: "close" });
  else if (event.key === "Tab" && coversPage) stayInside(event);
});
// On a phone the page lies behind the chat: Tab goes round instead of onto what nobody sees.
function stayInside(event) {
  const stops = [...document.querySelectorAll("button, input, textarea, a[href], [tabindex='0']")]
    .filter((each) => each.tabIndex >= 0 && each.getClientRects().length);
  const [from, to] = event.shiftKey ? [stops[0], stops[stops.length - 1]] : [stops[stops.length - 1], stops[0]];
  if (document.activeElement !== from) return;
  event.preventDefault();
  to.focus();
}
document.addEventListener("visibilitychange", () => { line.visible(document.visibilityState === "visible"); reportRead(); });
window.addEventListener("online", () => { line.wake(); deliver(); });

// Opened as a page of its own, without a site around it.
if (window.parent === window) {
  isShown = true;
  $("close").hidden = true;
  meet({ language: navigator.language.startsWith("en") ? "en" : "nl", theme: "", user: null });
}
