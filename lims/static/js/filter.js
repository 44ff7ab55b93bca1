// A filter bar sends itself when a choice changes, without its empty fields.

for (const form of document.querySelectorAll("form[data-filter]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, [data-date]")) form.requestSubmit();
  });
  form.addEventListener("submit", () => {
    for (const field of form.elements) {
      if (field.name && field.value === "") field.disabled = true;
    }
  });
}

// Coming back to the page must not leave the emptied fields disabled.
window.addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("form[data-filter] :disabled")) field.disabled = false;
});
