// Draws every [data-plot] from the specification beside it, also of parts that come later (js/parts.js), without eval; a click on
// a mark opens its record.

/* global vegaEmbed */

const CANVAS_ABOVE = 4000; // points beyond which thousands of SVG elements would make pointing slow

function options(spec) {
  return {
    mode: "vega-lite",
    renderer: spec.data.values.length > CANVAS_ABOVE ? "canvas" : "svg",
    actions: false,
    ast: true,
    defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
  };
}

function unpacked({ fields, rows }) {
  return { values: rows.map((row) => Object.fromEntries(fields.map((field, place) => [field, row[place]]))) };
}

async function draw(area) {
  const packed = JSON.parse(document.getElementById(area.dataset.plot).textContent);
  const spec = { ...packed, data: unpacked(packed.data) };
  const { view } = await vegaEmbed(area, spec, options(spec));
  view.addEventListener("click", (event, item) => {
    const url = item?.datum?.url;
    if (url && new URL(url, location.href).origin === location.origin) location.assign(url);
  });
}

function drawAll(place) {
  for (const area of place.querySelectorAll("[data-plot]")) {
    draw(area).catch((error) => {
      area.textContent = "The plot could not be drawn; its numbers are in the table below.";
      throw error;
    });
  }
}

drawAll(document);
document.addEventListener("part:filled", (event) => drawAll(event.target));
