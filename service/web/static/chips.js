// The codes of a case as chips by axis: suggested ones to accept or reject, added ones to remove, others to consider.

import { keyOf } from "./decisions.js";
import { make } from "./dom.js";

/**
 * @typedef {import("./api.js").Suggestion} Suggestion
 * @typedef {import("./api.js").Axis} Axis
 * @typedef {import("./api.js").Code} Code
 * @typedef {import("./decisions.js").Choice} Choice
 * @typedef {{place: HTMLElement, texts: import("./dom.js").Texts, decisions: import("./decisions.js").Decisions,
 *   decided: () => void, replace: (choice: Choice) => void, light: (item: Suggestion | null) => void,
 *   isPreview: (node: Node | null) => boolean}} Parts
 */

/** All chips of a case. */
export class Chips {
  /** @type {Axis[]} */
  axes = [];
  /** @type {import("./api.js").Answer | null} */
  answer = null;
  /** @type {Set<string>} chips whose definition is open */
  #open = new Set();
  /** @type {(() => void)[]} */
  #updates = [];

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    const { place } = parts;
    for (const name of ["pointerover", "focusin"]) place.addEventListener(name, (event) => this.#light(event.target));
    place.addEventListener("pointerleave", () => parts.light(null));
    place.addEventListener("focusout", (event) => {
      // Who goes on to the preview, with a press of a placeholder say, finds it as it was.
      if (!parts.isPreview(/** @type {Node | null} */ (event.relatedTarget))) parts.light(null);
    });
  }

  /** @param {EventTarget | null} target */
  #light(target) {
    const key = /** @type {HTMLElement} */ (target).closest(".chip")?.getAttribute("data-key");
    const item = this.answer?.suggestions.find((suggestion) => keyOf(suggestion) === key);
    this.parts.light(item ?? null);
  }

  /** Build all chips anew; the focus stays where it is, as far as that is still there. */
  draw() {
    const { place, texts } = this.parts;
    const focused = place.contains(document.activeElement) ? document.activeElement?.id : null;
    this.#updates = [];
    const parts = this.axes.flatMap((axis) => this.#axis(axis));
    if (this.answer?.withheld) parts.unshift(make("p", { class: "note" }, texts.say("withheld")));
    else if (this.answer && !this.answer.suggestions.length) parts.unshift(make("p", {}, texts.say("none")));
    place.replaceChildren(...parts, ...this.#review());
    this.update();
    if (focused) document.getElementById(focused)?.focus();
  }

  /** Bring all chips up to what is decided, without building them. */
  update() {
    for (const update of this.#updates) update();
  }

  /** @param {Axis} axis @returns {HTMLElement[]} */
  #axis(axis) {
    const mine = (/** @type {Choice} */ item) => item.axis === axis.axis;
    const suggested = this.answer?.suggestions.filter((item) => mine(item) && item.suggested) ?? [];
    const chips = suggested.map((item) => this.#suggested(axis, item));
    for (const item of this.parts.decisions.added.values()) if (mine(item)) chips.push(this.#added(axis, item));
    const list = chips.length ? make("ul", { class: "chips", role: "list" }, ...chips) : null;
    const parts = [make("h3", {}, axis.label), this.#unlikely(axis), list, this.#nothing(axis)];
    return parts.filter((part) => part !== null);
  }

  /** The tick that no code of an axis applies; away where one is chosen. @param {Axis} axis */
  #nothing(axis) {
    const { decisions, decided, texts } = this.parts;
    const box = make("input", { type: "checkbox", id: `nothing-${axis.axis}` });
    const which = axis.nothing ? null : make("span", { class: "visually-hidden" }, `: ${axis.label}`);
    const label = make("label", { class: "tick" }, box, make("span", {}, nothingOf(axis, texts), which));
    box.addEventListener("change", () => {
      decisions.setNothing(axis.axis, box.checked);
      decided();
    });
    this.#updates.push(() => {
      label.hidden = decisions.chosen().some((item) => item.axis === axis.axis);
      box.checked = decisions.nothing.has(axis.axis);
    });
    return label;
  }

  /** That the case may be no violation at all. @param {Axis} axis @returns {HTMLElement | null} */
  #unlikely(axis) {
    const probability = this.answer?.not_a_violation ?? 0;
    if (!axis.nothing || probability < 0.5) return null;
    const { texts } = this.parts;
    const said = texts.say("nothing", { label: axis.nothing, probability: texts.likely(probability) });
    return make("p", { class: "note" }, said);
  }

  /** @returns {HTMLElement[]} */
  #review() {
    const { decisions, texts } = this.parts;
    const items = this.answer?.suggestions.filter((item) => !item.suggested && !decisions.added.has(keyOf(item))) ?? [];
    if (!items.length) return [];
    const chips = items.flatMap((item) => {
      const axis = this.axes.find((one) => one.axis === item.axis);
      return axis ? [this.#possible(axis, item)] : [];
    });
    return [make("h3", {}, texts.say("review")), make("ul", { class: "chips", role: "list" }, ...chips)];
  }

  /** @param {Axis} axis @param {Suggestion} item */
  #suggested(axis, item) {
    const { decisions, replace, texts } = this.parts;
    const accept = this.#button(item, "accept", () => decisions.mark(item, "accepted"));
    const reject = this.#button(item, "reject", () => decisions.mark(item, "rejected"));
    const other = this.#button(item, "replace", () => replace(item));
    const leads = this.#leading(axis, item);
    const chip = this.#chip(axis, item, [accept, reject, other, leads], item);
    const likely = chip.querySelector(".likely");
    this.#updates.push(() => {
      const replacement = decisions.replacementOf(item);
      const refused = decisions.marks.get(keyOf(item)) === "rejected" || replacement !== undefined;
      const chosen = decisions.isChosen(item);
      press(accept, chosen, texts.say(chosen ? "accepted" : "accept"));
      press(reject, refused && !replacement, texts.say(refused && !replacement ? "rejected" : "reject"));
      chip.classList.toggle("chosen", chosen);
      chip.classList.toggle("refused", refused);
      const label = replacement ? this.labelOf(replacement) : "";
      likely.textContent = label ? texts.say("replaced", { label }) : texts.likely(item.probability);
    });
    return chip;
  }

  /** @param {Axis} axis @param {import("./decisions.js").Added} item */
  #added(axis, item) {
    const { decisions, texts } = this.parts;
    const remove = this.#button(item, "remove", () => decisions.remove(item), true);
    const chip = this.#chip(axis, item, [remove, this.#leading(axis, item)]);
    chip.classList.add("chosen");
    const label = item.insteadOf ? this.labelOf({ axis: item.axis, code: item.insteadOf }) : "";
    chip.querySelector(".likely").textContent = label ? texts.say("instead", { label }) : texts.say("added");
    return chip;
  }

  /** @param {Axis} axis @param {Suggestion} item */
  #possible(axis, item) {
    const { decisions, texts } = this.parts;
    const add = this.#button(item, "add", () => decisions.add(item), true);
    const chip = this.#chip(axis, item, [add], item);
    chip.querySelector(".likely").textContent = `${axis.label}: ${texts.likely(item.probability)}`;
    return chip;
  }

  /**
   * @param {Choice} item @param {string} act name of the button @param {() => void} decide
   * @param {boolean} [moves] whether the chip goes elsewhere, so that the focus must follow it
   */
  #button(item, act, decide, moves = false) {
    const { decided, texts } = this.parts;
    const button = make("button", { type: "button", id: `${act}-${keyOf(item)}` }, texts.say(act));
    const label = this.labelOf(item);
    button.setAttribute("aria-label", `${texts.say(act)}: ${label}`);
    button.addEventListener("click", () => {
      decide();
      if (act !== "replace") decided();
      if (moves) this.#follow(item);
    });
    return button;
  }

  /** Put the focus on the chip of a code, or on the heading where there is none any more. @param {Choice} item */
  #follow(item) {
    const chips = [...this.parts.place.querySelectorAll(".chip")];
    const chip = chips.find((one) => one.getAttribute("data-key") === keyOf(item));
    const target = chip?.querySelector("button") ?? this.parts.place;
    /** @type {HTMLElement} */ (target).focus();
  }

  /** The choice of the leading code. @param {Axis} axis @param {Choice} item @returns {HTMLElement | null} */
  #leading(axis, item) {
    if (!axis.primary) return null;
    const { decisions, decided, texts } = this.parts;
    const radio = make("input", { type: "radio", name: `leading-${axis.axis}`, id: `leading-${keyOf(item)}` });
    const label = make("label", { class: "leads" }, radio, texts.say("leading"));
    radio.setAttribute("aria-label", `${texts.say("leading")}: ${this.labelOf(item)}`);
    radio.addEventListener("change", () => {
      decisions.leads.set(axis.axis, item.code);
      decided();
    });
    this.#updates.push(() => {
      label.hidden = !decisions.isChosen(item);
      radio.checked = decisions.leading(axis.axis) === item.code;
    });
    return label;
  }

  /**
   * @param {Axis} axis @param {Choice} item @param {(HTMLElement | null)[]} acts @param {Suggestion} [suggestion]
   * @returns {any}
   */
  #chip(axis, item, acts, suggestion) {
    const key = keyOf(item);
    const code = axis.codes.find((one) => one.code === item.code);
    const details = this.#about(code, suggestion);
    details.open = this.#open.has(key);
    details.addEventListener("toggle", () => (details.open ? this.#open.add(key) : this.#open.delete(key)));
    return make(
      "li",
      { class: "chip", "data-key": key },
      make("p", { class: "label" }, this.labelOf(item)),
      make("p", { class: "likely" }),
      make("div", { class: "acts" }, ...acts),
      details,
    );
  }

  /** What a code means, and what in the text speaks for it. @param {Code | undefined} code @param {Suggestion} [item] */
  #about(code, item) {
    const { texts } = this.parts;
    const details = make("details", {}, make("summary", {}, texts.say("about")));
    if (code) {
      details.append(make("p", { lang: "en" }, code.definition));
      if (code.include.length) details.append(...listed(texts.say("includes"), code.include));
      if (code.exclude.length) details.append(...listed(texts.say("excludes"), code.exclude.map((one) => one.text)));
    }
    if (item?.evidence.length) {
      details.append(make("p", {}, texts.say("evidence")));
      details.append(...item.evidence.map((one) => make("blockquote", {}, one.redacted.trim())));
    }
    return details;
  }

  /** The name of a code in the language of the page. @param {Choice} choice */
  labelOf({ axis, code }) {
    return this.axes.find((one) => one.axis === axis)?.codes.find((one) => one.code === code)?.label ?? code;
  }
}

/**
 * The words for an axis on which no code applies: those of the codebook where it has some.
 * @param {Axis} axis @param {import("./dom.js").Texts} texts
 */
export const nothingOf = (axis, texts) => axis.nothing ?? texts.say("nothing_applies");

/** @param {Axis[]} axes */
export const labelsOf = (axes) => axes.map((axis) => axis.label).join(", ");

/** @param {string} heading @param {string[]} items @returns {HTMLElement[]} */
function listed(heading, items) {
  return [make("p", {}, heading), make("ul", { lang: "en" }, ...items.map((item) => make("li", {}, item)))];
}

/** @param {HTMLButtonElement} button @param {boolean} pressed @param {string} text */
function press(button, pressed, text) {
  button.setAttribute("aria-pressed", String(pressed));
  button.textContent = text;
}
