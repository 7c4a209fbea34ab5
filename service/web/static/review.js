// Rows to look at, one at a time, by mouse, touch or single keys. Nothing is kept in the browser.

import { ask } from "./api.js";
import { Chips } from "./chips.js";
import { Combobox, entriesOf } from "./combobox.js";
import { Decisions } from "./decisions.js";
import { byId, make, tell, Texts } from "./dom.js";
import { Preview } from "./preview.js";
import { Redacted } from "./redaction.js";

/**
 * @typedef {import("./decisions.js").Choice} Choice
 * @typedef {{row: number, case: string | null, language: string, redacted_text: string, uncertainty: number,
 *   suggestions: import("./api.js").Suggestion[], primary: Record<string, string | null>,
 *   people: Record<string, {codes: string[], nothing: boolean, unknown: number}>, differs: string[], repeats: number,
 *   not_a_violation: number | null, doubts: import("./api.js").Span[]}} Item
 * @typedef {{item: Item, decisions: Decisions, redacted: Redacted, since: number, isCorrected: boolean,
 *   isDecided: boolean}} Seen
 */

const page = byId("review");
const texts = new Texts(JSON.parse(page.dataset.texts), document.documentElement.lang);
const path = `/v1/jobs/${page.dataset.job}/review`;
const buttons = ["accept", "correct", "skip", "undo", "previous", "next"].map((id) => byId(id));

const state = {
  /** @type {Seen[]} rows of this page, in the order in which they came */
  seen: [],
  at: -1,
  busy: false,
  skipped: false,
  /** @type {string | null} the suggested code that the search looks for another one for */
  insteadOf: null,
};
const preview = new Preview(texts, () => {});
const chips = new Chips({
  place: byId("codes"),
  texts,
  decisions: new Decisions(),
  decided: changed,
  replace,
  light,
  isPreview: (node) => byId("preview").contains(node),
});
const search = new Combobox({
  input: byId("search"),
  list: byId("listbox"),
  found: byId("found"),
  texts,
  choose: add,
  cancel: dontReplace,
});

/** The row on the screen. @returns {Seen | undefined} */
const now = () => state.seen[state.at];

// Showing a row

/** @param {Item} item @returns {Seen} */
function newSeen(item) {
  const decisions = new Decisions();
  decisions.settle(answerOf(item));
  const redacted = new Redacted(item.redacted_text, item.redacted_text, []);
  return { item, decisions, redacted, since: Date.now(), isCorrected: false, isDecided: false };
}

/** @param {Item} item @returns {import("./api.js").Answer} */
const answerOf = (item) => ({ ...item, entities: [], withheld: false, receipt: null });

function show() {
  const seen = now();
  byId("row").hidden = !seen;
  for (const button of buttons) if (button.id !== "undo") button.disabled = !seen;
  if (!seen) return;
  const { item } = seen;
  const values = { row: item.row, case: item.case ?? "" };
  byId("row-title").textContent = texts.say(item.case ? "review.case" : "review.row", values);
  byId("row-title").dataset.row = String(item.row);
  const facts = [texts.say("review.unsure", { percent: Math.round(100 * item.uncertainty) })];
  if (item.repeats) facts.push(texts.count("review.repeats", item.repeats));
  byId("row-facts").textContent = facts.join(" · ");
  showPeople(item);
  byId("preview").lang = item.language;
  chips.answer = answerOf(item);
  chips.parts.decisions = seen.decisions;
  dontReplace();
  preview.set(seen.redacted, item.doubts);
  chips.draw();
  lightAll();
  drawActs();
}

/** What people coded before, and on which axes the suggestions differ from that. @param {Item} item */
function showPeople({ people, differs }) {
  const nameOf = (/** @type {string} */ axis) => chips.axes.find((one) => one.axis === axis)?.label ?? axis;
  const said = Object.entries(people).map(([axis, { codes, nothing, unknown }]) => {
    const labels = codes.map((code) => chips.labelOf({ axis, code }));
    if (nothing) labels.push(texts.say("review.accept_none"));
    if (unknown) labels.push(texts.count("review.unknown", unknown));
    return make("li", {}, `${nameOf(axis)}: ${labels.join("; ")}`);
  });
  const parts = [make("p", {}, texts.say("review.people")), make("ul", {}, ...said)];
  if (differs.length) parts.unshift(make("p", {}, texts.say("review.differs", { axes: differs.map(nameOf).join(", ") })));
  byId("row-people").hidden = !said.length;
  byId("row-people").replaceChildren(make("div", {}, ...parts));
}

/** What the buttons say and whether they can be pressed. */
function drawActs() {
  const seen = now();
  if (!seen) return;
  const offered = seen.item.suggestions.some((item) => item.suggested);
  const coded = Object.keys(seen.item.people).length > 0;
  name("accept", offered ? null : texts.say(coded ? "review.accept_people" : "review.accept_none"));
  name("correct", seen.isCorrected ? texts.say("review.save") : null);
  byId("correct").classList.toggle("main", seen.isCorrected);
  byId("accept").classList.toggle("main", !seen.isCorrected);
  for (const id of ["accept", "correct", "skip"]) byId(id).disabled = seen.isDecided;
  byId("accept").disabled ||= seen.isCorrected;
  byId("codes").inert = byId("hide").inert = byId("search").disabled = seen.isDecided;
  byId("previous").disabled = state.at <= 0;
}

/** @param {string} id @param {string | null} said null for what the page says anyhow */
function name(id, said) {
  const place = byId(id).querySelector(".name");
  place.dataset.usual ??= place.textContent;
  place.textContent = said ?? place.dataset.usual;
}

/** @param {import("./api.js").Suggestion | null} item */
function light(item) {
  if (item) preview.light(item, chips.labelOf(item));
  else lightAll();
}

/** Light up what speaks for all that is suggested. */
function lightAll() {
  const offered = now()?.item.suggestions.filter((item) => item.suggested) ?? [];
  const evidence = offered.flatMap((item) => item.evidence);
  const all = { axis: "", code: "", probability: 0, decision: "", suggested: true, evidence };
  preview.light(evidence.length ? all : null, texts.say("review.suggested_all"));
}

/** @param {{open: number, lent: number, done: number, skipped: number}} counts */
function count({ open, lent, done, skipped }) {
  const total = open + lent + done + skipped;
  byId("counts").textContent = texts.say("review.counts", { done, total, skipped, lent });
}

/** @param {string} sentence @param {string} [looks] @param {HTMLElement | null} [act] */
function say(sentence, looks = "", act = null) {
  tell(byId("said"), looks, sentence, act);
}

/** @param {any} problem */
function failed(problem) {
  const act = problem.isLogin
    ? make("a", { class: "button", href: "/login", target: "_blank", rel: "noopener" }, texts.say("login_link"))
    : null;
  say(texts.problem(problem), "problem", act);
}

// From row to row

/** Do one thing at a time. @param {() => Promise<void>} doIt */
async function alone(doIt) {
  if (state.busy) return;
  state.busy = true;
  try {
    await doIt();
  } catch (problem) {
    failed(problem);
  }
  state.busy = false;
}

/** Fetch another row than those that wait on this page. */
async function fetchNext() {
  const held = state.seen.filter((seen) => !seen.isDecided).map((seen) => seen.item.row);
  const found = await ask(`${path}/next`, { held, skipped: state.skipped });
  count(found.counts);
  if (found.item) {
    state.seen.push(newSeen(found.item));
    state.at = state.seen.length - 1;
  } else {
    await nothingLeft(found.counts);
  }
  show();
  focusRow();
}

/** @param {{lent: number, skipped: number, open: number}} counts */
async function nothingLeft(counts) {
  const waiting = state.seen.findIndex((seen) => !seen.isDecided);
  state.at = waiting; // a row that was gone past is looked at again
  if (waiting >= 0) return;
  if (state.skipped) state.skipped = false;
  say(texts.say(counts.lent ? "review.lent" : "review.empty"), "note", counts.skipped ? skippedButton() : null);
}

function skippedButton() {
  const button = make("button", { type: "button", id: "look-skipped" }, texts.say("review.skipped"));
  button.addEventListener("click", () => {
    state.skipped = true;
    say("");
    alone(fetchNext);
  });
  return button;
}

function focusRow() {
  if (!now()) {
    byId("said").querySelector("button")?.focus();
    return;
  }
  byId("row-title").focus({ preventScroll: true });
  byId("row").scrollIntoView({ block: "nearest" });
}

/** To the next row that is not decided; a new one after the last. */
async function forward() {
  const further = state.seen.findIndex((seen, at) => at > state.at && !seen.isDecided);
  if (further < 0) return fetchNext();
  state.at = further;
  show();
  focusRow();
}

function back() {
  if (state.at <= 0) {
    say(texts.say("review.first"));
    return;
  }
  state.at -= 1;
  show();
  say(now()?.isDecided ? texts.say("review.decided") : "");
  focusRow();
}

// Deciding

/** @param {"accept" | "correct" | "skip"} act @param {object} more @param {string} said */
async function decide(act, more, said) {
  const seen = now();
  if (!seen || seen.isDecided) return;
  const seconds = Math.min(86_400, (Date.now() - seen.since) / 1000);
  const { row } = seen.item;
  try {
    const stored = await ask(`${path}/${row}`, { act, seconds, ...textOf(seen), ...more });
    count(stored.counts);
  } catch (problem) {
    if (/** @type {any} */ (problem).code !== "review.gone") throw problem;
    state.seen.splice(state.at, 1); // it is with somebody else: the next one
    state.at -= 1;
    await forward();
    throw problem;
  }
  seen.isDecided = true;
  say(texts.say(said, { row }));
  await forward();
}

/** The text, where more was hidden in it. @param {Seen} seen */
function textOf({ redacted, item }) {
  if (redacted.text === item.redacted_text) return {};
  return { redacted_text: redacted.text, corrections: redacted.corrections() };
}

async function accept() {
  if (now()?.isCorrected) say(texts.say("review.finish_first"), "note");
  else await decide("accept", {}, "review.accepted");
}

async function correct() {
  const seen = now();
  if (!seen || seen.isDecided) return;
  if (!seen.isCorrected) {
    for (const item of seen.decisions.suggested) seen.decisions.mark(item, "accepted");
    changed();
    say(texts.say("review.correcting"));
    /** @type {HTMLElement} */ (byId("codes").querySelector(".chip button") ?? byId("search")).focus();
    return;
  }
  const { decisions } = seen;
  const hasLeading = (/** @type {string} */ id) => chips.axes.some((axis) => axis.axis === id && axis.primary);
  const nothing = chips.axes.map((axis) => axis.axis).filter((axis) => decisions.nothing.has(axis));
  await decide("correct", { verdicts: decisions.verdicts(hasLeading), nothing }, "review.corrected");
}

/** Something was changed by hand: this is a correction now. */
function changed() {
  const seen = now();
  if (!seen) return;
  seen.isCorrected = true;
  chips.draw();
  drawActs();
}

function drop() {
  const seen = now();
  if (!seen?.isCorrected || seen.isDecided) return;
  seen.decisions = newSeen(seen.item).decisions;
  seen.isCorrected = false;
  show();
  say(texts.say("review.dropped"));
  focusRow();
}

async function undo() {
  const { item, counts } = await ask(`${path}/undo`, {});
  count(counts);
  if (!item) {
    say(texts.say("review.nothing_undone"));
    return;
  }
  const known = state.seen.findIndex((seen) => seen.item.row === item.row);
  if (known >= 0) state.seen[known] = newSeen(item);
  else state.seen.push(newSeen(item));
  state.at = known >= 0 ? known : state.seen.length - 1;
  show();
  say(texts.say("review.undone", { row: item.row }));
  focusRow();
}

/** @param {Choice} choice */
function add({ axis, code }) {
  now()?.decisions.add({ axis, code }, state.insteadOf === code ? null : state.insteadOf);
  dontReplace();
  changed();
}

/** Look for another code of the same axis. @param {Choice} choice */
function replace({ axis, code }) {
  state.insteadOf = code;
  search.axis = axis;
  const cancel = make("button", { type: "button", class: "quiet" }, texts.say("instead_cancel"));
  cancel.addEventListener("click", dontReplace);
  byId("instead").replaceChildren(texts.say("instead", { label: chips.labelOf({ axis, code }) }), cancel);
  byId("instead").hidden = false;
  byId("search").focus();
  search.open();
}

function dontReplace() {
  state.insteadOf = null;
  search.axis = null;
  byId("instead").hidden = true;
}

// Keys

/** @type {Record<string, () => Promise<void>>} */
const acts = {
  a: accept,
  c: correct,
  s: () => decide("skip", {}, "review.was_skipped"),
  u: undo,
  j: forward,
  k: async () => back(),
};

/** @param {KeyboardEvent} event */
function pressed(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.key === "Escape" && !target.matches("input, select, textarea")) return drop();
  if (!byId("keys").checked || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (target.matches("input:not([type='checkbox'], [type='radio']), select, textarea")) return;
  // The letter that is printed on the key, also where the layout is Cyrillic.
  const letter = /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : event.code.replace(/^Key/, "").toLowerCase();
  const act = acts[letter];
  if (!act) return;
  event.preventDefault();
  alone(act);
}

async function begin() {
  say(texts.say("review.loading"));
  try {
    const codebook = await ask(`/v1/codebook?language=${document.documentElement.lang}`);
    chips.axes = codebook.axes;
    search.entries = entriesOf(codebook);
    preview.setTypes(codebook.identifiers);
    say("");
    await alone(fetchNext);
  } catch (problem) {
    const again = make("button", { type: "button" }, texts.say("again"));
    again.addEventListener("click", begin);
    say(texts.problem(problem), "problem", again);
  }
}

for (const [id, letter] of [["accept", "a"], ["correct", "c"], ["skip", "s"], ["undo", "u"], ["previous", "k"], ["next", "j"]]) {
  byId(id).addEventListener("click", () => alone(acts[letter]));
}
document.addEventListener("keydown", pressed);
// Whoever leaves keeps nobody waiting: rows that are not decided go back to the queue.
window.addEventListener("pagehide", () => {
  if (state.seen.some((seen) => !seen.isDecided)) ask(`${path}/release`, {}, {}, { keepalive: true }).catch(() => {});
});
begin();
