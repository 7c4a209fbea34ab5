// The page for case entry: the parts and how they hang together. Nothing is kept in the browser.

import { ask } from "./api.js";
import { CaseNumber } from "./casenumber.js";
import { Chips, labelsOf, nothingOf } from "./chips.js";
import { Combobox, entriesOf } from "./combobox.js";
import { Decisions, keyOf } from "./decisions.js";
import { byId, make, tell, Texts } from "./dom.js";
import { Keeping } from "./keeping.js";
import { Preview } from "./preview.js";
import { Redacted } from "./redaction.js";
import { Suggester } from "./suggester.js";

/** @typedef {import("./api.js").Answer} Answer */
/** @typedef {import("./suggester.js").Asked} Asked */

const page = byId("entry");
const language = document.documentElement.lang;
const texts = new Texts(JSON.parse(page.dataset.texts), language);
const fields = { text: byId("text"), language: byId("language"), country: byId("country"), case_id: byId("case") };
const sections = [...page.querySelectorAll("section")].filter((section) => section.id !== "save-part");

/** The case at hand. */
const state = {
  decisions: new Decisions(),
  /** @type {Answer | null} */
  answer: null,
  /** @type {Asked | null} what the answer is on */
  asked: null,
  /** @type {string | null} name and version of the codebook whose labels are shown */
  codebook: null,
  /** @type {number} when the first suggestions were seen */
  since: 0,
  /** @type {string | null} the suggested code that the search looks for another one for */
  insteadOf: null,
};
const caseNumber = new CaseNumber(next);
const suggester = new Suggester({ read: asked, answered, failed, busy });
const preview = new Preview(texts, tally);
const chips = new Chips({
  place: byId("codes"),
  texts,
  decisions: state.decisions,
  decided,
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
const keeping = new Keeping({ state, texts, chips, preview, suggester, sections, isCurrent, undecided, wayOut });
const waiting = [...byId("codes").childNodes];

// Reading the text

/** @returns {Asked} */
function asked() {
  const trimmed = (/** @type {any} */ field) => field.value.trim() || null;
  return {
    text: fields.text.value,
    language: trimmed(fields.language),
    country: trimmed(fields.country),
    case_id: trimmed(fields.case_id),
  };
}

/** Whether the suggestions and the preview are of what stands in the fields. */
function isCurrent() {
  return JSON.stringify(asked()) === JSON.stringify(state.asked);
}

function typed() {
  preview.setOld(!isCurrent());
  if (fields.text.value.trim()) suggester.changed();
  else forget();
}

/** @param {Asked} of @param {Answer} answer */
function answered(of, answer) {
  if (of.case_id !== asked().case_id) return; // another case may be one that is coded without suggestions
  const older = preview.redacted;
  const before = suggestedKeys(state.answer);
  state.answer = answer;
  state.asked = of;
  state.since ||= Date.now();
  state.decisions.settle(answer);
  if (answer.receipt !== null && !answer.withheld) caseNumber.fix(true);
  const redacted = new Redacted(of.text, answer.redacted_text, answer.entities);
  if (older) redacted.carryOver(older);
  preview.set(redacted, answer.doubts);
  preview.setOld(!isCurrent());
  chips.answer = answer;
  chips.draw();
  tell(byId("reading"), "", "");
  if (state.codebook !== null && state.codebook !== answer.codebook) loadCodebook(); // the service has other models now
  if (suggestedKeys(answer) !== before) announce(answer);
  byId("keeping").hidden = byId("save").hidden = answer.receipt === null;
  byId("copying").hidden = answer.receipt !== null;
  tally();
}

/** @param {Answer | null} answer */
function suggestedKeys(answer) {
  return answer?.suggestions.filter((item) => item.suggested).map(keyOf).sort().join() ?? null;
}

/** @param {Answer} answer */
function announce(answer) {
  const n = answer.suggestions.filter((item) => item.suggested).length;
  byId("announce").textContent = answer.withheld ? texts.say("withheld") : n ? texts.count("count", n) : texts.say("none");
}

/** @param {any} problem */
function failed(problem) {
  tell(byId("reading"), "problem", texts.problem(problem), wayOut(problem) ?? again());
  if (problem.wait) window.setTimeout(() => isCurrent() || suggester.changed(), 1000 * problem.wait);
}

function again() {
  const button = make("button", { type: "button" }, texts.say("again"));
  button.addEventListener("click", () => suggester.now());
  return button;
}

/** What helps where neither waiting nor trying again does; null for other problems. @param {any} problem */
function wayOut(problem) {
  return problem.isLogin ? loginLink() : problem.isOtherPerson ? reloadButton() : null;
}

/** Loads the page of whoever is logged in now; the browser asks first, since the text is gone then. */
function reloadButton() {
  const button = make("button", { type: "button" }, texts.say("reload"));
  button.addEventListener("click", () => location.reload());
  return button;
}

function loginLink() {
  return make("a", { class: "button", href: "/login", target: "_blank", rel: "noopener" }, texts.say("login_link"));
}

/** @param {boolean} is */
function busy(is) {
  byId("busy").hidden = !is;
  byId("busy").textContent = texts.say("busy");
  byId("codes").setAttribute("aria-busy", String(is));
}

// Deciding on codes

function decided() {
  chips.draw();
  tally();
}

/** @param {import("./api.js").Suggestion | null} item */
function light(item) {
  preview.light(item, item ? chips.labelOf(item) : "");
}

/** @param {import("./combobox.js").Entry} entry */
function add({ axis, code }) {
  state.decisions.add({ axis, code }, state.insteadOf === code ? null : state.insteadOf);
  dontReplace();
  decided();
}

/** Look for another code of the same axis. @param {import("./decisions.js").Choice} choice */
function replace({ axis, code }) {
  state.insteadOf = code;
  search.axis = axis;
  const cancel = make("button", { type: "button", class: "quiet" }, texts.say("instead_cancel"));
  cancel.addEventListener("click", dontReplace);
  byId("instead").replaceChildren(texts.say("instead", { label: chips.labelOf({ axis, code }) }), cancel);
  byId("instead").hidden = false;
  byId("search").focus();
  byId("search").scrollIntoView({ block: "center" });
  search.open();
}

function dontReplace() {
  state.insteadOf = null;
  search.axis = null;
  byId("instead").hidden = true;
}

/** Say how many codes are chosen and how many suggestions are open. */
function tally() {
  const { decisions } = state;
  const chosen = decisions.chosen();
  const open = decisions.open().length;
  const openSaid = open ? [texts.count("open", open)] : [];
  const said = [texts.count("chosen", chosen.length), ...openSaid, ...leaderless(), ...empty()];
  byId("tally").textContent = state.answer || chosen.length ? said.join(" ") : "";
  byId("undecided").textContent = "";
  const rows = chips.axes.map((axis) => {
    const codes = chosen.filter((item) => item.axis === axis.axis).map((item) => item.code);
    if (decisions.nothing.has(axis.axis)) codes.push(nothingOf(axis, texts));
    return codes.length ? `${axis.axis}: ${codes.join("; ")}` : "";
  });
  byId("copied").value = rows.filter(Boolean).join("\n");
}

/** A sentence that names the axes on which nothing is decided and no suggestion waits. @returns {string[]} */
function empty() {
  const waits = new Set(state.decisions.open().map((item) => item.axis));
  const axes = undecided().filter((axis) => !waits.has(axis.axis));
  return axes.length ? [texts.say("empty", { axes: labelsOf(axes) })] : [];
}

function undecided() {
  return chips.axes.filter((axis) => !state.decisions.isDecided(axis.axis));
}

/** A sentence that asks for leading codes, where an axis with several codes has none. @returns {string[]} */
function leaderless() {
  const { decisions } = state;
  const has = (/** @type {string} */ id) => decisions.chosen().some((item) => item.axis === id);
  const axes = chips.axes.filter((axis) => axis.primary && has(axis.axis) && !decisions.leading(axis.axis));
  return axes.length ? [texts.say("leaderless", { axes: labelsOf(axes) })] : [];
}

async function copy() {
  const field = byId("copied");
  field.select();
  // Without HTTPS there is no clipboard: then the codes are selected, ready to be copied.
  await navigator.clipboard?.writeText(field.value).then(() => tell(byId("result"), "", texts.say("copied")), () => {});
}

// From case to case

/** Forget suggestions and decisions, as for a text that is gone. */
function forget() {
  suggester.forget();
  state.decisions = chips.parts.decisions = new Decisions();
  state.answer = state.asked = chips.answer = null;
  state.since = 0;
  preview.set(null);
  byId("codes").replaceChildren(...waiting);
  tell(byId("reading"), "", "");
  byId("announce").textContent = "";
  tally();
}

function next() {
  if (keeping.saving) return;
  fields.text.value = fields.case_id.value = byId("words").value = byId("search").value = "";
  dontReplace();
  forget();
  caseNumber.fix(false);
  keeping.begin(page.dataset.keeps === "yes");
  fields.case_id.focus();
}

/** The codebook in the language of the page; without it there are no labels, so it is asked for until it comes. */
async function loadCodebook() {
  try {
    const codebook = await ask(`/v1/codebook?language=${language}`);
    state.codebook = `${codebook.codebook} ${codebook.version}`;
    chips.axes = codebook.axes;
    search.entries = entriesOf(codebook);
    preview.setTypes(codebook.identifiers);
    if (state.answer) chips.draw();
    tell(byId("reading"), "", "");
  } catch (problem) {
    const button = make("button", { type: "button" }, texts.say("again"));
    button.addEventListener("click", loadCodebook);
    tell(byId("reading"), "problem", texts.problem(problem), button);
  }
}

for (const field of Object.values(fields)) field.addEventListener("input", typed);
byId("save").addEventListener("click", () => keeping.save());
byId("next").addEventListener("click", next);
byId("copy").addEventListener("click", copy);
window.addEventListener("beforeunload", (event) => {
  if (fields.text.value.trim() && !keeping.saved) event.preventDefault();
});
loadCodebook();
