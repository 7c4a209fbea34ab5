// What the person decided on codes: pure values, no DOM. Decisions outlive new suggestions for a text that goes on.

/**
 * @typedef {import("./api.js").Answer} Answer
 * @typedef {{axis: string, code: string}} Choice
 * @typedef {Choice & {insteadOf: string | null}} Added
 * @typedef {Choice & {verdict: "accepted" | "edited" | "rejected" | "added", instead_of: string | null,
 *   primary: boolean}} Verdict
 */

/** One text for axis and code. @param {Choice} choice */
export const keyOf = ({ axis, code }) => `${axis}/${code}`;

/** Decisions of one person on one case. */
export class Decisions {
  constructor() {
    /** @type {Map<string, "accepted" | "rejected">} of codes that are or were suggested */
    this.marks = new Map();
    /** @type {Map<string, Added>} */
    this.added = new Map();
    /** @type {Map<string, string>} leading codes that the person set */
    this.leads = new Map();
    /** @type {Set<string>} axes on which no code applies, as the person said */
    this.nothing = new Set();
    /** @type {Choice[]} */
    this.suggested = [];
    /** @type {Record<string, string | null>} */
    this.primary = {};
  }

  /** Take new suggestions: what was accepted and is suggested no longer stays as added, and the other way round. */
  settle(/** @type {Answer} */ answer) {
    this.suggested = answer.suggestions.filter((item) => item.suggested).map(({ axis, code }) => ({ axis, code }));
    this.primary = answer.primary;
    for (const [key, item] of [...this.added]) if (this.isSuggested(item)) this.#turn(key, "accepted");
    for (const [key, mark] of [...this.marks]) {
      const [axis, code] = key.split("/");
      if (mark !== "accepted" || this.isSuggested({ axis, code })) continue;
      this.marks.delete(key);
      this.added.set(key, { axis, code, insteadOf: null });
    }
  }

  /** @param {string} key @param {"accepted"} mark */
  #turn(key, mark) {
    this.added.delete(key);
    this.marks.set(key, mark);
  }

  /** @param {Choice} choice */
  isSuggested(choice) {
    return this.suggested.some((item) => keyOf(item) === keyOf(choice));
  }

  /** Accept or reject a suggested code; the same once more takes it back. */
  mark(/** @type {Choice} */ choice, /** @type {"accepted" | "rejected"} */ mark) {
    const key = keyOf(choice);
    const replacement = this.replacementOf(choice);
    if (replacement) replacement.insteadOf = null;
    if (this.marks.get(key) === mark) this.marks.delete(key);
    else this.marks.set(key, mark);
    if (this.isChosen(choice)) this.nothing.delete(choice.axis);
  }

  /** Add a code, instead of a suggested one where that is named. */
  add(/** @type {Choice} */ choice, /** @type {string | null} */ insteadOf = null) {
    const old = insteadOf ? { axis: choice.axis, code: insteadOf } : null;
    this.nothing.delete(choice.axis);
    const before = old && this.replacementOf(old);
    if (before) this.added.delete(keyOf(before));
    if (this.isSuggested(choice)) {
      this.marks.set(keyOf(choice), "accepted");
      if (old && keyOf(old) !== keyOf(choice)) this.marks.set(keyOf(old), "rejected");
      return;
    }
    if (old) this.marks.delete(keyOf(old));
    this.added.set(keyOf(choice), { ...choice, insteadOf });
  }

  /** @param {Choice} choice */
  remove(choice) {
    this.added.delete(keyOf(choice));
  }

  /** The added code that stands instead of a suggested one. @param {Choice} choice @returns {Added | undefined} */
  replacementOf({ axis, code }) {
    return [...this.added.values()].find((item) => item.axis === axis && item.insteadOf === code);
  }

  /** Whether a code holds in the eyes of the person. @param {Choice} choice */
  isChosen(choice) {
    const key = keyOf(choice);
    return this.added.has(key) || (this.marks.get(key) === "accepted" && this.isSuggested(choice));
  }

  /** All codes that hold. @returns {Choice[]} */
  chosen() {
    return [...this.suggested.filter((item) => this.isChosen(item)), ...this.added.values()];
  }

  /** Say that no code of an axis applies, or take that back. @param {string} axis @param {boolean} is */
  setNothing(axis, is) {
    if (is && !this.chosen().some((item) => item.axis === axis)) this.nothing.add(axis);
    else this.nothing.delete(axis);
  }

  /** Suggestions on which nothing is decided; where no code of their axis applies, that is decided too. */
  open() {
    const isOpen = (/** @type {Choice} */ item) => !this.marks.has(keyOf(item)) && !this.replacementOf(item);
    return this.suggested.filter((item) => isOpen(item) && !this.nothing.has(item.axis));
  }

  /** Whether anything is decided on an axis: a code chosen or rejected, or that none applies. @param {string} axis */
  isDecided(axis) {
    return this.nothing.has(axis) || this.verdicts(() => false).some((item) => item.axis === axis);
  }

  /** The leading code of an axis: as set, else as suggested, else the only one. @param {string} axis */
  leading(axis) {
    const codes = this.chosen().filter((item) => item.axis === axis).map((item) => item.code);
    const wanted = [this.leads.get(axis), this.primary[axis]].find((code) => code && codes.includes(code));
    return wanted ?? (codes.length === 1 ? codes[0] : null);
  }

  /**
   * What goes to the service.
   * @param {(axis: string) => boolean} hasLeading whether an axis has a leading code @returns {Verdict[]}
   */
  verdicts(hasLeading) {
    /** @type {Verdict[]} */
    const found = [];
    /** @param {Choice} choice @param {Verdict["verdict"]} verdict @param {string | null} instead_of */
    const push = ({ axis, code }, verdict, instead_of = null) => {
      const primary = verdict !== "rejected" && hasLeading(axis) && this.leading(axis) === code;
      found.push({ axis, code, verdict, instead_of, primary });
    };
    for (const item of this.suggested) {
      const mark = this.marks.get(keyOf(item));
      // A replaced code is told by the one that stands instead of it: a verdict of its own would count it twice.
      if (mark && !this.replacementOf(item)) push(item, mark);
    }
    for (const item of this.added.values()) {
      const old = item.insteadOf ? { axis: item.axis, code: item.insteadOf } : null;
      if (old && this.isSuggested(old)) push(item, "edited", old.code);
      else push(item, "added");
    }
    return found;
  }
}
