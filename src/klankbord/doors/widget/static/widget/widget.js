// One tag on a site:  <script src="…/widget/v1/widget.js" data-klankbord="KEY" async></script>
// It shows a button and, in a frame of its own, the chat. Frame and site exchange a few words, each side checking who
// speaks; neither can read the other. No cookie, no inline style or script, nothing global but `Klankbord`.
(() => {
  "use strict";
  const tag = document.currentScript || document.querySelector("script[data-klankbord]");
  if (!tag || !tag.dataset.klankbord || window.Klankbord) return;
  const home = new URL(tag.src, location.href).origin;
  const given = tag.dataset;
  const language = () => {
    const wanted = given.lang || document.documentElement.lang || navigator.language || "nl";
    return wanted.toLowerCase().startsWith("en") ? "en" : "nl";
  };
  const words = {
    nl: { open: "Stel een vraag", close: "Sluit de chat", frame: "Chat", unread: (n) => `${n} ${n === 1 ? "ongelezen antwoord" : "ongelezen antwoorden"}` },
    en: { open: "Ask a question", close: "Close the chat", frame: "Chat", unread: (n) => `${n} unread ${n === 1 ? "answer" : "answers"}` },
  };
  const say = () => words[language()];

  const style = new CSSStyleSheet();
  style.replaceSync(`
    :host { all: initial; }
    button { position: fixed; right: max(20px, env(safe-area-inset-right)); bottom: max(20px, env(safe-area-inset-bottom)); z-index: 2147483000;
      width: 56px; height: 56px; border: 0; border-radius: 50%; cursor: pointer; display: grid; place-items: center;
      background: var(--accent, #0d6057); color: var(--on-accent, #f8fdfc); box-shadow: 0 2px 10px rgb(0 0 0 / .22); }
    button:focus-visible { outline: 3px solid #2d5fd0; outline-offset: 3px; }
    button:hover { filter: brightness(.94); }
    button svg { width: 26px; height: 26px; fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
    .unseen { position: fixed; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    .count { position: absolute; top: -2px; right: -2px; box-sizing: border-box; min-width: 20px; height: 20px; padding: 0 5px; border-radius: 10px; background: #b3261e; color: #fff;
      font: 600 12px/20px system-ui, sans-serif; text-align: center; }
    iframe { position: fixed; right: max(20px, env(safe-area-inset-right)); bottom: 20px; z-index: 2147483001; width: 380px; height: min(640px, calc(100dvh - 40px));
      border: 0; border-radius: 14px; background: Canvas; box-shadow: 0 0 0 1px rgb(0 0 0 / .12), 0 10px 32px rgb(0 0 0 / .2); color-scheme: normal; }
    [hidden] { display: none !important; }
    @media (max-width: 480px) { iframe { inset: 0; width: 100%; height: 100dvh; border-radius: 0; box-shadow: none; } }
    @media (forced-colors: active) { button { border: 2px solid ButtonText; } }`);

  const host = document.createElement("div");
  const shadow = host.attachShadow({ mode: "open" });
  shadow.adoptedStyleSheets = [style];
  const button = document.createElement("button");
  button.type = "button";
  button.hidden = true;
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", "M4 6.5A1.5 1.5 0 0 1 5.500 5h13A1.500 1.500 0 0 1 20 6.500v8.500a1.500 1.500 0 0 1-1.500 1.500H11l-4.500 3.500v-3.500h-1A1.500 1.500 0 0 1 4 15zM8.500 10.800h.01M12 10.800h.01M15.500 10.800h.01");
  drawing.append(line);
  const count = document.createElement("span");
  count.className = "count";
  count.hidden = true;
  button.append(drawing, count);
  const heard = document.createElement("span"); // tells a screen reader what others see as a number
  heard.className = "unseen";
  heard.setAttribute("role", "status");
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.referrerPolicy = "strict-origin-when-cross-origin";
  frame.src = `${home}/widget/v1/frame?key=${encodeURIComponent(given.klankbord)}`;

  let isReady = false;
  let isOpen = false;
  let wantsOpen = false;
  let returnTo = null;
  const tell = (message) => frame.contentWindow && frame.contentWindow.postMessage({ klankbord: 1, ...message }, home);

  const hello = () => {
    const user = given.userId && given.userSignature
      ? { user_id: given.userId, expires: Number(given.userExpires), signature: given.userSignature }
      : null;
    tell({
      say: "hello", language: language(), theme: given.theme || "", user,
      page: { url: location.origin + location.pathname, title: document.title },
    });
  };

  const open = () => {
    if (!isReady) { wantsOpen = true; return; }
    if (isOpen) return;
    isOpen = true;
    returnTo = document.activeElement;
    frame.hidden = false;
    button.hidden = true;
    hello();
    tell({ say: "shown", covers: matchMedia("(max-width: 480px)").matches });
    frame.focus();
  };

  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    frame.hidden = true;
    button.hidden = Boolean(given.open);
    tell({ say: "hidden" });
    const back = returnTo && returnTo !== document.body && returnTo !== host ? returnTo : button;
    if (back && back.focus) back.focus();
  };

  const label = (unread) => {
    if (String(unread) !== heard.dataset.unread) heard.textContent = unread ? say().unread(unread) : "";
    heard.dataset.unread = String(unread);
    count.hidden = !unread;
    count.textContent = unread > 9 ? "9+" : String(unread);
    button.setAttribute("aria-label", unread ? `${say().open} (${say().unread(unread)})` : say().open);
    frame.title = say().frame;
  };

  window.addEventListener("message", (event) => {
    if (event.origin !== home || event.source !== frame.contentWindow) return;
    const message = event.data;
    if (!message || message.klankbord !== 1) return;
    if (message.say === "ready") {
      isReady = true;
      if (/^#[0-9a-f]{6}$/i.test(message.accent)) {
        button.style.setProperty("--accent", message.accent);
        button.style.setProperty("--on-accent", message.onAccent === "dark" ? "#101418" : "#ffffff");
      }
      if (!isOpen) button.hidden = Boolean(given.open);
      if (wantsOpen) open();
    } else if (message.say === "close") {
      close();
    } else if (message.say === "unread") {
      label(Number(message.count) || 0);
    }
  });
  frame.addEventListener("load", hello);
  button.addEventListener("click", open);
  document.addEventListener("click", (event) => {
    if (!given.open || !(event.target instanceof Element)) return;
    const opener = event.target.closest(given.open);
    if (opener) { event.preventDefault(); open(); }
  });

  const begin = () => {
    label(0);
    shadow.append(button, heard, frame);
    document.body.append(host);
  };
  // The page comes first: the chat loads when the browser has nothing better to do.
  const later = () => ("requestIdleCallback" in window ? requestIdleCallback(begin, { timeout: 3000 }) : setTimeout(begin, 300));
  if (document.readyState === "complete") later();
  else window.addEventListener("load", later, { once: true });

  // For sites that are one long page: `update()` after somebody signed in or out, or moved to another page.
  window.Klankbord = Object.freeze({ open, close, update: hello });
})();
