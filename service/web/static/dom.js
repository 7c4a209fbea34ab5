// Small helpers for texts and elements, shared by the scripts of the pages.

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/**
 * A new element.
 * @param {string} name
 * @param {Record<string, any>} [properties] set as properties; `class`, `role`, `lang` and names with a dash as attributes
 * @param {...(Node | string | null)} children
 * @returns {any}
 */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "class" || key === "role" || key === "for") element.setAttribute(key, value);
    else /** @type {any} */ (element)[key] = value;
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The sentences of the page, with places to fill and plural forms. */
export class Texts {
  /** @param {Record<string, string>} sentences @param {string} language */
  constructor(sentences, language) {
    this.sentences = sentences;
    this.plural = new Intl.PluralRules(language);
  }

  /** @param {string} name @param {Record<string, string | number>} [values] */
  say(name, values = {}) {
    return (this.sentences[name] ?? name).replace(/\{(\w+)\}/g, (all, key) => String(values[key] ?? all));
  }

  /** @param {string} name @param {number} n */
  count(name, n) {
    return this.say(`${name}.${this.plural.select(n)}`, { n });
  }

  /** A probability in words and as a number. @param {number} probability */
  likely(probability) {
    const word =
      probability >= 0.9 ? "very" : probability >= 0.7 ? "likely" : probability >= 0.5 ? "rather" : "possible";
    const percent = Math.min(99, Math.max(1, Math.round(100 * probability)));
    return this.say("probability", { words: this.say(`likely.${word}`), percent });
  }

  /** Type of an identifier in words. @param {string} type */
  type(type) {
    return this.sentences[`type.${type}`] ?? type.toLowerCase();
  }

  /** What to tell people about an error. @param {any} problem */
  problem(problem) {
    if (problem?.code === "network") return this.say("offline");
    if (problem?.isLogin) return this.say("login");
    return problem?.message || this.say("failed", { status: problem?.status ?? "?" });
  }
}

/**
 * Show one sentence in a status element, with a button or link beside it.
 * @param {HTMLElement} place @param {string} looks `problem`, `good`, `note` or empty @param {string} sentence
 * @param {HTMLElement | null} [act]
 */
export function tell(place, looks, sentence, act = null) {
  const said = make("div", { class: `said ${looks}` }, make("p", {}, sentence), act);
  place.replaceChildren(...(sentence ? [said] : []));
}
