// An upload form (<form data-upload>) takes dropped files, names what was chosen and shows how far the upload is.
// Files that the server would not take are not sent: the form says so, and keeps what was chosen in it.
// Without script it is a plain form with a file field.

const MEGABYTE = 2 ** 20;
const megabytes = (bytes) => (bytes < MEGABYTE / 10 ? `${Math.ceil(bytes / 1024)} kB` : `${(bytes / MEGABYTE).toFixed(1)} MB`);

function describe(form, input) {
  const names = [...input.files].map((file) => `${file.name} (${megabytes(file.size)})`);
  form.querySelector("[data-upload-chosen]").textContent = names.join(", ");
  tooLarge(form, input);
}

// Say whether what was chosen is above the limit, in the place for that.
function tooLarge(form, input) {
  const size = [...input.files].reduce((sum, file) => sum + file.size, 0);
  const told = form.querySelector("[data-upload-too-large]");
  told.querySelector("[data-upload-size]").textContent = megabytes(size);
  told.hidden = size <= Number(told.closest("[data-limit]").dataset.limit);
  return !told.hidden;
}

function say(form, words, fraction) {
  const bar = form.querySelector("progress");
  bar.hidden = fraction === null;
  if (fraction !== null) bar.value = fraction;
  form.querySelector("[data-upload-status]").textContent = words;
}

// The server answers with the address of the page to look at after a success, with this page and its errors otherwise.
// A request that ends elsewhere was led to the sign-in page.
function follow(request, form) {
  const here = new URL(form.action, location.href).href;
  const next = request.status === 201 ? request.getResponseHeader("Location") : request.responseURL;
  if (next && next !== here) {
    location.assign(next);
    return;
  }
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  document.querySelector("main").replaceWith(page.querySelector("main"));
  document.title = page.title;
  document.querySelectorAll("form[data-upload]").forEach(enhance);
  document.querySelector("[data-focus]")?.focus();
}

function send(form, button) {
  const body = new FormData(form, button);
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
  request.upload.addEventListener("progress", ({ loaded, total }) => say(form, `${megabytes(loaded)} of ${megabytes(total)} sent`, loaded / total));
  request.upload.addEventListener("load", () => say(form, "Sent. The file is being read.", null));
  request.addEventListener("load", () => follow(request, form));
  request.addEventListener("error", () => {
    if (button) button.disabled = false;
    say(form, "The server did not answer. Nothing was stored; check the network and try again.", null);
  });
  if (button) button.disabled = true;
  request.send(body);
}

function enhance(form) {
  const zone = form.querySelector("[data-upload-zone]");
  const input = form.querySelector("input[type=file]");
  input.addEventListener("change", () => describe(form, input));
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    const files = new DataTransfer();
    for (const file of [...event.dataTransfer.files].slice(0, input.multiple ? undefined : 1)) files.items.add(file);
    input.files = files.files;
    describe(form, input);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (tooLarge(form, input)) form.querySelector("[data-upload-too-large]").focus();
    else send(form, event.submitter);
  });
}

document.querySelectorAll("form[data-upload]").forEach(enhance);
