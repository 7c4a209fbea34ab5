// The coordinator's page works without this script: it sorts the table of codes and asks before an export.

const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });

/**
 * What a cell is sorted by; empty for one that has no value.
 * @param {HTMLTableRowElement} row @param {number} column
 */
function valueOf(row, column) {
  const cell = row.cells[column];
  return cell.dataset.value ?? (cell.textContent ?? "").trim();
}

/** @param {HTMLTableElement} table @param {HTMLTableCellElement} head */
function sort(table, head) {
  const isNumber = head.dataset.sort === "number";
  const was = head.getAttribute("aria-sort");
  // Numbers begin with the largest, texts with the first.
  const order = was ? (was === "ascending" ? "descending" : "ascending") : isNumber ? "descending" : "ascending";
  const sign = order === "ascending" ? 1 : -1;
  const body = table.tBodies[0];
  const rows = [...body.rows].sort((one, other) => {
    const [a, b] = [valueOf(one, head.cellIndex), valueOf(other, head.cellIndex)];
    if (!a || !b) return Number(!a) - Number(!b); // what has no value stands last, in either order
    return sign * (isNumber ? Number(a) - Number(b) : collator.compare(a, b));
  });
  body.append(...rows);
  for (const cell of head.parentElement?.children ?? []) cell.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const done = document.getElementById("sorted");
  const said = table.dataset[order === "ascending" ? "up" : "down"] ?? "";
  if (done) done.textContent = fill(table.dataset.done ?? "", { column: head.textContent ?? "", order: said });
}

/** @param {string} sentence @param {Record<string, string>} values */
function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

for (const table of /** @type {NodeListOf<HTMLTableElement>} */ (document.querySelectorAll("table.sortable"))) {
  for (const head of /** @type {NodeListOf<HTMLTableCellElement>} */ (table.querySelectorAll("th[data-sort]"))) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.title = fill(table.dataset.by ?? "", { column: head.textContent ?? "" });
    button.addEventListener("click", () => sort(table, head));
    head.replaceChildren(button);
  }
}

const link = /** @type {HTMLAnchorElement | null} */ (document.getElementById("export"));
const sure = /** @type {HTMLDialogElement | null} */ (document.getElementById("export-sure"));
if (link && sure) {
  let asked = false;
  link.addEventListener("click", (event) => {
    if (asked) return;
    event.preventDefault();
    sure.returnValue = "no";
    sure.showModal();
  });
  sure.addEventListener("close", () => {
    if (sure.returnValue !== "yes") return;
    asked = true;
    link.click();
    asked = false;
  });
}
