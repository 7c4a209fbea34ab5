// The field of the case number. Once suggestions were shown the number stays: it decides whether a case is coded without
// them first, and such a case must not be seen with them under another number.

import { byId } from "./dom.js";

/** The case number, and the button that starts the case anew. */
export class CaseNumber {
  /** @param {() => void} anew clears the case */
  constructor(anew) {
    byId("anew").addEventListener("click", () => this.#ask(true));
    byId("anew-yes").addEventListener("click", anew);
    byId("anew-no").addEventListener("click", () => this.#ask(false));
    byId("anew-sure").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape") this.#ask(false);
    });
  }

  /** Whether the number can no longer be changed. @param {boolean} is */
  fix(is) {
    byId("case").readOnly = is;
    byId("case-hint").hidden = is;
    byId("case-fixed").hidden = !is;
    if (!is) this.#show(false);
  }

  /** Ask whether the case is really to be cleared, or no longer. @param {boolean} is */
  #ask(is) {
    this.#show(is);
    byId(is ? "anew-no" : "anew").focus();
  }

  /** @param {boolean} is */
  #show(is) {
    byId("anew-sure").hidden = !is;
    byId("anew").hidden = is;
  }
}
