// The text as it will be stored, as segments: words in sight, and placeholders that stand for words. Pure values, no DOM.
//
// The service counts code points and JavaScript UTF-16 units; in here everything is in units, and only what comes from
// the service or goes there is converted.

/**
 * A stretch of the stored text. `start` and `end` are where its words stand in the original text. A `shown` one had been
 * hidden by the service and was shown again by the person; `by` tells who hid a `hidden` one.
 * @typedef {{kind: "plain" | "hidden" | "shown", text: string, start: number, end: number, type: string,
 *   by: "service" | "person", covers: boolean}} Segment
 * @typedef {import("./api.js").Span} Span
 * @typedef {import("./api.js").Entity} Entity
 */

const PLACEHOLDER = /\[([A-Z][A-Z0-9_]{0,30})_([0-9]{1,6})\]/g;
const WORD = /[\p{L}\p{N}\p{M}]/u;

/** A function from code points to units of a text. @param {string} text @returns {(at: number) => number} */
export function unitsIn(text) {
  if (!/[\ud800-\udfff]/.test(text)) return (at) => at;
  const starts = [0];
  for (const character of text) starts.push(starts[starts.length - 1] + character.length);
  return (at) => starts[Math.min(at, starts.length - 1)];
}

/** Code points before a unit of a text. @param {string} text @param {number} at */
export const pointsBefore = (text, at) => Array.from(text.slice(0, at)).length;

/** A redacted text that a person can correct. */
export class Redacted {
  /** @param {string} original @param {string} redacted as the service answered @param {Entity[]} entities */
  constructor(original, redacted, entities) {
    this.original = original;
    /** @type {Segment[]} */
    this.segments = [];
    const unit = unitsIn(original);
    let at = 0;
    let stored = 0;
    for (const entity of entities) {
      const [start, end] = [unit(entity.start), unit(entity.end)];
      this.#plain(at, start);
      stored += start - at;
      const placeholder = redacted.slice(stored, redacted.indexOf("]", stored) + 1);
      this.segments.push(hiddenSegment(placeholder, start, end, entity.type, "service", true));
      stored += placeholder.length;
      at = end;
    }
    this.#plain(at, original.length);
  }

  /** @param {number} start @param {number} end */
  #plain(start, end) {
    if (start >= end) return;
    const text = this.original.slice(start, end);
    this.segments.push({ kind: "plain", text, start, end, type: "", by: "service", covers: false });
  }

  /** The text exactly as it will be stored. */
  get text() {
    return this.segments.map((segment) => segment.text).join("");
  }

  /** The words that a segment stands for. @param {Segment} segment */
  wordsOf(segment) {
    return this.original.slice(segment.start, segment.end);
  }

  /** What the person changed, in code points of the stored text. */
  corrections() {
    const found = [];
    let at = 0;
    for (const segment of this.segments) {
      const end = at + Array.from(segment.text).length;
      const kind = segment.kind === "hidden" && segment.by === "person" ? "hidden" : segment.kind;
      if (kind === "shown" || (kind === "hidden" && segment.by === "person")) {
        found.push({ kind, start: at, end, type: segment.type });
      }
      at = end;
    }
    return found;
  }

  /** Put the words back that a placeholder stands for. @param {Segment} segment */
  show(segment) {
    const place = this.segments.indexOf(segment);
    const kind = segment.covers ? "shown" : "plain";
    if (place >= 0) this.segments[place] = { ...segment, kind, text: this.wordsOf(segment) };
  }

  /**
   * Hide words wherever they stand, small and capital letters alike; as parts of longer words only where they stand
   * nowhere alone, and then with the whole of these words.
   * @param {string} words @param {string} type @returns {number} of places
   */
  hide(words, type) {
    const ranges = placesOf(this.text, words);
    for (const range of ranges.reverse()) this.#hideRange(range.start, range.end, type, "person");
    return ranges.length;
  }

  /**
   * Hide what the service found in the stored text, but nothing inside what the person has shown again.
   * @param {Entity[]} entities in code points of the stored text @returns {number} of places
   */
  hideFound(entities) {
    const unit = unitsIn(this.text);
    const shown = this.corrections().filter((item) => item.kind === "shown");
    const open = entities.filter((item) => !shown.some((by) => by.start <= item.start && item.end <= by.end));
    for (const item of [...open].reverse()) this.#hideRange(unit(item.start), unit(item.end), item.type, "service");
    return open.length;
  }

  /** Make the corrections of an older version again, as far as their words are still there. @param {Redacted} older */
  carryOver(older) {
    for (const segment of older.segments) {
      if (segment.kind === "hidden" && segment.by === "person") this.#hideAgain(older.wordsOf(segment), segment.type);
    }
    const again = older.segments.filter((segment) => segment.kind === "shown").map((segment) => {
      const before = older.#standingFor(older.wordsOf(segment));
      const now = this.#standingFor(older.wordsOf(segment));
      // Where the words came or went, nobody can tell which place was meant: they stay hidden.
      return before.length === now.length ? now[before.indexOf(segment)] : undefined;
    });
    for (const segment of again) if (segment?.kind === "hidden") this.show(segment);
  }

  /** Hide what a person had hidden; where the service hides a part of it by now, each of the words that are left.
   * @param {string} words @param {string} type */
  #hideAgain(words, type) {
    if (this.hide(words, type)) return;
    for (const word of words.split(/\s+/)) if (word.length > 1) this.hide(word, type);
  }

  /** @param {string} words */
  #standingFor(words) {
    return this.segments.filter((segment) => segment.covers && this.wordsOf(segment) === words);
  }

  /** @param {number} from @param {number} to @param {string} type @param {"service" | "person"} by */
  #hideRange(from, to, type, by) {
    /** @type {Segment[]} */
    const before = [];
    /** @type {Segment[]} */
    const inside = [];
    /** @type {Segment[]} */
    const after = [];
    let at = 0;
    for (const segment of this.segments) {
      const [left, middle, right] = cut(segment, from - at, to - at);
      if (left) before.push(left);
      if (middle) inside.push(middle);
      if (right) after.push(right);
      at += segment.text.length;
    }
    if (inside.length === 0 || inside.every((segment) => segment.kind === "hidden")) return;
    const [start, end] = [inside[0].start, inside[inside.length - 1].end];
    const covers = by === "service" || inside.some((segment) => segment.covers);
    const placeholder = `[${type}_${this.#number(type, this.original.slice(start, end))}]`;
    this.segments = [...before, hiddenSegment(placeholder, start, end, type, by, covers), ...after];
  }

  /** The number of words that are hidden already, else the next free one. @param {string} type @param {string} words */
  #number(type, words) {
    const same = this.segments.find(
      (segment) =>
        segment.kind === "hidden" &&
        segment.type === type &&
        this.wordsOf(segment).toLowerCase() === words.toLowerCase(),
    );
    const numbers = [...(same?.text ?? this.text).matchAll(PLACEHOLDER)].filter((found) => found[1] === type);
    const highest = Math.max(0, ...numbers.map((found) => Number(found[2])));
    return same ? highest : highest + 1;
  }
}

/**
 * @param {string} text @param {number} start @param {number} end @param {string} type
 * @param {"service" | "person"} by @param {boolean} covers whether the service had hidden any of it
 * @returns {Segment}
 */
function hiddenSegment(text, start, end, type, by, covers) {
  return { kind: "hidden", text, start, end, type, by, covers };
}

/**
 * The parts of a segment before, inside and after a range that is relative to it. A placeholder is never cut.
 * @param {Segment} segment @param {number} from @param {number} to @returns {(Segment | null)[]}
 */
function cut(segment, from, to) {
  const length = segment.text.length;
  if (to <= 0) return [null, null, segment];
  if (from >= length) return [segment, null, null];
  if (segment.kind === "hidden") return [null, segment, null];
  /** @param {number} start @param {number} end */
  const part = (start, end) =>
    start < end
      ? { ...segment, text: segment.text.slice(start, end), start: segment.start + start, end: segment.start + end }
      : null;
  const [first, last] = [Math.max(from, 0), Math.min(to, length)];
  return [part(0, first), part(first, last), part(last, length)];
}

/**
 * Where words stand in a text: alone, else as parts of words, which are then taken whole.
 * @param {string} text @param {string} words @returns {Span[]}
 */
export function placesOf(text, words) {
  const parts = words.trim().split(/\s+/).filter(Boolean);
  if (parts.length === 0) return [];
  const pattern = parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("\\s+");
  const found = [...text.matchAll(new RegExp(pattern, "giu"))].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
  }));
  const alone = found.filter((place) => !insideWord(text, place.start) && !insideWord(text, place.end));
  return alone.length ? alone : disjoint(found.map((place) => wholeWords(text, place)));
}

/** Whether a place lies between two letters or digits. @param {string} text @param {number} at */
function insideWord(text, at) {
  return at > 0 && at < text.length && WORD.test(text[at - 1]) && WORD.test(text[at]);
}

/** A place with the whole of the words that it cuts. @param {string} text @param {Span} place @returns {Span} */
function wholeWords(text, { start, end }) {
  while (insideWord(text, start)) start -= 1;
  while (insideWord(text, end)) end += 1;
  return { start, end };
}

/** @param {Span[]} places in order @returns {Span[]} */
function disjoint(places) {
  return places.filter((place, index) => index === 0 || places[index - 1].end <= place.start);
}
