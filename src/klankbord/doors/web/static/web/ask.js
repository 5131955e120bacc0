// Asking the server for parts of the page, outside of htmx.

/** Headers of every request: the token against forgery, and which organisation this page is of. */
const headers = () => ({
  ...JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"),
  "HX-Request": "true", "HX-Current-URL": location.href,
});

export async function get(url) {
  const response = await fetch(url, { headers: headers() });
  if (response.status === 401 || response.status === 409) notice(await response.text());
  return response.ok ? parse(await response.text()) : null;
}

/** Gives the response; throws only when there is no connection. */
export function post(url, body) {
  return fetch(url, { method: "POST", headers: headers(), body, keepalive: !(body instanceof FormData) });
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
