// What every page does: the bar at the top, messages, forms, and the secret behind the # of a link.
import { ApiProblem, call, session, stumble } from "./api.js";

export const byId = (id) => document.getElementById(id);

export function show(element, visible = true) {
  element.hidden = !visible;
}

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Ask who is signed in, draw the bar, and give the answer; null when the server could not say.
export async function begin() {
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
  }
  let found;
  try {
    found = await session();
  } catch (problem) {
    tell(problem);
    return null;
  }
  for (const part of document.querySelectorAll("#nav [data-when]")) {
    show(part, part.dataset.when === (found.signedIn ? "signed-in" : "signed-out") && (found.claimed || found.signedIn));
  }
  byId("sign-out").addEventListener("click", async () => {
    try {
      await call("POST", "/api/v1/auth/logout");
      location.assign("/login");
    } catch (problem) {
      if (problem.code === "UNAUTHENTICATED") location.assign("/login");
      else tell(problem);
    }
  });
  return found;
}

// The token behind the #; it leaves the address bar at once, so that no history or screenshot keeps it.
export function takeToken() {
  const token = decodeURIComponent(location.hash.slice(1)).replace(/^token=/, "");
  if (token) history.replaceState(null, "", location.pathname + location.search);
  return token;
}

// Where to go after signing in: a path of ours, never another site.
export function nextPath() {
  const asked = new URLSearchParams(location.search).get("next") ?? "/";
  const target = new URL(asked, location.origin);
  return asked.startsWith("/") && target.origin === location.origin ? target.pathname + target.search + target.hash : "/";
}

// Words at the top of the page, or in a form above its button.
export function say(text, kind = "", form = null) {
  const notice = element("div", { className: `notice ${kind}` }, element("p", { textContent: text }));
  notice.setAttribute("role", kind === "danger" ? "alert" : "status");
  quiet();
  if (form) submitOf(form).closest(".row").before(notice);
  else byId("message").append(notice);
  return notice;
}

export function quiet() {
  byId("message").replaceChildren();
  for (const notice of document.querySelectorAll("form > .notice[role]")) notice.remove();
}

const submitOf = (form) => form.querySelector("button:not([type=button])");

// A failure: what happened, what to do, and the request id to copy.
export function tell(problem, form = null) {
  if (!(problem instanceof ApiProblem)) {
    tell(stumble(), form);
    throw problem; // and the browser's console has the rest
  }
  const notice = say(problem.message, "danger", form);
  if (problem.requestId) {
    const id = element("code", { textContent: problem.requestId, className: "small" });
    notice.append(element("div", { className: "row small" }, element("span", { textContent: "Request", className: "soft" }), id, copyButton("Copy the id", () => problem.requestId)));
  }
  notice.scrollIntoView({ block: "nearest" });
}

export function copyButton(label, text) {
  const button = element("button", { type: "button", textContent: label, className: "small" });
  button.addEventListener("click", () => copied(button, text()));
  return button;
}

export function bindCopies() {
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.addEventListener("click", () => copied(button, byId(button.dataset.copies).innerText.trim()));
  }
}

async function copied(button, text) {
  const label = button.dataset.label ?? button.textContent;
  button.dataset.label = label;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select it and copy by hand";
  }
  setTimeout(() => { button.textContent = label; }, 2000);
}

// A form that sends once at a time. `send` gets the values by name; a mistake stands beside its field.
export function bindForm(form, send) {
  for (const input of form.querySelectorAll("input, select")) {
    const help = input.parentElement.querySelector(".help");
    if (help) {
      help.id ||= `${input.id}-help`;
      input.setAttribute("aria-describedby", help.id);
    }
    input.addEventListener("input", () => clearMistake(input));
  }
  const button = submitOf(form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    for (const input of form.querySelectorAll("[aria-invalid]")) clearMistake(input);
    quiet();
    const wrong = [...form.elements].filter((input) => input.willValidate && !input.validity.valid);
    if (wrong.length) {
      for (const input of wrong) mistake(input, complaint(input));
      wrong[0].focus();
      return;
    }
    button.setAttribute("aria-disabled", "true");
    try {
      await send(Object.fromEntries(new FormData(form)));
    } catch (problem) {
      showProblem(form, problem);
    } finally {
      button.removeAttribute("aria-disabled");
    }
  });
}

function showProblem(form, problem) {
  const place = document.forms.length > 1 ? form : null; // On a page of many forms the top is far from the one that failed.
  if (!(problem instanceof ApiProblem)) return tell(problem, place);
  const beside = problem.errors.filter((one) => form.elements.namedItem(one.path) instanceof HTMLInputElement);
  for (const one of beside) mistake(form.elements.namedItem(one.path), sentence(one.message));
  if (beside.length) form.elements.namedItem(beside[0].path).focus();
  if (beside.length === 0 || beside.length < problem.errors.length) tell(problem, place);
}

export function mistake(input, text) {
  clearMistake(input);
  const note = element("p", { className: "error", id: `${input.id}-error` }, element("span", { textContent: text }));
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", [note.id, input.parentElement.querySelector(".help")?.id].filter(Boolean).join(" "));
  input.insertAdjacentElement("afterend", note);
}

function clearMistake(input) {
  byId(`${input.id}-error`)?.remove();
  input.removeAttribute("aria-invalid");
  const help = input.parentElement.querySelector(".help");
  if (help) input.setAttribute("aria-describedby", help.id);
  else input.removeAttribute("aria-describedby");
}

function complaint(input) {
  const { validity } = input;
  if (validity.valueMissing) return "Fill this in.";
  if (validity.typeMismatch) return "Write an address such as ada@example.com.";
  if (validity.tooShort) return `Use at least ${input.minLength} characters.`;
  return "This does not fit.";
}

function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

const STEPS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];

// "3 hours ago", with the exact time on hover.
export function ago(moment) {
  const date = new Date(moment);
  const seconds = (date - Date.now()) / 1000;
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  const text = unit === "second" ? "just now" : new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(seconds / size), unit);
  return element("time", { dateTime: moment, title: date.toLocaleString(), textContent: text });
}
