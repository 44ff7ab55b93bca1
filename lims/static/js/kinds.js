// Of values that belong to some kinds alone, those of the chosen kind are in sight, and any that was filled in or refused.

const kind = document.querySelector("select#kind");
const values = [...document.querySelectorAll("[data-kinds]")];

function show() {
  for (const value of values) {
    const needed = !kind.value || value.dataset.kinds.split(" ").includes(kind.value);
    value.closest(".field").hidden = !needed && value.value === "" && value.getAttribute("aria-invalid") !== "true";
  }
  for (const group of new Set(values.map((value) => value.closest("fieldset")))) {
    group.hidden = [...group.querySelectorAll(".field")].every((field) => field.hidden);
  }
}

if (kind) {
  kind.addEventListener("change", show);
  show();
}
