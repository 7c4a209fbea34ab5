// Talks with the service: JSON both ways, the token of the page with each change, and errors as sentences for people.

/**
 * A code of the codebook.
 * @typedef {{code: string, label: string, definition: string, include: string[],
 *   exclude: {text: string, use: string[]}[]}} Code
 * @typedef {{axis: string, label: string, nothing: string | null, primary: boolean, codes: Code[]}} Axis
 * @typedef {{axes: Axis[], identifiers: {type: string, kind: string}[]}} Codebook
 * @typedef {{start: number, end: number}} Span in code points
 * @typedef {Span & {type: string}} Entity
 * @typedef {Span & {redacted: string, words: Span[]}} Evidence
 * @typedef {{axis: string, code: string, probability: number, decision: string, suggested: boolean,
 *   evidence: Evidence[]}} Suggestion
 * @typedef {{language: string, redacted_text: string, suggestions: Suggestion[], primary: Record<string, string | null>,
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
}

/**
 * Ask the service. Where the token of the page has grown old, because somebody logged in anew in another tab, it is
 * fetched and the request sent once more.
 * @param {string} path
 * @param {object} [body] sent as JSON by POST; without it the request is a GET
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
export async function ask(path, body, headers = {}) {
  try {
    return await askOnce(path, body, headers);
  } catch (problem) {
    if (problem instanceof Problem && problem.code === "request.forged" && (await renewToken())) {
      return askOnce(path, body, headers);
    }
    throw problem;
  }
}

/** @param {string} path @param {object | undefined} body @param {Record<string, string>} headers */
async function askOnce(path, body, headers) {
  const sent = { Accept: "application/json", "Accept-Language": document.documentElement.lang, ...headers };
  /** @type {RequestInit} */
  const options = { headers: sent, credentials: "same-origin", redirect: "error", referrerPolicy: "no-referrer" };
  if (body !== undefined) {
    options.method = "POST";
    options.body = JSON.stringify(body);
    Object.assign(sent, { "Content-Type": "application/json", "X-CSRF-Token": tokenField()?.content ?? "" });
  }
  const reply = await fetch(path, options).catch(() => {
    throw new Problem("network", "", 0, 0);
  });
  return read(reply);
}

/** @param {Response} reply */
async function read(reply) {
  const content = reply.status === 204 ? null : await reply.json().catch(() => null);
  if (reply.ok && (content !== null || reply.status === 204)) return content;
  const wait = TOO_MANY.has(reply.status) ? Number(reply.headers.get("Retry-After")) || 0 : 0;
  throw new Problem(content?.code ?? "unreadable", content?.detail ?? "", reply.status, wait);
}

/** @returns {HTMLMetaElement | null} */
function tokenField() {
  return document.querySelector('meta[name="csrf"]');
}

/** Take the token of the present login from a fresh copy of the page; false where there is none. */
async function renewToken() {
  const reply = await fetch("/", { credentials: "same-origin", referrerPolicy: "no-referrer" }).catch(() => null);
  if (!reply?.ok || reply.redirected) return false;
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  const token = page.querySelector('meta[name="csrf"]')?.getAttribute("content");
  const field = tokenField();
  if (!token || !field) return false;
  field.content = token;
  return true;
}
