// HTTP to the hub this page came from: its control endpoints, and TopstepX's REST API with a token.

let user = "user";
let token;

export function actAs(name) {
  user = name;
  token = undefined;
}

/** A token for this page's connections and orders; the hub gives one to whoever sits at this machine. */
export function accessToken() {
  // One question for all who ask at once.
  token ??= post(`/control/token?user=${encodeURIComponent(user)}`)
    .then(texted)
    .catch((error) => {
      token = undefined;
      throw error;
    });
  return token;
}

/** A call of the REST API; one that finds its token bad asks for another, once. */
export async function api(path, body) {
  for (let attempt = 0; ; attempt++) {
    const headers = { authorization: `Bearer ${await accessToken()}`, "content-type": "application/json" };
    const response = await fetch(`/api/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (response.status === 401 && attempt === 0) {
      token = undefined;
      continue;
    }
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status} ${text.slice(0, 200)}`);
    return JSON.parse(text);
  }
}

/** A control endpoint; the answer is JSON where it has any. */
export async function control(path, body, method = "POST") {
  const text = await (method === "GET" ? fetch(`/control/${path}`) : post(`/control/${path}`, body, method)).then(texted);
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return text;
  }
}

function post(path, body, method = "POST") {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  return fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

async function texted(response) {
  const text = await response.text();
  if (!response.ok) throw Object.assign(new Error(text.slice(0, 300) || `HTTP ${response.status}`), { status: response.status });
  return text;
}
