// @ts-check
// What makes the pages better where scripts run; without them all of it works as well.

/** @param {number} milliseconds @param {() => void} run */
function debounced(milliseconds, run) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, milliseconds);
  };
}

/** A filter shows its results as it is changed, without another page. @param {HTMLFormElement} form */
function live(form) {
  let latest = new AbortController();
  const told = document.createElement("p");
  told.className = "unseen";
  told.setAttribute("role", "status");
  form.after(told);
  const show = async () => {
    if (!form.checkValidity()) return;
    latest.abort();
    latest = new AbortController();
    const address = new URL(form.action);
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && value) address.searchParams.set(name, value);
    }
    try {
      const answer = await fetch(address, { signal: latest.signal });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const [now, next] = [document, page].map((one) => one.getElementById("results"));
      if (!now || !next) return;
      // What is below stays where it is.
      next.style.minHeight = `${now.offsetHeight}px`;
      now.replaceWith(next);
      told.textContent = next.dataset.told ?? "";
      history.replaceState(null, "", address);
    } catch (error) {
      // Where it cannot be done so, the button still sends the form.
      if (!(error instanceof DOMException)) console.warn(error);
    }
  };
  form.addEventListener("input", debounced(200, show));
}

/** The places to choose from are those that begin as what is typed. @param {HTMLInputElement} field */
function suggest(field) {
  const list = /** @type {HTMLDataListElement | null} */ (field.list);
  if (!list) return;
  let latest = new AbortController();
  const find = async () => {
    latest.abort();
    latest = new AbortController();
    const name = field.value.trim();
    if (!name || name.startsWith("#")) return;
    const query = new URLSearchParams({ name, sort: "name", limit: "20" });
    try {
      const answer = await fetch(`/v1/places?${query}`, { signal: latest.signal });
      if (!answer.ok) return;
      const places = /** @type {{ name: string }[]} */ (await answer.json());
      list.replaceChildren(...places.map((place) => new Option("", place.name)));
    } catch {
      // What was there to choose from stays.
    }
  };
  field.addEventListener("input", debounced(150, find));
}

/** A form is sent once, however often its button is pressed. @param {HTMLFormElement} form */
function once(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    for (const button of form.querySelectorAll("button")) {
      button.setAttribute("aria-disabled", "true");
    }
  });
  // A page that comes back from the browser's memory can be sent again.
  addEventListener("pageshow", () => {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
  });
}

// The report of an import is not sent again by a reload: that shows the form.
if (document.querySelector("ol.progress")) history.replaceState(null, "", "/ui/import");
for (const form of document.querySelectorAll("form")) {
  if ("live" in form.dataset) live(form);
  if ("once" in form.dataset) once(form);
}
for (const field of document.querySelectorAll("input")) if (field.list) suggest(field);
