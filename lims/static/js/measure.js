// A measuring list: Enter goes to the next input and never sends the form; what is typed shows its value, and its change
// against the last reading, at once. The server computes both anew and has the last word.

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const VOLUMES = {
  half_l_w2: (long, short) => 0.5 * long * short * short,
  ellipsoid_lw2: (long, short) => (Math.PI / 6) * long * short * short,
  ellipsoid_lwh: (long, short, height) => (Math.PI / 6) * long * short * height,
};

const numberIn = (input) => (input && NUMBER.test(input.value.trim()) ? Number(input.value) : NaN);

function valueOf(entry, formula) {
  const part = (name) => numberIn(entry.querySelector(`[data-part="${name}"]`));
  if (!entry.dataset.kind.startsWith("caliper_")) return part("value");
  const [length, width] = [part("length_mm"), part("width_mm")];
  if (entry.dataset.kind === "caliper_area") return length * width;
  return VOLUMES[formula](Math.max(length, width), Math.min(length, width), part("height_mm"));
}

function shown(value, decimals) {
  if (decimals === "") return value.toExponential(2).replace("e+", "e");
  return value.toLocaleString("en", { minimumFractionDigits: Number(decimals), maximumFractionDigits: Number(decimals) });
}

function tell(entry, formula) {
  const { unit, decimals, last } = entry.dataset;
  const value = valueOf(entry, formula);
  let text = "";
  if (Number.isFinite(value)) {
    text = `${shown(value, decimals)} ${unit}`;
    const percent = 100 * (value / Number(last) - 1);
    if (Number(last) > 0) text += `, ${percent < 0 ? "\u2212" : "+"}${Math.abs(percent).toFixed(0)} %`;
  }
  entry.querySelector("[data-change]").textContent = text;
}

for (const form of document.querySelectorAll("form[data-measure]")) {
  const formula = () => form.querySelector("#formula")?.value ?? "half_l_w2";
  const entries = [...form.querySelectorAll("[data-entry]")];
  form.addEventListener("input", (event) => {
    const entry = event.target.closest("[data-entry]");
    if (entry) tell(entry, formula());
  });
  form.querySelector("#formula")?.addEventListener("change", () => entries.forEach((entry) => tell(entry, formula())));
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("input, select")) return;
    event.preventDefault();
    const inputs = [...form.querySelectorAll("input:not([type=hidden]), select")];
    const next = inputs[inputs.indexOf(event.target) + 1];
    next?.focus();
    next?.select?.();
  });
}
