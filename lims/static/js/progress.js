// A page about work under way (<section data-progress="address">) asks every second how far that is, and is loaded again
// when it is over. Without script the page has a link that looks again.

const PAUSE = 1000;

// Only what changed is written: a step that is the same is not announced again.
function show(section, piece) {
  for (const part of ["[data-step]", "[data-counted]"]) {
    const [old, now] = [section.querySelector(part), piece.querySelector(part)];
    if (old.textContent !== now.textContent) old.textContent = now.textContent;
  }
  const [bar, now] = [section.querySelector("progress"), piece.querySelector("progress")];
  for (const name of ["hidden", "max", "value"]) {
    if (now.hasAttribute(name)) bar.setAttribute(name, now.getAttribute(name));
    else bar.removeAttribute(name);
  }
}

async function look(section) {
  try {
    const answer = await fetch(section.dataset.progress, { cache: "no-store" });
    // Over, or led to the sign-in page.
    if (answer.status === 204 || answer.redirected) {
      location.reload();
      return;
    }
    const piece = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.ok) show(section, piece);
  } catch {
    // The server is away for a moment: the job is not.
  }
  setTimeout(look, PAUSE, section);
}

document.querySelectorAll("[data-progress]").forEach((section) => setTimeout(look, PAUSE, section));
