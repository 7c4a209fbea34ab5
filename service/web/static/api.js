// Talks with the service: JSON both ways, the token of the page with each change, and errors as sentences for people.

/**
 * A code of the codebook.
 * @typedef {{code: string, label: string, definition: string, include: string[],
 *   exclude: {text: string, use: string[]}[]}} Code
 * @typedef {{axis: string, label: string, nothing: string | null, primary: boolean, codes: Code[]}} Axis
 * @typedef {{codebook: string, version: string, axes: Axis[], identifiers: {type: string, kind: string}[]}} Codebook
 * @typedef {{start: number, end: number}} Span in code points
 * @typedef {Span & {type: string}} Entity
 * @typedef {Span & {redacted: string, words: Span[]}} Evidence
 * @typedef {{axis: string, code: string, probability: number, decision: string, suggested: boolean,
 *   evidence: Evidence[]}} Suggestion
 * @typedef {{codebook: string, language: string, redacted_text: string, suggestions: Suggestion[], primary: Record<string, string | null>,
 *   not_a_violation: number | null, entities: Entity[], doubts: Span[], withheld: boolean,
 *   receipt: string | null}} Answer
 */

const TOO_MANY = new Set([429, 503]);

/** What went wrong, with the problem's code; `network` where no answer came at all. */
export class Problem extends Error {
  /** @param {string} code @param {string} detail @param {number} status @param {number} wait seconds to wait, or 0 */
  constructor(code, detail, status, wait) {
    super(detail);
    this.code = code;
    this.status = status;
    this.wait = wait;
  }

  /** Whether a new login would help. */
  get isLogin() {
    return this.status === 401 || this.code === "request.forged";
  }

  /** Whether somebody else has logged in since the page was loaded: what stands in it is not theirs to save. */
  get isOtherPerson() {
    return this.code === "request.other_person";
  }
}

/**
 * Ask the service. Where the token of the page has grown old, because the same person logged in anew in another tab, it
 * is fetched and the request sent once more; of anybody else the service takes nothing from this page.
 * @param {string} path
 * @param {object} [body] sent as JSON by POST; without it the request is a GET
 * @param {Record<string, string>} [headers]
 * @param {RequestInit} [more] such as another method
 * @returns {Promise<any>}
 */
export async function ask(path, body, headers = {}, more = {}) {
  try {
    return await askOnce(path, body, headers, more);
  } catch (problem) {
    if (problem instanceof Problem && problem.code === "request.forged" && (await renewToken())) {
      return askOnce(path, body, headers, more);
    }
    throw problem;
  }
}

/** @param {string} path @param {object | undefined} body @param {Record<string, string>} headers @param {RequestInit} more */
async function askOnce(path, body, headers, more) {
  const sent = { ...standing(), ...headers };
  /** @type {RequestInit} */
  const options = { headers: sent, credentials: "same-origin", redirect: "error", referrerPolicy: "no-referrer" };
  if (body !== undefined) {
    options.method = "POST";
    options.body = JSON.stringify(body);
    Object.assign(sent, { "Content-Type": "application/json", ...ours() });
  }
  Object.assign(options, more);
  const reply = await fetch(path, options).catch(() => {
    throw new Problem("network", "", 0, 0);
  });
  return read(reply);
}

/** What each request says of the page's reader. */
const standing = () => ({ Accept: "application/json", "Accept-Language": document.documentElement.lang });

/** What shows that a change comes from this page, and whose it is. */
const ours = () => ({
  "X-CSRF-Token": field("csrf")?.content ?? "",
  "X-Casecoder-Person": field("person")?.content ?? "",
});

/**
 * Send a file as it is; `fetch` does not tell how far it is.
 * @param {string} path @param {File} file @param {(share: number) => void} progress
 * @param {"POST" | "PUT"} [method] @returns {Promise<any>}
 */
export function send(path, file, progress, method = "POST") {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, path);
    const name = { "Content-Type": "application/octet-stream", "X-File-Name": encodeURIComponent(file.name) };
    for (const [key, value] of Object.entries({ ...standing(), ...name, ...ours() })) request.setRequestHeader(key, value);
    request.upload.addEventListener("progress", (event) => progress(event.total ? event.loaded / event.total : 0));
    request.addEventListener("error", () => reject(new Problem("network", "", 0, 0)));
    request.addEventListener("load", () => {
      const reply = new Response(request.status === 204 ? null : request.responseText, { status: request.status });
      read(reply).then(resolve, reject);
    });
    request.send(file);
  });
}

/** @param {Response} reply */
async function read(reply) {
  const content = reply.status === 204 ? null : await reply.json().catch(() => null);
  if (reply.ok && (content !== null || reply.status === 204)) return content;
  const wait = TOO_MANY.has(reply.status) ? Number(reply.headers.get("Retry-After")) || 0 : 0;
  throw new Problem(content?.code ?? "unreadable", content?.detail ?? "", reply.status, wait);
}

/** @param {"csrf" | "person"} name @returns {HTMLMetaElement | null} */
function field(name) {
  return document.querySelector(`meta[name="${name}"]`);
}

/** Take the token of the present login from a fresh copy of the page; false where there is none. */
async function renewToken() {
  const reply = await fetch("/", { credentials: "same-origin", referrerPolicy: "no-referrer" }).catch(() => null);
  if (!reply?.ok || reply.redirected) return false;
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  const token = page.querySelector('meta[name="csrf"]')?.getAttribute("content");
  const mine = field("csrf");
  if (!token || !mine) return false;
  mine.content = token;
  return true;
}
