// The form of a dose tells which volume follows for the animal, the agent and the day, as soon as those are typed. Recording
// computes it anew and has the last word; without script the volume is told where the dose was recorded.

const ASKED = { animal: "animal_id", agent: "agent_id", regimen: "regimen_id", on: "given_on" };
const PAUSE = 250;

const told = document.querySelector("[data-volume]");
const form = told?.closest("form");
let asked = "";
let waiting;

async function ask() {
  const typed = Object.entries(ASKED).map(([name, field]) => [name, form.elements[field]?.value.trim() ?? ""]);
  const query = new URLSearchParams(typed).toString();
  if (query === asked) return;
  asked = query;
  try {
    const answer = await fetch(`${told.dataset.volume}?${query}`);
    // An answer that comes late is of what was typed before.
    if (query === asked) told.textContent = answer.ok && !answer.redirected ? await answer.text() : "";
  } catch {
    told.textContent = "";
  }
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(ask, PAUSE);
}

if (form) {
  form.elements.volume_ul.closest(".field").append(told);
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  ask();
}
