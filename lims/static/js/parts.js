// Fills each <div data-later="address"> (templates/macros/part.html) with what its address gives, one inside a closed <details>
// once that is opened. What was filled says so by the event "part:filled". A [data-fills] in it goes to the page's [data-place] of
// that name.

function say(part, words, { failed = false, done = false } = {}) {
  part.setAttribute("aria-busy", String(!failed && !done));
  const state = part.querySelector(":scope > .part-state");
  state.querySelector("[data-later-state]").textContent = words;
  state.querySelector("[data-later-again]").hidden = !failed;
  state.classList.toggle("part-failed", failed);
  state.classList.toggle("visually-hidden", done);
}

function show(part, html, pressed) {
  const state = part.querySelector(":scope > .part-state");
  part.replaceChildren(state, ...new DOMParser().parseFromString(html, "text/html").body.childNodes);
  say(part, `${part.dataset.title}: here.`, { done: true });
  for (const told of part.querySelectorAll("[data-fills]")) {
    document.querySelector(`[data-place="${CSS.escape(told.dataset.fills)}"]`)?.replaceChildren(...told.childNodes);
    told.remove();
  }
  if (pressed) part.focus(); // the button is gone
  part.dispatchEvent(new CustomEvent("part:filled", { bubbles: true }));
  begin(part);
}

async function fill(part, pressed = false) {
  say(part, `${part.dataset.title}: on its way …`);
  try {
    const answer = await fetch(part.dataset.later);
    if (answer.redirected) location.reload(); // led to the sign-in page
    else if (answer.ok) show(part, await answer.text(), pressed);
    else say(part, `${part.dataset.title} could not be shown: the server answered ${answer.status}.`, { failed: true });
  } catch {
    say(part, `${part.dataset.title} could not be shown: no answer came from the server.`, { failed: true });
  }
}

function begin(place) {
  for (const part of place.querySelectorAll("[data-later]")) {
    part.querySelector("[data-later-again]").addEventListener("click", () => fill(part, true));
    const closed = part.closest("details:not([open])");
    if (closed) closed.addEventListener("toggle", () => fill(part), { once: true });
    else fill(part);
  }
}

begin(document);
