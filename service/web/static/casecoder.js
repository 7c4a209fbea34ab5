/**
 * <casecoder-suggestions>: suggestions for any form that has a text field, without a framework. One file, nothing else
 * is loaded; nothing is kept in the browser.
 *
 *   <textarea id="description"></textarea>
 *   <casecoder-suggestions for="description" server="https://casecoder.example" language="ru" key="cck_…"
 *     target-violation="violations"></casecoder-suggestions>
 *   <input id="violations">
 *   <script type="module" src="https://casecoder.example/static/casecoder.js"></script>
 *
 * Attributes
 *   for            id of the textarea that is watched. It is read and never changed.
 *   server         where the service is; by default where this file came from.
 *   language       of labels and buttons: en or ru; by default that of the page.
 *   text-language  of the narrative, as an ISO 639-1 code; recognized if not given.
 *   country        where the case happened, if known.
 *   key            an access key with the scope `reactor`. Whoever can read the page can read the key: on a page of the
 *                  service itself leave it out, the login of the page is used; elsewhere prefer a proxy on your own
 *                  server that adds it.
 *   target-AXIS    id of a text field (of `target-violation`, `target-perpetrator`, `target-population`) that accepted
 *                  codes are written into, joined by `;`. Codes that stand there already stay.
 *
 * Events, on the element and bubbling, with `detail` {axis, code, label, probability}
 *   casecoder-accept  the person accepted a code
 *   casecoder-reject  the person rejected a code, or took an accepted one back
 *
 * Looks: the custom properties --casecoder-accent, --casecoder-ink, --casecoder-surface and --casecoder-line; the parts
 * `chip` and `status`.
 *
 * On a page of another site (a DHIS2 custom form, say) the service must allow that site by CORS, and a Content Security
 * Policy of the page must allow the service under script-src and connect-src. Texts go to the service as they are typed,
 * so use HTTPS. The element only asks for suggestions: nothing is stored by it.
 */

const PAUSE = 600; // milliseconds after the last key
const LEAST = 15; // characters before anything is asked

const SENTENCES = {
  en: {
    accept: "Accept",
    reject: "Reject",
    review: "Also possible",
    none: "No suggestions.",
    busy: "Reading the text…",
    offline: "No connection to the service.",
    failed: "That did not work (error {status}).",
    again: "Try again",
    region: "Suggested codes",
    count: { one: "{n} suggestion", other: "{n} suggestions" },
    likely: ["very likely", "likely", "rather likely", "possible"],
  },
  ru: {
    accept: "Принять",
    reject: "Отклонить",
    review: "Возможно также",
    none: "Подсказок нет.",
    busy: "Читаем текст…",
    offline: "Нет связи со службой.",
    failed: "Не получилось (ошибка {status}).",
    again: "Ещё раз",
    region: "Подсказанные коды",
    count: { one: "{n} подсказка", few: "{n} подсказки", many: "{n} подсказок", other: "{n} подсказки" },
    likely: ["очень вероятно", "вероятно", "скорее вероятно", "возможно"],
  },
};

const LOOKS = new CSSStyleSheet();
LOOKS.replaceSync(`
  :host {
    display: block; margin: 0.5rem 0; font: inherit; color: var(--casecoder-ink, inherit);
    --accent: var(--casecoder-accent, #0b5e73); --surface: var(--casecoder-surface, transparent);
    --line: var(--casecoder-line, #7b858d);
  }
  :host([hidden]), [hidden] { display: none !important; }
  h3 { margin: 0.6rem 0 0.3rem; font-size: 1em; }
  ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.4rem; }
  li { padding: 0.5rem 0.6rem; border: 1px solid var(--line); border-radius: 0.4rem; background: var(--surface); }
  li p { margin: 0 0 0.3rem; }
  li.accepted { border-color: var(--accent); border-width: 2px; }
  li.rejected strong { text-decoration: line-through; }
  button {
    min-height: 2.75rem; padding: 0.3rem 0.8rem; margin-right: 0.4rem; border: 1px solid var(--accent);
    border-radius: 0.35rem; background: transparent; color: var(--accent); font: inherit; font-weight: 600;
    cursor: pointer;
  }
  button[aria-pressed="true"]::before { content: "✓ "; }
  button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
  .status { margin: 0.3rem 0; }
  @media (prefers-color-scheme: dark) {
    :host { --accent: var(--casecoder-accent, #7fcbdf); --line: var(--casecoder-line, #8b969e); }
  }
`);

/**
 * @typedef {{axis: string, code: string, probability: number, suggested: boolean}} Suggestion
 * @typedef {{axis: string, label: string, codes: {code: string, label: string}[]}} Axis
 */

/** An answer of the service that is an error, in words for people. */
class Refused extends Error {}

/** Suggestions beside a text field; see the top of this file. */
export class CasecoderSuggestions extends HTMLElement {
  /** @type {HTMLTextAreaElement | null} */
  #field = null;
  /** @type {Map<string, "accepted" | "rejected">} */
  #marks = new Map();
  /** @type {Axis[] | null} */
  #axes = null;
  #codebook = "";
  #timer = 0;
  /** @type {AbortController | null} */
  #asking = null;
  #typed = () => this.#changed();

  connectedCallback() {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [LOOKS];
    const status = make("p", { class: "status", part: "status", role: "status" });
    root.replaceChildren(status, make("div", { id: "chips" }));
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", this.#say.region);
    const field = /** @type {Document} */ (this.ownerDocument).getElementById(this.getAttribute("for") ?? "");
    this.#field = /** @type {HTMLTextAreaElement | null} */ (field);
    this.#field?.addEventListener("input", this.#typed);
    this.#changed();
  }

  disconnectedCallback() {
    this.#field?.removeEventListener("input", this.#typed);
    window.clearTimeout(this.#timer);
    this.#asking?.abort();
  }

  get #language() {
    const wanted = (this.getAttribute("language") ?? document.documentElement.lang).slice(0, 2);
    return wanted === "ru" ? "ru" : "en";
  }

  get #say() {
    return SENTENCES[this.#language];
  }

  get #server() {
    return new URL(this.getAttribute("server") ?? "/", import.meta.url).href.replace(/\/$/, "");
  }

  #changed() {
    window.clearTimeout(this.#timer);
    const text = this.#field?.value.trim() ?? "";
    if (Array.from(text).length >= LEAST) this.#timer = window.setTimeout(() => this.#suggest(), PAUSE);
    else if (!text) this.#forget();
  }

  #forget() {
    this.#asking?.abort();
    this.#marks.clear();
    this.#part("chips").replaceChildren();
    this.#tell("");
  }

  /** Ask for suggestions; a request that is under way is given up for the newer text. */
  async #suggest() {
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    const body = {
      text: this.#field?.value ?? "",
      language: this.getAttribute("text-language"),
      country: this.getAttribute("country"),
    };
    if (!this.#part("chips").childElementCount) this.#tell(this.#say.busy);
    try {
      const answer = await this.#ask("/v1/suggestions", body, asking);
      if (answer.codebook !== this.#codebook) await this.#read(asking);
      this.#draw(answer.suggestions);
    } catch (problem) {
      if (!asking.signal.aborted) this.#failed(/** @type {Error} */ (problem));
    }
  }

  /**
   * Read the codebook that the suggestions are from: the first time, and when the service has other models.
   * @param {AbortController} asking
   */
  async #read(asking) {
    const codebook = await this.#ask(`/v1/codebook?language=${this.#language}`, null, asking);
    this.#codebook = `${codebook.codebook} ${codebook.version}`;
    this.#axes = codebook.axes;
  }

  /** @param {string} path @param {object | null} body @param {AbortController} asking @returns {Promise<any>} */
  async #ask(path, body, asking) {
    const server = this.#server;
    const isHere = new URL(server).origin === location.origin;
    const key = this.getAttribute("key");
    /** @type {Record<string, string>} */
    const headers = { "Accept-Language": this.#language };
    if (key) headers.Authorization = `Bearer ${key}`;
    else if (isHere) Object.assign(headers, { "X-CSRF-Token": meta("csrf"), "X-Casecoder-Person": meta("person") });
    /** @type {RequestInit} */
    const options = { headers, signal: asking.signal, credentials: key ? "omit" : "same-origin" };
    if (body) {
      headers["Content-Type"] = "application/json";
      Object.assign(options, { method: "POST", body: JSON.stringify(body) });
    }
    const reply = await fetch(server + path, options);
    const content = await reply.json().catch(() => null);
    if (reply.ok && content) return content;
    throw new Refused(content?.detail || this.#say.failed.replace("{status}", String(reply.status)));
  }

  /** @param {Error} problem */
  #failed(problem) {
    this.#tell(problem instanceof Refused ? problem.message : this.#say.offline);
    const again = make("button", { type: "button" }, this.#say.again);
    again.addEventListener("click", () => this.#suggest());
    this.#part("status").append(" ", again);
  }

  /** @param {Suggestion[]} suggestions */
  #draw(suggestions) {
    const parts = [];
    for (const axis of this.#axes ?? []) {
      const mine = suggestions.filter((item) => item.axis === axis.axis && item.suggested);
      parts.push(...this.#group(axis.label, mine));
    }
    parts.push(...this.#group(this.#say.review, suggestions.filter((item) => !item.suggested)));
    this.#part("chips").replaceChildren(...parts);
    const n = suggestions.filter((item) => item.suggested).length;
    const forms = /** @type {Record<string, string>} */ (this.#say.count);
    const form = new Intl.PluralRules(this.#language).select(n);
    this.#tell(n ? forms[form].replace("{n}", String(n)) : this.#say.none);
  }

  /** @param {string} heading @param {Suggestion[]} items @returns {HTMLElement[]} */
  #group(heading, items) {
    if (!items.length) return [];
    const chips = items.map((item) => this.#chip(item));
    return [make("h3", {}, heading), make("ul", { role: "list" }, ...chips)];
  }

  /** @param {Suggestion} item */
  #chip(item) {
    const key = `${item.axis}/${item.code}`;
    const label = this.#labelOf(item);
    const accept = make("button", { type: "button", "aria-label": `${this.#say.accept}: ${label}` }, this.#say.accept);
    const reject = make("button", { type: "button", "aria-label": `${this.#say.reject}: ${label}` }, this.#say.reject);
    const chip = make("li", { part: "chip" }, make("p", {}, make("strong", {}, label), ` — ${this.#likely(item)}`), accept, reject);
    const update = () => {
      const mark = this.#marks.get(key);
      chip.className = mark ?? "";
      accept.setAttribute("aria-pressed", String(mark === "accepted"));
      reject.setAttribute("aria-pressed", String(mark === "rejected"));
    };
    accept.addEventListener("click", () => this.#decide(item, "accepted", update));
    reject.addEventListener("click", () => this.#decide(item, "rejected", update));
    update();
    return chip;
  }

  /** @param {Suggestion} item @param {"accepted" | "rejected"} mark @param {() => void} update */
  #decide(item, mark, update) {
    const { axis, code, probability } = item;
    const key = `${axis}/${code}`;
    const before = this.#marks.get(key);
    if (before === mark) this.#marks.delete(key);
    else this.#marks.set(key, mark);
    update();
    const isAccepted = this.#marks.get(key) === "accepted";
    if (isAccepted !== (before === "accepted")) this.#write(axis, code, isAccepted);
    if (before === "rejected" && mark === "rejected") return; // taken back: nothing was decided
    const detail = { axis, code, label: this.#labelOf(item), probability };
    const name = isAccepted ? "casecoder-accept" : "casecoder-reject";
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  /** Put a code into the field of its axis, or take it out. @param {string} axis @param {string} code @param {boolean} is */
  #write(axis, code, is) {
    const field = document.getElementById(this.getAttribute(`target-${axis}`) ?? "");
    if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) return;
    const others = field.value.split(";").map((one) => one.trim()).filter((one) => one && one !== code);
    const value = [...others, ...(is ? [code] : [])].join(";");
    // Frameworks put a setter of their own on the field; the one of the browser lets them see the events.
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value")?.set?.call(field, value);
    for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
  }

  /** @param {{axis: string, code: string}} item */
  #labelOf({ axis, code }) {
    return this.#axes?.find((one) => one.axis === axis)?.codes.find((one) => one.code === code)?.label ?? code;
  }

  /** @param {Suggestion} item */
  #likely({ probability }) {
    const step = [0.9, 0.7, 0.5].findIndex((least) => probability >= least);
    const percent = Math.min(99, Math.max(1, Math.round(100 * probability)));
    return `${this.#say.likely.at(step)}, ${percent}\u00a0%`;
  }

  /** @param {string} sentence */
  #tell(sentence) {
    this.#part("status").textContent = sentence;
  }

  /** @param {"status" | "chips"} name @returns {HTMLElement} */
  #part(name) {
    const selector = name === "chips" ? "#chips" : ".status";
    return /** @type {HTMLElement} */ (this.shadowRoot?.querySelector(selector));
  }
}

/** What a page of the service itself says of its login. @param {string} name */
function meta(name) {
  return document.querySelector(`meta[name="${name}"]`)?.getAttribute("content") ?? "";
}

/**
 * @param {string} name @param {Record<string, string>} attributes @param {...(Node | string)} children
 * @returns {any}
 */
function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

if (!customElements.get("casecoder-suggestions")) customElements.define("casecoder-suggestions", CasecoderSuggestions);
