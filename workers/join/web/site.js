// @ts-check
// Enhances the pages. Every page also works without JavaScript.

/** @param {number} milliseconds @param {() => void} run */
function debounced(milliseconds, run) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, milliseconds);
  };
}

/** A text after an element that a screen reader says when it changes. @param {Element} element */
function announce(element) {
  const announcement = document.createElement("p");
  announcement.className = "unseen";
  announcement.setAttribute("role", "status");
  element.after(announcement);
  return announcement;
}

/** Updates the results while the user types in a search form. @param {HTMLFormElement} form */
function live(form) {
  let latest = new AbortController();
  const announcement = announce(form);
  const show = async () => {
    // The user is still typing a date or a number. Other invalid values get a message from the page.
    if ([...form.querySelectorAll("input")].some((field) => field.validity.badInput)) return;
    latest.abort();
    latest = new AbortController();
    const address = new URL(form.action);
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && value) address.searchParams.set(name, value);
    }
    try {
      const response = await fetch(address, { signal: latest.signal });
      if (!response.ok) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const told = page.getElementById("results")?.dataset.told;
      if (told === undefined) return;
      for (const part of document.querySelectorAll("[data-part]")) {
        const newPart = page.getElementById(part.id);
        if (newPart) part.replaceWith(newPart);
      }
      announcement.textContent = [...updateErrors(form, page), told].join(" ");
      document.title = page.title;
      history.replaceState(null, "", address);
    } catch (error) {
      // The button still sends the form.
      if (!(error instanceof DOMException)) console.warn(error);
    }
  };
  form.addEventListener("input", debounced(200, show));
  // The user may have changed a field before this script was loaded.
  if ([...form.elements].some(isChanged)) show();
}

/**
 * Shows the errors of a new page beside the fields of a form, which keep their values.
 * @param {HTMLFormElement} form @param {Document} page
 */
function updateErrors(form, page) {
  const texts = [];
  for (const field of form.querySelectorAll("input")) {
    const newField = page.getElementById(field.id);
    if (!field.id || !newField) continue;
    for (const name of ["aria-invalid", "aria-describedby"]) {
      const value = newField.getAttribute(name);
      if (value === null) field.removeAttribute(name);
      else field.setAttribute(name, value);
    }
    const error = page.getElementById(`${field.id}-error`);
    field.parentElement?.classList.toggle("wrong", Boolean(error));
    document.getElementById(`${field.id}-error`)?.remove();
    if (!error) continue;
    field.after(error);
    texts.push(error.textContent);
  }
  return texts;
}

/** Whether a field differs from the page as it was sent. @param {Element} field */
function isChanged(field) {
  if (field instanceof HTMLSelectElement) {
    const sent = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(sent, 0);
  }
  return field instanceof HTMLInputElement && field.value !== field.defaultValue;
}

/** Suggests places with the typed words. @param {HTMLInputElement} field */
function suggest(field) {
  const list = /** @type {HTMLDataListElement | null} */ (field.list);
  if (!list) return;
  let latest = new AbortController();
  const find = async () => {
    latest.abort();
    latest = new AbortController();
    const q = field.value.trim();
    if (!q || q.startsWith("#")) return;
    const query = new URLSearchParams({ q, sort: "name", limit: "20" });
    try {
      const response = await fetch(`/v1/places?${query}`, { signal: latest.signal });
      if (!response.ok) return;
      const places = /** @type {{ name: string }[]} */ (await response.json());
      list.replaceChildren(...places.map((place) => new Option("", place.name)));
    } catch {
      // The field keeps its old suggestions.
    }
  };
  field.addEventListener("input", debounced(150, find));
}

/** Adds each change to a list as soon as it is made. @param {HTMLElement} list */
function follow(list) {
  const announcement = announce(list);
  /** @type {EventSource | undefined} */
  let source;
  let timer = 0;
  // The page renders the changes. Only new entries are added, so that a link keeps the focus.
  const update = async () => {
    timer = 0;
    try {
      const response = await fetch(location.href);
      if (!response.ok) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const newList = page.getElementById(list.id);
      if (!newList) return;
      list.dataset.stream = newList.dataset.stream ?? "";
      const shown = new Set([...list.children].map((entry) => entry.outerHTML));
      const entries = [...newList.children];
      const added = entries.filter((entry) => !shown.has(entry.outerHTML));
      if (!added.length) return;
      list.prepend(...added);
      while (list.children.length > entries.length) list.lastElementChild?.remove();
      document.querySelector(".empty")?.remove();
      announcement.textContent =
        added.length === 1 ? "1 new change" : `${added.length} new changes`;
    } catch {
      // The next change, or the next connection, updates the list.
    }
  };
  const close = () => {
    source?.close();
    clearTimeout(timer);
    timer = 0;
  };
  const open = () => {
    close();
    if (document.hidden || !list.dataset.stream) return;
    source = new EventSource(list.dataset.stream);
    source.onmessage = () => {
      timer ||= setTimeout(update, 300);
    };
    source.onerror = () => {
      // The browser connects again by itself, unless the response was an error.
      if (source?.readyState === EventSource.CLOSED) timer ||= setTimeout(reopen, 30_000);
    };
  };
  const reopen = async () => {
    await update();
    open();
  };
  addEventListener("pagehide", close);
  addEventListener("pageshow", ({ persisted }) => persisted && reopen());
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : reopen()));
  open();
}

/** Sends a form once, even if its button is pressed twice. @param {HTMLFormElement} form */
function once(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    for (const button of form.querySelectorAll("button")) {
      button.setAttribute("aria-disabled", "true");
    }
  });
  // The user has come back to the page, and may send the form again.
  addEventListener("pageshow", () => {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
  });
}

// The key "/" moves to the search, unless the user is typing.
addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.getElementById("q");
  if (!search || target.matches("input, select, textarea")) return;
  event.preventDefault();
  search.focus();
});

// A reload or a bookmark does not repeat the notice of a change.
const address = new URL(location.href);
if (["done", "did"].some((name) => address.searchParams.has(name))) {
  for (const name of ["done", "did", "people", "to"]) address.searchParams.delete(name);
  history.replaceState(null, "", address);
}
// A reload of an import's report shows the form, and does not import again.
if (document.querySelector("ol.progress")) history.replaceState(null, "", "/ui/import");
for (const form of document.querySelectorAll("form")) {
  if ("live" in form.dataset) live(form);
  if ("once" in form.dataset) once(form);
}
for (const field of document.querySelectorAll("input")) if (field.list) suggest(field);
const changes = document.getElementById("changes");
if (changes) follow(changes);
