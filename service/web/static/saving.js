// Saving a decision, so that it is stored once however often it is sent, and told to people in words.

import { ask } from "./api.js";

/**
 * @typedef {{receipt: string, verdicts: import("./decisions.js").Verdict[], nothing: string[],
 *   redacted_text: string, corrections: object[]}} Decision
 * @typedef {{id: string, origin: "blind" | "assisted", suggested: {axis: string, code: string, probability: number,
 *   decision: string}[]}} Stored
 */

/** Sends decisions. */
export class Saving {
  /** @type {{told: string, body: object, key: string} | null} what was sent and is not answered yet */
  #pending = null;

  /**
   * Send a decision. One that is sent again after the network failed is the same to the last second, with the same key;
   * one that was changed in between is another.
   * @param {Decision} decision @param {number} seconds since the first suggestion @returns {Promise<Stored>}
   */
  async send(decision, seconds) {
    const told = JSON.stringify(decision);
    if (this.#pending?.told !== told) {
      this.#pending = { told, body: { ...decision, seconds: Math.min(86_400, seconds) }, key: randomKey() };
    }
    const { body, key } = this.#pending;
    const stored = await ask("/v1/feedback", body, { "Idempotency-Key": key });
    this.#pending = null;
    return stored;
  }
}

/** 128 random bits; `crypto.randomUUID` is missing on pages without HTTPS. */
function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
