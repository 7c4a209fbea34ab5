// The page on files of cases: bring one, say what its columns are, try it, start it, watch it, fetch and delete it.

import { ask, send } from "./api.js";
import { byId, make, tell, Texts } from "./dom.js";
import { agreementOf, fact, isBusy, JobList, repeatedOf, timeOf } from "./joblist.js";

/** @typedef {import("./joblist.js").Job} Job */

const OFTEN = 2000; // milliseconds between two looks while something runs
const page = byId("jobs");
const texts = new Texts(JSON.parse(page.dataset.texts), document.documentElement.lang);
const endings = page.dataset.endings.split(" ");
const limit = Number(page.dataset.limit);
/** @type {Record<string, string>} names of the axes */
const axes = JSON.parse(page.dataset.axes);
const columnFields = ["text_column", "id_column", "language_column", "country_column", "date_column"];
const codedFields = Object.keys(axes).map((axis) => `coded-${axis}`);
const numbers = new Set([...columnFields, "precision", "check"]);
const fields = [...columnFields, "language", "format", "header", "sheet", "precision", "check"];
const ticks = ["keep_text", "duplicates", "wide"];

const state = {
  /** @type {Job[]} */
  jobs: [],
  /** @type {Job | null} the file that is being prepared */
  job: null,
  timer: 0,
  busy: false,
};
const list = new JobList({
  place: byId("list"),
  texts,
  axes,
  announce: (said) => (byId("announce").textContent = said),
  act,
});

// The list

/** Fetch all jobs, and again soon while one of them runs. */
async function refresh() {
  window.clearTimeout(state.timer);
  let wait = 0;
  try {
    state.jobs = await ask("/v1/jobs");
    list.show(state.jobs);
    tell(byId("list-said"), "", "");
  } catch (problem) {
    tell(byId("list-said"), "problem", texts.problem(problem), wayOut(problem));
    wait = 1000 * (/** @type {any} */ (problem).wait || 10);
  }
  if (wait || state.jobs.some(isBusy)) state.timer = window.setTimeout(refresh, wait || OFTEN);
}

/** @param {string} name @param {Job} job */
async function act(name, job) {
  if (name === "prepare" || name === "again") await prepare(job);
  else if (name === "cancel") await change(() => ask(`/v1/jobs/${job.id}/cancel`, {}));
  else askToDelete(job);
}

/** @param {() => Promise<any>} doIt */
async function change(doIt) {
  try {
    await doIt();
  } catch (problem) {
    tell(byId("list-said"), "problem", texts.problem(problem), wayOut(problem));
    return;
  }
  await refresh();
}

/** @param {Job} job */
function askToDelete(job) {
  const sure = byId("sure");
  byId("sure-name").textContent = job.file_name;
  sure.returnValue = "no";
  sure.onclose = async () => {
    if (sure.returnValue !== "yes") return;
    await change(() => ask(`/v1/jobs/${job.id}`, {}, {}, { method: "DELETE" }));
    if (state.job?.id === job.id) close();
    byId("announce").textContent = texts.say("jobs.deleted", { name: job.file_name });
    byId("list-title").focus();
  };
  sure.showModal();
}

/** What helps where trying again does not; null for other problems. @param {any} problem */
function wayOut(problem) {
  if (problem.isLogin) return make("a", { class: "button", href: "/login" }, texts.say("login_link"));
  if (!problem.isOtherPerson) return null;
  const button = make("button", { type: "button" }, texts.say("reload"));
  button.addEventListener("click", () => location.reload());
  return button;
}

// Bringing a file

async function bring(/** @type {Event} */ event) {
  event.preventDefault();
  const file = /** @type {File | undefined} */ (byId("file").files[0]);
  const said = byId("bring-said");
  if (!file) tell(said, "problem", texts.say("jobs.no_file"));
  else if (!endings.some((/** @type {string} */ ending) => file.name.toLowerCase().endsWith(ending))) {
    tell(said, "problem", texts.say("jobs.ending", { endings: endings.join(", ") }));
  } else if (file.size > limit * 1e6) tell(said, "problem", texts.say("jobs.too_large", { limit }));
  else if (!state.busy) await upload(file);
}

/** @param {File} file */
async function upload(file) {
  const said = byId("bring-said");
  state.busy = byId("upload").disabled = true;
  let told = -1;
  try {
    const job = await send("/v1/jobs", file, (share) => {
      const percent = 10 * Math.floor(10 * share); // read out now and then, not a hundred times
      if (percent > told) tell(said, "", texts.say("jobs.uploading", { percent: (told = percent) }));
    });
    byId("bring").reset();
    tell(said, "good", texts.say("jobs.uploaded", { name: job.file_name }));
    await refresh();
    await prepare(job);
  } catch (problem) {
    tell(said, "problem", texts.problem(problem), wayOut(problem));
  }
  state.busy = byId("upload").disabled = false;
}

// Preparing it

/** @param {Job} job */
async function prepare(job) {
  state.job = job;
  const title = byId("prepare-title");
  title.textContent = title.dataset.title.replace("{name}", job.file_name);
  byId("prepare").hidden = false;
  byId("rows-part").hidden = byId("options").hidden = true;
  byId("options").reset();
  byId("sheet-part").hidden = !job.file_name.toLowerCase().endsWith(".xlsx");
  tell(byId("tried"), "", "");
  showMapping();
  byId("more").open = Boolean(job.mapping || Object.keys(job.options?.coded ?? {}).length);
  title.focus();
  title.scrollIntoView({ block: "start" });
  const before = job.options ?? {};
  for (const name of ["header", "sheet"]) byId(name).value = before[name] === null ? "" : String(before[name] ?? "");
  await look(before);
}

/** Read the file as the fields say, and offer its columns. @param {Record<string, any>} [before] what was chosen */
async function look(before = {}) {
  const job = state.job;
  if (!job) return;
  tell(byId("prepare-said"), "", texts.say("jobs.looking"));
  const header = byId("header").value;
  const { encoding, delimiter } = unseen();
  const how = { header: header ? header === "true" : null, sheet: byId("sheet").value || null, encoding, delimiter };
  try {
    const found = await ask(`/v1/jobs/${job.id}/preview`, how);
    if (state.job !== job) return;
    showRows(found);
    offer(found, before);
    tell(byId("prepare-said"), "", "");
    if (found.problem) sayProblem(found.problem);
  } catch (problem) {
    tell(byId("prepare-said"), "problem", texts.problem(problem), wayOut(problem));
  }
  byId("options").hidden = false;
}

/** @param {string} sentence of the reader, which is English */
function sayProblem(sentence) {
  const said = make("p", {}, `${texts.say("jobs.unclear")} `, make("span", { lang: "en" }, sentence));
  byId("prepare-said").replaceChildren(make("div", { class: "said note" }, said));
}

/** @param {any} found */
function showRows(found) {
  const head = found.columns.map((/** @type {string} */ name, /** @type {number} */ at) =>
    make("th", { scope: "col" }, `${at + 1}. ${name}`),
  );
  byId("rows-head").replaceChildren(make("tr", {}, make("th", { scope: "col" }, texts.say("jobs.row")), ...head));
  const rows = found.rows.map((/** @type {any} */ row) => {
    const cells = row.cells.map((/** @type {string} */ cell) => make("td", {}, cell));
    return make("tr", {}, make("th", { scope: "row" }, String(row.row)), ...cells);
  });
  byId("rows").replaceChildren(...rows);
  byId("rows-part").hidden = false;
}

/** @param {any} found @param {Record<string, any>} before */
function offer(found, before) {
  const columns = found.columns.map((/** @type {string} */ name, /** @type {number} */ at) => ({ at: at + 1, name }));
  for (const name of [...columnFields, ...codedFields]) {
    const place = byId(name);
    const fixed = [...place.options].filter((option) => option.value === "" || option.value === "0");
    const offered = columns.map(({ at, name: title }) => make("option", { value: String(at) }, `${at}. ${title}`));
    place.replaceChildren(...fixed, ...offered);
    const chosen = (place.dataset.axis ? before.coded?.[place.dataset.axis]?.[0] : before[name]) ?? found[name];
    place.value = chosen === null || chosen === undefined ? "" : String(chosen);
  }
  byId("joins").replaceChildren(
    ...columns.map(({ at, name }) => {
      const box = make("input", { type: "checkbox", value: String(at), checked: (before.joins ?? []).includes(at) });
      return make("label", { class: "tick" }, box, make("span", {}, `${at}. ${name}`));
    }),
  );
  byId("joins-part").hidden = columns.length < 2;
  for (const name of ["language", "format", "precision"]) byId(name).value = String(before[name] ?? "");
  byId("check").value = String(before.check ?? 100);
  for (const name of ticks) byId(name).checked = Boolean(before[name] ?? name === "duplicates");
  withoutNarrative();
}

/** The narrative itself is no further column of the narrative. */
function withoutNarrative() {
  for (const box of byId("joins").querySelectorAll("input")) {
    const is = box.value === byId("text_column").value;
    box.closest("label").hidden = is;
    if (is) box.checked = false;
  }
}

/** What a program has chosen for this file, and the page does not show. */
function unseen() {
  const { encoding, delimiter, all_codes } = state.job?.options ?? {};
  return state.job?.options ? { encoding, delimiter, all_codes } : {};
}

/** The columns with codes of an axis: the chosen one, with the others that a program chose after it. @param {any} place */
function columnsOf(place) {
  const before = state.job?.options?.coded?.[place.dataset.axis] ?? [];
  return before[0] === Number(place.value) ? before : [Number(place.value)];
}

/** What is chosen, as the service takes it. */
function chosen() {
  /** @type {Record<string, any>} */
  const found = { ...unseen(), joins: [...byId("joins").querySelectorAll("input:checked")].map((box) => Number(box.value)) };
  for (const name of fields) {
    const { value } = byId(name);
    if (value === "") continue;
    found[name] = numbers.has(name) ? Number(value) : name === "header" ? value === "true" : value.trim();
  }
  for (const name of ticks) found[name] = byId(name).checked;
  const coded = codedFields.map(byId).filter((place) => place.value);
  found.coded = Object.fromEntries(coded.map((place) => [place.dataset.axis, columnsOf(place)]));
  found.report_language = document.documentElement.lang;
  return found;
}

// The table from old labels to codes

/** Say which one goes with the file. */
function showMapping() {
  const mapping = state.job?.mapping;
  if (!mapping) return tell(byId("mapping-said"), "", "");
  const remove = make("button", { type: "button", id: "mapping-remove" }, texts.say("jobs.mapping_remove"));
  remove.addEventListener("click", () => changeMapping((path) => ask(path, {}, {}, { method: "DELETE" })));
  const said = `${texts.say("jobs.mapping_used", { name: mapping.file_name })}: ${texts.count("jobs.labels", mapping.labels)}`;
  tell(byId("mapping-said"), "good", said, remove);
}

async function bringMapping() {
  const file = /** @type {File | undefined} */ (byId("mapping").files[0]);
  const { mappingEndings, mappingLimit } = page.dataset;
  const said = byId("mapping-said");
  if (!file) return;
  if (!mappingEndings.split(" ").some((/** @type {string} */ ending) => file.name.toLowerCase().endsWith(ending))) {
    tell(said, "problem", texts.say("jobs.ending", { endings: mappingEndings.split(" ").join(", ") }));
  } else if (file.size > Number(mappingLimit) * 1e6) {
    tell(said, "problem", texts.say("jobs.too_large", { limit: mappingLimit }));
  } else await changeMapping((path) => send(path, file, () => {}, "PUT"));
  byId("mapping").value = ""; // so that the same file can be chosen again when it is mended
}

/** @param {(path: string) => Promise<Job>} change */
async function changeMapping(change) {
  const job = state.job;
  if (!job || state.busy) return;
  state.busy = true;
  tell(byId("mapping-said"), "", texts.say("jobs.mapping_checking"));
  try {
    const changed = await change(`/v1/jobs/${job.id}/mapping`);
    if (state.job === job) state.job = changed;
    showMapping();
    if (!changed.mapping) byId("mapping").focus();
  } catch (problem) {
    tell(byId("mapping-said"), "problem", texts.problem(problem), wayOut(problem));
  }
  state.busy = false;
}

/** Whether the narrative is chosen; else it says so. */
function isChosen() {
  if (byId("text_column").value) return true;
  tell(byId("tried"), "problem", texts.say("jobs.choose_text"));
  byId("text_column").focus();
  return false;
}

async function tryIt() {
  const job = state.job;
  if (!job || state.busy || !isChosen()) return;
  state.busy = true;
  tell(byId("tried"), "", texts.say("jobs.trying"));
  try {
    const codebook = ask(`/v1/codebook?language=${document.documentElement.lang}`);
    const found = await ask(`/v1/jobs/${job.id}/dry-run`, chosen());
    if (state.job === job) byId("tried").replaceChildren(...forecast(found, labelsOf(await codebook)));
  } catch (problem) {
    tell(byId("tried"), "problem", texts.problem(problem), wayOut(problem));
  }
  state.busy = false;
}

/** The labels of all codes. @param {import("./api.js").Codebook} codebook @returns {Map<string, string>} */
function labelsOf(codebook) {
  return new Map(codebook.axes.flatMap((axis) => axis.codes.map(({ code, label }) => [code, label])));
}

/** @param {any} found @param {Map<string, string>} labels @returns {HTMLElement[]} */
function forecast(found, labels) {
  const { rows, sampled, hours, statuses } = found.forecast;
  const facts = { rows: texts.count("jobs.rows", rows), empty: found.empty, unreadable: found.unreadable };
  const said = [texts.say("jobs.total", facts), texts.count("jobs.sampled", sampled)];
  said.push(texts.say("jobs.promised", { percent: Math.round(1000 * found.forecast.precision) / 10 }));
  if (hours !== null) said.push(texts.say("jobs.time", { time: timeOf(texts, 3600 * hours) }));
  const shares = Object.entries(statuses).map(([status, { share, estimated }]) => {
    const counted = `${sampled < rows ? "≈\u00a0" : ""}${texts.count("jobs.rows", estimated)}`;
    const about = texts.say("jobs.about", { rows: counted, share: Math.round(100 * share) });
    return fact(texts.say(`jobs.status.${status}`), about);
  });
  if (found.duplicates) shares.push(repeatedOf(texts, found.duplicates));
  shares.push(...agreementOf(texts, axes, found.people));
  if (found.unmapped.labels) shares.push(unmappedOf(found.unmapped));
  const examples = found.examples.map((/** @type {any} */ item) =>
    make(
      "li",
      {},
      make("p", { class: "narrative", translate: false }, item.redacted_text),
      make("p", { class: "hint" }, item.suggestions.map((/** @type {any} */ one) => labels.get(one.code) ?? one.code).join("; ")),
    ),
  );
  const shown = examples.length
    ? [make("h4", {}, texts.say("jobs.examples")), make("ul", { class: "examples" }, ...examples)]
    : [];
  return [make("p", {}, said.join(" ")), make("dl", { class: "facts" }, ...shares), ...shown];
}

/** Labels that no table explains, the most frequent first. @param {any} unmapped */
function unmappedOf({ labels, rows, most_frequent: first }) {
  const said = texts.say("jobs.unmapped", { labels: texts.count("jobs.labels", labels), rows: texts.count("jobs.rows", rows) });
  const listed = first.map((/** @type {any} */ one) => make("li", {}, `${one.label} (${one.rows})`));
  const list = make("ul", { class: "labels", translate: false }, ...listed);
  return make("div", { class: "wide" }, make("dt", {}, texts.say("jobs.unmapped_labels")), make("dd", {}, said, list));
}

async function start(/** @type {Event} */ event) {
  event.preventDefault();
  const job = state.job;
  if (!job || state.busy || !isChosen()) return;
  state.busy = true;
  try {
    const started = await ask(`/v1/jobs/${job.id}/start`, chosen());
    close();
    tell(byId("bring-said"), "", "");
    await refresh();
    document.getElementById(`job-${started.id}`)?.focus();
  } catch (problem) {
    tell(byId("tried"), "problem", texts.problem(problem), wayOut(problem));
  }
  state.busy = false;
}

function close() {
  state.job = null;
  byId("prepare").hidden = true;
  for (const id of ["rows", "rows-head", "joins", "tried", "mapping-said"]) byId(id).replaceChildren(); // no cell stays in the page
  byId("list-title").focus();
}

byId("bring").addEventListener("submit", bring);
byId("options").addEventListener("submit", start);
byId("try").addEventListener("click", tryIt);
byId("look-again").addEventListener("click", () => look(chosen()));
byId("close").addEventListener("click", close);
byId("mapping").addEventListener("change", bringMapping);
byId("text_column").addEventListener("change", withoutNarrative);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") refresh(); // somebody may have brought or decided something meanwhile
});
refresh();
