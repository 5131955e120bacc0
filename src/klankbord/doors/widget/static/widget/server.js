// Short requests to the server. No cookie goes along: whoever acts shows a token.

export class Refused extends Error {
  constructor(status, word, retryAfter) {
    super(word);
    Object.assign(this, { status, word, retryAfter });
  }
}

// Every answer is read to its end, so that its connection is free for the next.
export async function call(token, path, { method = "GET", json, form, headers = {}, isFile = false } = {}) {
  const response = await fetch(path, {
    method,
    credentials: "omit",
    cache: "no-store",
    headers: {
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(json ? { "Content-Type": "application/json" } : {}),
      ...headers,
    },
    body: json ? JSON.stringify(json) : form,
  });
  if (response.ok) return isFile ? response.blob() : response.json();
  const told = await response.json().catch(() => ({}));
  throw new Refused(response.status, told.error || "", Number(response.headers.get("Retry-After")) || 0);
}
