import { call } from "./api.js";
import { begin, bindForm, byId, nextPath, say, show, tell } from "./page.js";
import { asQuery, signOnProblem } from "./sign-on.js";

const form = byId("form");
const code = byId("code");
const found = await begin();
// A sign-in that was to link an identity comes back here too; who is signed in reads about it under Account.
if (found?.signedIn) location.replace(signOnProblem ? `/account?${asQuery(signOnProblem)}` : nextPath());
if (found && !found.claimed) say("Nobody owns this server yet. Open the claim link that its terminal printed.", "caution");
if (found?.oidcName) {
  byId("oidc-name").textContent = found.oidcName;
  show(byId("oidc"));
  byId("oidc").dataset.step = "password"; // not beside the question for a code
}
if (signOnProblem) tell(signOnProblem);

function step(name) {
  for (const part of document.querySelectorAll("[data-step]")) show(part, part.dataset.step === name);
  code.disabled = name !== "code";
  code.required = name === "code";
  code.value = "";
  byId("whose").textContent = byId("email").value;
  (name === "code" ? code : byId("email")).focus();
}

bindForm(form, async ({ email, password, code: typed }) => {
  try {
    await call("POST", "/api/v1/auth/login", { email, password, ...(typed ? { code: typed.trim().replaceAll(" ", "") } : {}) });
  } catch (failure) {
    if (failure.code === "SECOND_FACTOR_REQUIRED" && !typed) return step("code");
    throw failure;
  }
  return location.assign(nextPath());
});
byId("back").addEventListener("click", () => step("password"));
byId("email").focus();
