// The list of files: one card each, brought up to date without taking the focus away.

import { make } from "./dom.js";

/**
 * @typedef {{phase: string | null, rows: number, total: number | null, errors: number,
 *   seconds_left: number | null}} Progress
 * @typedef {{id: string, file_name: string, bytes: number, state: string, coder: string, created: string,
 *   expires: string | null, ahead: number | null, options: Record<string, any> | null, progress: Progress,
 *   error: string | null, notes: string[], files: {kind: string, bytes: number | null}[],
 *   review: {open: number, lent: number, done: number, skipped: number} | null}} Job
 * @typedef {{place: HTMLElement, texts: import("./dom.js").Texts, announce: (said: string) => void,
 *   act: (name: string, job: Job) => void}} Parts
 */

const BUSY = ["queued", "running", "stopping"];
const HOUR = 3600; // seconds

/** Whether a file waits or is being coded. @param {Job} job */
export const isBusy = (job) => BUSY.includes(job.state);

/**
 * A time in words that is not more exact than it can be.
 * @param {import("./dom.js").Texts} texts @param {number} seconds
 */
export function timeOf(texts, seconds) {
  if (seconds < 60) return texts.say("jobs.soon");
  if (seconds < 1.5 * HOUR) return texts.say("jobs.minutes", { n: Math.round(seconds / 60) });
  return texts.say("jobs.hours", { n: (seconds / HOUR).toFixed(1) });
}

/** All cards. */
export class JobList {
  /** @type {Map<string, {job: Job, card: HTMLElement, update: (job: Job) => void}>} */
  #cards = new Map();
  #date = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium" });

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** Show jobs, the latest first. @param {Job[]} jobs */
  show(jobs) {
    const { place, texts, announce } = this.parts;
    const ids = new Set(jobs.map((job) => job.id));
    for (const [id, { card }] of this.#cards) {
      if (ids.has(id)) continue;
      card.remove();
      this.#cards.delete(id);
    }
    if (!jobs.length) place.replaceChildren(make("li", { class: "card none" }, texts.say("jobs.none")));
    else place.querySelector(".none")?.remove();
    jobs.forEach((job, at) => {
      const known = this.#cards.get(job.id);
      if (known && sameBut(known.job, job)) known.update(job);
      else {
        const { card, update } = this.#card(job);
        const had = known?.card.contains(document.activeElement);
        if (known) known.card.replaceWith(card);
        if (known && known.job.state !== job.state) {
          announce(texts.say("jobs.now", { name: job.file_name, state: texts.say(`jobs.state.${job.state}`) }));
        }
        this.#cards.set(job.id, { job, card, update });
        if (had) /** @type {HTMLElement | null} */ (card.querySelector("h3"))?.focus();
      }
      const entry = this.#cards.get(job.id);
      if (!entry) return;
      entry.job = job;
      if (place.children[at] !== entry.card) place.insertBefore(entry.card, place.children[at] ?? null);
    });
  }

  /** @param {Job} job */
  #card(job) {
    const { texts } = this.parts;
    const state = make("span", { class: `state ${job.state}` }, texts.say(`jobs.state.${job.state}`));
    const title = make("h3", { tabIndex: -1, id: `job-${job.id}` }, job.file_name, " ", state);
    const brought = texts.say("jobs.brought", { coder: job.coder, date: this.#date.format(new Date(job.created)) });
    const expires = job.expires ? ` · ${texts.say("jobs.expires", { date: this.#date.format(new Date(job.expires)) })}` : "";
    const bar = make("progress", { max: 1, "aria-label": texts.say("jobs.progress", { name: job.file_name }) });
    const said = make("p", { class: "far" });
    const parts = [title, make("p", { class: "hint" }, brought + expires), bar, said, this.#why(job), this.#acts(job)];
    const after = [this.#aboutDecided(job), this.#notes(job)];
    const card = make("li", { class: "card job", "aria-labelledby": title.id }, ...parts, ...after);
    const update = (/** @type {Job} */ now) => this.#progress(now, bar, said);
    update(job);
    return { card, update };
  }

  /** @param {Job} job @param {any} bar @param {HTMLElement} said */
  #progress(job, bar, said) {
    const { texts } = this.parts;
    const { phase, rows, total, errors, seconds_left: left } = job.progress;
    const runs = job.state === "running" || job.state === "stopping";
    bar.hidden = !runs;
    if (phase === "coding" && total) bar.value = rows / total;
    else bar.removeAttribute("value");
    const told = [];
    if (job.state === "queued" && job.ahead) told.push(texts.count("jobs.ahead", job.ahead));
    if (runs && phase === "reading") told.push(texts.count("jobs.phase.reading", rows));
    if (runs && phase === "coding" && total) told.push(texts.say("jobs.phase.coding", { done: rows, total }));
    if (runs && phase === "coding" && left !== null) told.push(texts.say("jobs.left", { time: timeOf(texts, left) }));
    if (runs && phase === "writing") told.push(texts.say("jobs.phase.writing"));
    if (job.state === "done") told.push(texts.count("jobs.rows", rows));
    if ((runs || job.state === "done") && errors) told.push(texts.count("jobs.errors", errors));
    const sentence = told.join(", ");
    if (said.textContent !== sentence) said.textContent = sentence;
    said.hidden = !sentence;
  }

  /** Why it failed. @param {Job} job */
  #why(job) {
    if (!job.error) return null;
    const { texts } = this.parts;
    return make("p", { class: "problem" }, `${texts.say("jobs.why")} `, make("span", { lang: "en" }, job.error));
  }

  /** What the coded file with decisions is. @param {Job} job */
  #aboutDecided(job) {
    if (!job.files.some(({ kind }) => kind === "decided")) return null;
    return make("p", { class: "hint" }, this.parts.texts.say("jobs.decided_hint"));
  }

  /** @param {Job} job */
  #notes(job) {
    if (!job.notes.length) return null;
    const list = make("ul", { lang: "en" }, ...job.notes.map((note) => make("li", {}, note)));
    return make("details", {}, make("summary", {}, this.parts.texts.say("jobs.notes")), list);
  }

  /** @param {Job} job */
  #acts(job) {
    const { texts } = this.parts;
    const acts = [];
    if (job.review) {
      const said = texts.say("jobs.review", { n: job.review.open + job.review.lent });
      acts.push(this.#named(make("a", { class: "button", href: `/coordinator/jobs/${job.id}/review` }, said), said, job));
    }
    for (const { kind } of job.files) {
      const said = texts.say(`jobs.file.${kind}`);
      const link = make("a", { class: "button", href: `/v1/jobs/${job.id}/files/${kind}`, download: "" }, said);
      acts.push(this.#named(link, said, job));
    }
    if (job.state === "uploaded") acts.push(this.#button("prepare", job, "main"));
    if (job.state === "failed" || job.state === "cancelled") acts.push(this.#button("again", job, "main"));
    if (job.state === "queued" || job.state === "running") acts.push(this.#button("cancel", job));
    if (job.state !== "running" && job.state !== "stopping") acts.push(this.#button("delete", job, "quiet"));
    return make("div", { class: "acts" }, ...acts);
  }

  /** @param {string} name @param {Job} job @param {string} [looks] */
  #button(name, job, looks = "") {
    const said = this.parts.texts.say(`jobs.${name}`);
    const button = make("button", { type: "button", class: looks, "data-act": name }, said);
    button.addEventListener("click", () => this.parts.act(name, job));
    return this.#named(button, said, job);
  }

  /** Say of which file a button or link speaks. @param {any} element @param {string} said @param {Job} job */
  #named(element, said, job) {
    element.setAttribute("aria-label", this.parts.texts.say("jobs.of", { act: said, name: job.file_name }));
    return element;
  }
}

/** Whether two states of a job differ in nothing but how far it is. @param {Job} one @param {Job} other */
function sameBut(one, other) {
  const rest = (/** @type {any} */ { progress, ahead, updated, ...job }) => JSON.stringify(job);
  return rest(one) === rest(other);
}
