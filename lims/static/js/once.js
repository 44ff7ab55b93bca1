// A second click on a form's button within moments is the same click: what was sent once is not sent again.
// Released after a while, because an answer that is a file leaves the page where it is.

const MILLISECONDS = 3000;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if ("sent" in form.dataset) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  setTimeout(() => delete form.dataset.sent, MILLISECONDS);
});

// A page that the browser brings back as it was left may be sent again.
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));
