// The end of a case: what is sent to be stored, and what the person is told of it.

import { ask } from "./api.js";
import { labelsOf } from "./chips.js";
import { byId, make, tell } from "./dom.js";
import { Saving } from "./saving.js";

/**
 * @typedef {{decisions: import("./decisions.js").Decisions, answer: import("./api.js").Answer | null,
 *   asked: import("./suggester.js").Asked | null, since: number}} Case
 * @typedef {{state: Case, texts: import("./dom.js").Texts, chips: import("./chips.js").Chips,
 *   preview: import("./preview.js").Preview, suggester: import("./suggester.js").Suggester, sections: HTMLElement[],
 *   isCurrent: () => boolean, undecided: () => import("./api.js").Axis[], wayOut: (problem: any) => HTMLElement | null}} Parts
 */

/** Saves the case at hand. */
export class Keeping {
  /** Whether the case is stored: only the next one can follow. */
  saved = false;
  /** Whether it is on its way. */
  saving = false;
  #sender = new Saving();

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** Make the page ready for the next case. @param {boolean} keeps whether the service keeps cases */
  begin(keeps) {
    this.saved = false;
    byId("result").replaceChildren();
    byId("next").hidden = true;
    byId("save").hidden = byId("keeping").hidden = !keeps;
    byId("tally").hidden = false;
    this.#freeze(false);
  }

  async save() {
    if (this.saving || this.saved) return;
    this.saving = true;
    tell(byId("result"), "", this.parts.texts.say("saving"));
    this.#freeze(true); // what is changed now would not be what is kept
    try {
      await this.#saveNow();
    } catch (problem) {
      await this.#notSaved(/** @type {any} */ (problem));
    }
    this.#freeze(this.saved);
    this.saving = false;
  }

  /** @param {boolean} is */
  #freeze(is) {
    for (const section of this.parts.sections) section.inert = is;
  }

  async #saveNow() {
    const { chips, isCurrent, preview, state, suggester, texts, undecided } = this.parts;
    if (!byId("text").value.trim()) {
      tell(byId("result"), "problem", texts.say("short"));
      byId("text").focus();
      return;
    }
    if (!isCurrent()) {
      await suggester.now();
      tell(byId("result"), isCurrent() ? "note" : "problem", texts.say(isCurrent() ? "look_again" : "unread"));
      return;
    }
    const { answer, decisions } = state;
    if (!answer?.receipt || !preview.redacted) return;
    if (answer.withheld && undecided().length === chips.axes.length) {
      tell(byId("result"), "problem", texts.say("blind_empty")); // there would be nothing to compare suggestions with
      byId("search").focus();
      return;
    }
    this.#sayUndecided();
    const hasLeading = (/** @type {string} */ id) => chips.axes.some((axis) => axis.axis === id && axis.primary);
    const decision = {
      receipt: answer.receipt,
      verdicts: decisions.verdicts(hasLeading),
      nothing: chips.axes.map((axis) => axis.axis).filter((axis) => decisions.nothing.has(axis)),
      redacted_text: preview.redacted.text,
      corrections: preview.redacted.corrections(),
    };
    this.#stored(await this.#sender.send(decision, (Date.now() - state.since) / 1000));
  }

  /** Say on which axes nothing is decided: once, however often the same is sent. */
  #sayUndecided() {
    const axes = this.parts.undecided();
    const said = axes.length ? this.parts.texts.say("undecided", { axes: labelsOf(axes) }) : "";
    if (byId("undecided").textContent !== said) byId("undecided").textContent = said;
  }

  /** @param {import("./saving.js").Stored} stored */
  #stored(stored) {
    this.#finish("good", this.parts.texts.count("saved", this.parts.state.decisions.chosen().length));
    if (stored.origin === "blind") byId("result").append(...this.#comparison(stored));
  }

  /** The case is stored: only the next one can follow. @param {string} looks @param {string} sentence */
  #finish(looks, sentence) {
    this.saved = true;
    this.parts.suggester.forget();
    tell(byId("result"), looks, sentence);
    byId("save").hidden = byId("keeping").hidden = byId("tally").hidden = true;
    byId("next").hidden = false;
    this.#freeze(true);
    byId("result").focus();
  }

  /** What would have been suggested, beside what was coded. @param {import("./saving.js").Stored} stored */
  #comparison(stored) {
    const { chips, state, texts } = this.parts;
    const heading = make("h3", {}, texts.say("comparison"));
    if (!stored.suggested.length) return [heading, make("p", {}, texts.say("comparison_none"))];
    const items = stored.suggested.map((item) => {
      const likely = texts.likely(item.probability);
      const same = texts.say(state.decisions.isChosen(item) ? "comparison_same" : "comparison_other");
      return make("li", {}, make("strong", {}, chips.labelOf(item)), ` — ${likely}; ${same}`);
    });
    return [heading, make("ul", {}, ...items)];
  }

  /** @param {any} problem */
  async #notSaved(problem) {
    const { isCurrent, state, suggester, texts, wayOut } = this.parts;
    const result = byId("result");
    if (problem.code === "network") tell(result, "problem", texts.say("not_saved"));
    else if (problem.code === "receipt.erased") tell(result, "problem", texts.say("erased"));
    else if (problem.code === "feedback.unredacted") await this.#redactAnew(problem);
    else if (problem.code === "feedback.repeated") {
      byId("undecided").textContent = "";
      this.#finish("problem", texts.say("repeated"));
    } else if (problem.code === "receipt.invalid") {
      state.asked = null;
      await suggester.now();
      tell(result, isCurrent() ? "note" : "problem", texts.say(isCurrent() ? "stale" : "unread"));
    } else if (problem.code === "store.missing") {
      tell(result, "", "");
      byId("keeping").hidden = byId("save").hidden = true;
      byId("copying").hidden = false;
    } else tell(result, "problem", texts.problem(problem), wayOut(problem));
  }

  /** Hide what the service still finds in the corrected text, and let the person look at it. @param {any} problem */
  async #redactAnew(problem) {
    const { preview, state, texts, wayOut } = this.parts;
    const { redacted } = preview;
    if (!redacted || !state.answer) return;
    try {
      const found = await ask("/v1/redactions", { text: redacted.text, language: state.answer.language });
      const places = redacted.hideFound(found.entities);
      preview.draw();
      tell(byId("result"), places ? "note" : "problem", places ? texts.count("unredacted", places) : problem.message);
      byId("preview").scrollIntoView({ block: "nearest" });
    } catch (other) {
      tell(byId("result"), "problem", texts.problem(other), wayOut(other));
    }
  }
}
