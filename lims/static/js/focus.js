// A refused form opens at its list of errors, so that a screen reader and the eye start there.

document.querySelector("[data-focus]")?.focus();
