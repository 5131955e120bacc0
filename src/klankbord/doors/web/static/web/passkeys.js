// Passkeys: a form with data-passkey asks the browser for one and posts what it says. Without script, or in a browser
// that knows none, the form stays hidden and the other ways in remain.

const bytes = (text) => {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (each) => each.charCodeAt(0));
};
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const known = (list) => (list ?? []).map((each) => ({ ...each, id: bytes(each.id) }));

async function made(options, isAlone) {
  const key = options.publicKey;
  const chosen = { ...key.authenticatorSelection };
  if (isAlone) Object.assign(chosen, { residentKey: "required", requireResidentKey: true, userVerification: "required" });
  const credential = await navigator.credentials.create({
    publicKey: {
      ...key, challenge: bytes(key.challenge), user: { ...key.user, id: bytes(key.user.id) },
      excludeCredentials: known(key.excludeCredentials), authenticatorSelection: chosen,
    },
  });
  return written(credential, {
    attestationObject: text(credential.response.attestationObject),
    transports: credential.response.getTransports?.() ?? [],
  });
}

async function shown(options) {
  const key = options.publicKey;
  const credential = await navigator.credentials.get({
    publicKey: { ...key, challenge: bytes(key.challenge), allowCredentials: known(key.allowCredentials) },
  });
  const { authenticatorData, signature, userHandle } = credential.response;
  return written(credential, {
    authenticatorData: text(authenticatorData), signature: text(signature),
    userHandle: userHandle ? text(userHandle) : null,
  });
}

function written(credential, response) {
  return JSON.stringify({
    type: credential.type, id: credential.id, rawId: text(credential.rawId),
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { clientDataJSON: text(credential.response.clientDataJSON), ...response },
  });
}

async function optionsOf(form) {
  if (!form.dataset.from) return JSON.parse(document.getElementById("passkey-options").textContent);
  const answer = await fetch(form.dataset.from, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  const found = await answer.json();
  return found.request_options ?? found.data?.request_options;
}

for (const form of document.querySelectorAll("[data-passkey]")) {
  form.hidden = !("credentials" in navigator && window.PublicKeyCredential);
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    try {
      const offered = await optionsOf(form);
      form.elements.credential.value = form.dataset.passkey === "create"
        ? await made(offered.creation_options ?? offered, form.elements.passwordless?.checked)
        : await shown(offered.request_options ?? offered);
      form.submit();
    } catch (trouble) {
      form.querySelector("[data-passkey-trouble]").hidden = false;
    }
  });
}
