// Arrow keys walk through the positions of a box; Home and End go to the ends of a row.

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

for (const grid of document.querySelectorAll("[data-grid]")) {
  const rows = [...grid.tBodies[0].rows].map((row) => [...row.cells].slice(1).map((cell) => cell.querySelector("a, button")));
  grid.addEventListener("keydown", (event) => {
    const row = rows.findIndex((cells) => cells.includes(event.target));
    if (row < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const column = rows[row].indexOf(event.target);
    const step = STEPS[event.key];
    const next = step ? rows[row + step[0]]?.[column + step[1]] : { Home: rows[row][0], End: rows[row].at(-1) }[event.key];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}
