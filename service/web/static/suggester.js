// When the service is asked: after a pause in typing, one request at a time, and the latest text wins.

import { ask } from "./api.js";

const PAUSE = 600; // milliseconds
const LEAST = 15; // characters before it is asked unbidden

/**
 * @typedef {{text: string, language: string | null, country: string | null, case_id: string | null}} Asked
 * @typedef {{read: () => Asked, answered: (asked: Asked, answer: import("./api.js").Answer) => void,
 *   failed: (problem: any) => void, busy: (is: boolean) => void}} Parts
 */

/** Asks for suggestions. */
export class Suggester {
  #timer = 0;
  #again = false;
  #cases = 0;
  /** @type {Promise<void> | null} */
  #running = null;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** Something was typed. */
  changed() {
    this.stop();
    if (Array.from(this.parts.read().text.trim()).length >= LEAST) {
      this.#timer = window.setTimeout(() => this.now(), PAUSE);
    }
  }

  /** Forget what was to be asked. */
  stop() {
    window.clearTimeout(this.#timer);
  }

  /** Forget the case, with the answer that is under way. */
  forget() {
    this.stop();
    this.#cases += 1;
  }

  /** Ask at once; done when the answer for the latest text, or an error, was told. */
  now() {
    this.stop();
    if (this.#running) this.#again = true;
    else this.#running = this.#run().finally(() => (this.#running = null));
    return this.#running;
  }

  async #run() {
    this.parts.busy(true);
    do {
      this.#again = false;
      const asked = this.parts.read();
      const mine = this.#cases;
      const isWanted = () => !this.#again && mine === this.#cases;
      try {
        const answer = await ask("/v1/suggestions", asked);
        if (isWanted()) this.parts.answered(asked, answer);
      } catch (problem) {
        if (isWanted()) this.parts.failed(problem);
      }
    } while (this.#again);
    this.parts.busy(false);
  }
}
