// When a session runs out in the middle of a form: sign in over the page, and what was begun goes on with what was typed.
import { call, session, whenSignedOut } from "./api.js";
import { copyButton, element } from "./page.js";

// `person` is whose page it is; somebody else who signs in finds nothing of theirs here and goes to the first page.
export function signInAgain(person, oidcName) {
  whenSignedOut(() => new Promise((go) => { ask(person, oidcName, go); }));
}

function field(label, properties) {
  const input = element("input", { id: `again-${properties.name}`, ...properties });
  return element("div", { className: "field" }, element("label", { htmlFor: input.id, textContent: label }), input);
}

function ask(person, oidcName, go) {
  const message = element("div");
  const code = field("Code", { name: "code", className: "code", autocomplete: "one-time-code", maxLength: 11 });
  code.hidden = true;
  const button = element("button", { className: "primary", textContent: "Sign in" });
  const form = element(
    "form",
    { noValidate: true },
    message,
    field("E-mail", { name: "email", value: person.email ?? "", readOnly: true, autocomplete: "username" }),
    field("Password", { name: "password", type: "password", autocomplete: "current-password", autofocus: true }),
    code,
    element("div", { className: "row" }, button),
  );
  if (oidcName) form.append(element("p", { className: "soft small" }, element("a", { href: "/api/v1/auth/oidc/start", textContent: `With ${oidcName} instead` }), "; that leaves this page."));
  const title = element("h2", { id: "again-head", textContent: "Sign in again" });
  const note = element("p", { className: "soft", textContent: "Your sign-in has ended. Nothing you typed is lost." });
  const dialog = element("dialog", { className: "card" }, title, note, form);
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.addEventListener("cancel", () => location.assign("/login"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    try {
      await signIn(person, new FormData(form));
      dialog.close(); // which gives the focus back; what is only removed loses it
      dialog.remove();
      go();
    } catch (problem) {
      code.hidden &&= problem.code !== "SECOND_FACTOR_REQUIRED";
      message.replaceChildren(...(problem.code === "SECOND_FACTOR_REQUIRED" ? [] : [told(problem)]));
      if (!code.hidden) code.querySelector("input").focus();
    } finally {
      button.removeAttribute("aria-disabled");
    }
  });
  document.body.append(dialog);
  dialog.showModal();
}

async function signIn(person, typed) {
  const code = typed.get("code").trim().replaceAll(" ", "");
  await call("POST", "/api/v1/auth/login", { email: person.email, password: typed.get("password"), ...(code ? { code } : {}) });
  const found = await session();
  if (found.person?.id !== person.id) location.assign("/");
}

function told(problem) {
  const notice = element("div", { className: "notice danger" }, element("p", { textContent: problem.message }));
  notice.setAttribute("role", "alert");
  if (problem.requestId) {
    const id = element("code", { className: "small", textContent: problem.requestId });
    notice.append(element("div", { className: "row small" }, id, copyButton("Copy the id", () => problem.requestId)));
  }
  return notice;
}
