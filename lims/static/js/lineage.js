// A drawing larger than its frame opens where the record is that one came from, and the page itself stays where it is.

const frame = document.querySelector("[data-lineage]");
const here = frame?.querySelector("[data-here]");

if (here) {
  const [outer, inner] = [frame.getBoundingClientRect(), here.getBoundingClientRect()];
  const margin = 24;
  if (inner.right > outer.right) frame.scrollLeft += inner.right - outer.right + margin;
  if (inner.bottom > outer.bottom) frame.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 2;
}
