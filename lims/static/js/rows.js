// A click anywhere in a table's row follows the row's link, unless it selects text or hits a link of its own.

document.addEventListener("click", (event) => {
  const link = event.target.closest("table[data-rows] tr")?.querySelector("a[data-row-link]");
  if (!link || event.target.closest("a, button, input, label")) return;
  if (!document.getSelection().isCollapsed) return;
  if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
  else link.click();
});
