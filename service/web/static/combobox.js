// A field with a list of codes to search in, after the combobox pattern of the WAI-ARIA Authoring Practices: the focus
// stays in the field, and `aria-activedescendant` tells which entry of the list is meant.

import { make } from "./dom.js";

/**
 * @typedef {{axis: string, code: string, label: string, heading: string, definition: string, seen: string}} Entry
 * @typedef {{input: HTMLInputElement, list: HTMLElement, found: HTMLElement, texts: import("./dom.js").Texts,
 *   choose: (entry: Entry) => void, cancel: () => void}} Parts
 */

/** Entries for all codes of a codebook. @param {import("./api.js").Codebook} codebook @returns {Entry[]} */
export function entriesOf(codebook) {
  return codebook.axes.flatMap((axis) =>
    axis.codes.map(({ code, label, definition, include }) => ({
      axis: axis.axis,
      heading: axis.label,
      code,
      label,
      definition,
      seen: folded([label, code, definition, ...include].join(" ")),
    })),
  );
}

/** @param {string} text */
const folded = (text) => text.toLowerCase().replaceAll("ё", "е");

/** The list of codes below a field. */
export class Combobox {
  /** @type {Entry[]} */
  entries = [];
  /** @type {Entry[]} */
  #listed = [];
  #active = -1;
  /** @type {string | null} */
  axis = null;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    const { input, list } = parts;
    input.addEventListener("input", () => this.open());
    input.addEventListener("click", () => this.open());
    input.addEventListener("keydown", (event) => this.#pressed(event));
    input.addEventListener("blur", () => this.close());
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    list.addEventListener("click", (event) => this.#clicked(event));
  }

  /** Show what fits the words in the field. */
  open() {
    const words = folded(this.parts.input.value).split(/\s+/).filter(Boolean);
    this.#listed = this.entries.filter(
      (entry) => (!this.axis || entry.axis === this.axis) && words.every((word) => entry.seen.includes(word)),
    );
    this.#active = -1;
    this.#draw();
    this.parts.list.hidden = this.#listed.length === 0;
    this.parts.list.scrollTop = 0;
    this.#mark();
    const { found, texts } = this.parts;
    found.textContent = this.#listed.length ? texts.count("found", this.#listed.length) : texts.say("no_match");
  }

  /** Put the list away. */
  close() {
    this.parts.list.hidden = true;
    this.parts.found.textContent = "";
    this.#active = -1;
    this.#mark();
  }

  #draw() {
    const groups = new Map();
    this.#listed.forEach((entry, index) => {
      const { label, definition } = entry;
      const text = make("small", { lang: "en" }, definition);
      const option = make("div", { role: "option", id: `option-${index}` }, make("strong", {}, label), text);
      if (!groups.has(entry.axis)) {
        const heading = make("p", { class: "axis", role: "presentation", id: `axis-${entry.axis}` }, entry.heading);
        groups.set(entry.axis, make("div", { role: "group", "aria-labelledby": heading.id }, heading));
      }
      groups.get(entry.axis).append(option);
    });
    this.parts.list.replaceChildren(...groups.values());
  }

  #mark() {
    const { input, list } = this.parts;
    input.setAttribute("aria-expanded", String(!list.hidden));
    for (const option of list.querySelectorAll('[role="option"]')) {
      option.setAttribute("aria-selected", String(option.id === `option-${this.#active}`));
    }
    if (this.#active < 0) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    input.setAttribute("aria-activedescendant", `option-${this.#active}`);
    list.querySelector(`#option-${this.#active}`)?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const { list } = this.parts;
    if (event.key === "Escape") this.#escape();
    else if (event.key === "Enter") this.#choose(this.#listed.length === 1 ? 0 : this.#active);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (event.altKey && step < 0) this.close();
      else if (list.hidden) {
        this.open();
        if (!event.altKey) this.#move(step > 0 ? 0 : this.#listed.length - 1);
      } else this.#move(this.#active < 0 && step < 0 ? this.#listed.length - 1 : this.#active + step);
    } else return;
    event.preventDefault();
  }

  #escape() {
    const { input, list, cancel } = this.parts;
    if (!list.hidden) this.close();
    else if (input.value) input.value = "";
    else cancel();
  }

  /** @param {number} to */
  #move(to) {
    const n = this.#listed.length;
    if (n === 0) return;
    this.#active = (to + n) % n;
    this.#mark();
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const option = /** @type {HTMLElement} */ (event.target).closest('[role="option"]');
    if (option) this.#choose(Number(option.id.slice("option-".length)));
  }

  /** @param {number} index */
  #choose(index) {
    const entry = this.#listed[index];
    if (!entry || this.parts.list.hidden) return;
    this.parts.input.value = "";
    this.close();
    this.parts.choose(entry);
  }
}
