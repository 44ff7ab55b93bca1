// A list of animals: Enter moves on and never sends the form; blank rows show as they are needed, and new ones come.
// A scanner writes an id and Enter, so ids go down the column one after another.

const SPARE = 3; // blank rows in sight below the last one that is filled

const inputs = (row) => [...row.querySelectorAll("input")];
const filled = (row) => inputs(row).some((input) => input.value.trim() !== "");

function addRow(body) {
  const row = body.lastElementChild.cloneNode(true);
  const index = body.rows.length;
  row.querySelector("th").textContent = index + 1;
  for (const input of inputs(row)) {
    input.value = "";
    for (const name of ["id", "name"]) input[name] = input[name].replace(/-\d+-/, `-${index}-`);
    input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/\d+$/, index + 1));
  }
  body.append(row);
}

function showRows(table) {
  const body = table.tBodies[0];
  const last = [...body.rows].findLastIndex(filled);
  while (body.rows.length < Math.min(last + 1 + SPARE, Number(table.dataset.most))) addRow(body);
  [...body.rows].forEach((row, index) => {
    row.hidden = index > last + SPARE;
  });
}

function below(input) {
  const cell = input.closest("td");
  const row = cell?.closest("tr").nextElementSibling;
  return row && !row.hidden ? row.cells[cell.cellIndex].querySelector("input") : null;
}

function following(form, field) {
  const fields = [...form.querySelectorAll("input:not([type=hidden]), select, textarea")].filter((one) => !one.closest("[hidden]"));
  return fields[fields.indexOf(field) + 1];
}

for (const form of document.querySelectorAll("form[data-enter-moves]")) {
  const table = form.querySelector("[data-rows-grow]");
  showRows(table);
  table.addEventListener("input", () => showRows(table));
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("input, select")) return;
    event.preventDefault();
    const inTable = table.contains(event.target);
    const next = inTable ? below(event.target) : following(form, event.target);
    next?.focus();
    next?.select?.();
  });
}
