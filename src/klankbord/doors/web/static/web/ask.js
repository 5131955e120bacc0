// Asking the server for parts of the page, outside of htmx.

export const token = () => JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"];

export async function get(url) {
  const response = await fetch(url, { headers: { "HX-Request": "true", "HX-Current-URL": location.href } });
  if (response.status === 401) notice(await response.text());
  return response.ok ? parse(await response.text()) : null;
}

/** Gives the response; throws only when there is no connection. */
export function post(url, body) {
  const headers = { "HX-Request": "true", "HX-Current-URL": location.href, "X-CSRFToken": token() };
  return fetch(url, { method: "POST", headers, body, keepalive: !(body instanceof FormData) });
}

export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

export function notice(html) {
  const shown = document.getElementById("notices");
  if (!shown) return;
  if ([...shown.children].some((each) => each.textContent === parse(html).textContent)) return;
  shown.append(parse(html));
}

export function announce(words) {
  const place = document.getElementById("announcer");
  if (place) place.textContent = words;
}
