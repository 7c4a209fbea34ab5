// The text as it will be stored, for reading and correcting: placeholders to press, doubts underlined, evidence lit.

import { byId, make } from "./dom.js";
import { unitsIn } from "./redaction.js";

/**
 * @typedef {import("./api.js").Span} Span
 * @typedef {import("./redaction.js").Redacted} Redacted
 * @typedef {import("./redaction.js").Segment} Segment
 * @typedef {{label: string, sentences: Span[], words: Span[]}} Light in UTF-16 units of the original text
 * @typedef {{text: string, start: number, end: number, segment: Segment}} Piece
 */

/** The preview and its tools. */
export class Preview {
  /** @type {Redacted | null} */
  redacted = null;
  /** @type {Span[]} in units of the original text */
  #doubts = [];
  /** @type {Light | null} */
  #light = null;
  /** @type {Segment | null} the placeholder that was pressed */
  #pressed = null;

  /** @param {import("./dom.js").Texts} texts @param {() => void} changed */
  constructor(texts, changed) {
    this.texts = texts;
    this.changed = changed;
    this.place = byId("preview");
    this.waiting = [...this.place.childNodes];
    byId("hide").addEventListener("submit", (/** @type {Event} */ event) => this.#hide(event));
    document.addEventListener("selectionchange", () => this.#takeSelection());
  }

  /** Types that can be chosen for hidden words. @param {{type: string}[]} identifiers */
  setTypes(identifiers) {
    const first = ["PERSON", "LOCATION"];
    const types = identifiers.map((item) => item.type);
    const sorted = [...first.filter((type) => types.includes(type)), ...types.filter((type) => !first.includes(type))];
    const options = sorted.map((type) => make("option", { value: type }, this.texts.type(type)));
    byId("type").replaceChildren(...options);
  }

  /** Show a text. @param {Redacted | null} redacted @param {Span[]} doubts in code points of the original text */
  set(redacted, doubts = []) {
    const unit = unitsIn(redacted?.original ?? "");
    this.redacted = redacted;
    this.#doubts = doubts.map(({ start, end }) => ({ start: unit(start), end: unit(end) }));
    this.#pressed = null;
    byId("hide").hidden = redacted === null;
    byId("shown").replaceChildren();
    this.draw();
  }

  /** Light up what speaks for a code. @param {import("./api.js").Suggestion | null} item @param {string} label */
  light(item, label) {
    if (!item && !this.#light) return;
    const original = this.redacted?.original ?? "";
    const unit = unitsIn(original);
    /** @param {Span} span */
    const units = ({ start, end }) => ({ start: unit(start), end: unit(end) });
    const evidence = item?.evidence ?? [];
    const words = evidence.flatMap((one) => one.words.map(units));
    this.#light = evidence.length ? { label, sentences: evidence.map(units), words } : null;
    this.draw();
  }

  /** Whether the text has been changed since. @param {boolean} is */
  setOld(is) {
    this.place.classList.toggle("old", is && this.redacted !== null);
  }

  /** Build the text anew. */
  draw() {
    if (!this.redacted) {
      this.place.replaceChildren(...this.waiting);
      return;
    }
    const sentences = this.#light?.sentences ?? [];
    /** @type {(Node | string)[]} */
    const parts = [];
    /** @type {{of: Span, mark: HTMLElement} | null} */
    let lit = null;
    for (const piece of this.#pieces()) {
      const of = sentences.find((span) => span.start <= piece.start && piece.end <= span.end);
      if (!of) lit = null;
      else if (lit?.of !== of) parts.push((lit = { of, mark: this.#mark() }).mark);
      const nodes = this.#nodes(piece);
      if (lit) lit.mark.querySelector(".end")?.before(...nodes);
      else parts.push(...nodes);
    }
    this.place.replaceChildren(...parts);
  }

  /** A mark that says to those who do not see it what it marks. */
  #mark() {
    const label = this.#light?.label ?? "";
    const start = make("span", { class: "visually-hidden" }, `${this.texts.say("mark.start", { label })} `);
    const end = make("span", { class: "visually-hidden end" }, ` (${this.texts.say("mark.end")})`);
    return make("mark", {}, start, end);
  }

  /** The text cut wherever a sentence, words or a doubt begin or end. @returns {Piece[]} */
  #pieces() {
    const spans = [...(this.#light?.sentences ?? []), ...(this.#light?.words ?? []), ...this.#doubts];
    const borders = [...new Set(spans.flatMap((span) => [span.start, span.end]))].sort((a, b) => a - b);
    return (this.redacted?.segments ?? []).flatMap((segment) => {
      const { start, end, text } = segment;
      if (segment.kind === "hidden") return [{ text, start, end, segment }];
      const cuts = [start, ...borders.filter((at) => start < at && at < end), end];
      return cuts.slice(1).map((to, index) => {
        const from = cuts[index];
        return { text: text.slice(from - start, to - start), start: from, end: to, segment };
      });
    });
  }

  /** @param {Piece} piece @returns {(Node | string)[]} */
  #nodes(piece) {
    if (piece.segment.kind === "hidden") return [this.#placeholder(piece.segment)];
    const inside = (/** @type {Span} */ span) => span.start <= piece.start && piece.end <= span.end;
    const doubt = this.#doubts.find(inside);
    const classes = [
      this.#light?.words.some(inside) ? "words" : "",
      doubt ? "doubt" : "",
      piece.segment.kind === "shown" ? "shown-again" : "",
    ];
    const name = classes.filter(Boolean).join(" ");
    const node = name ? make(classes[0] ? "b" : "span", { class: name }, piece.text) : piece.text;
    if (doubt?.end !== piece.end) return [node];
    return [node, make("small", { class: "doubt-note" }, ` (${this.texts.say("doubt")})`)];
  }

  /** @param {Segment} segment */
  #placeholder(segment) {
    const properties = { type: "button", class: "placeholder", "aria-pressed": String(segment === this.#pressed) };
    const button = make("button", properties, segment.text);
    button.addEventListener("click", () => this.#press(segment));
    return button;
  }

  /** Tell what a placeholder stands for, and offer to show it. @param {Segment} segment */
  #press(segment) {
    this.#pressed = segment;
    this.draw();
    const words = this.redacted?.wordsOf(segment) ?? "";
    const sentence = segment.by === "person" ? "placeholder_by_you" : "placeholder";
    const show = make("button", { type: "button" }, this.texts.say("show"));
    const keep = make("button", { type: "button" }, this.texts.say("keep"));
    show.addEventListener("click", () => this.#show(segment));
    keep.addEventListener("click", () => this.#leave(segment));
    const said = make("p", {}, this.texts.say(sentence, { placeholder: segment.text, words }));
    byId("shown").replaceChildren(make("div", { class: "said note" }, said, show, keep));
    show.focus();
  }

  /** @param {Segment} segment */
  #leave(segment) {
    const index = this.redacted?.segments.filter((one) => one.kind === "hidden").indexOf(segment) ?? -1;
    this.#done("");
    this.place.querySelectorAll("button")[index]?.focus();
  }

  /** @param {Segment} segment */
  #show(segment) {
    this.redacted?.show(segment);
    this.#done(this.texts.say("shown"));
    this.place.focus();
    this.changed();
  }

  /** @param {Event} event */
  #hide(event) {
    event.preventDefault();
    const field = byId("words");
    if (!this.redacted || !field.value.trim()) return;
    const places = this.redacted.hide(field.value, byId("type").value);
    this.#done(places ? this.texts.count("hidden", places) : this.texts.say("hide_missing"));
    if (!places) return;
    field.value = "";
    document.getSelection()?.removeAllRanges();
    this.changed();
  }

  /** @param {string} sentence */
  #done(sentence) {
    this.#pressed = null;
    byId("shown").replaceChildren(...(sentence ? [make("p", {}, sentence)] : []));
    this.draw();
  }

  /** Words that are selected in the preview go to the field of words to hide. */
  #takeSelection() {
    const selection = document.getSelection();
    if (!this.redacted || !selection || selection.isCollapsed || !selection.anchorNode || !selection.focusNode) return;
    if (!this.place.contains(selection.anchorNode) || !this.place.contains(selection.focusNode)) return;
    const words = selection.toString().trim();
    if (words) byId("words").value = words;
  }
}
