import { call } from "./api.js";
import { begin, bindForm, byId, nextPath, say, show } from "./page.js";

// Why a sign-in at the issuer did not work; the server leads back here with ?problem=CODE.
const PROBLEMS = {
  OIDC_UNREACHABLE: "The sign-in provider does not answer. Try again shortly, or sign in with a password.",
  OIDC_CANCELLED: "The sign-in was cancelled at the provider.",
  OIDC_OUT_OF_DATE: "That sign-in took too long or was begun in another browser. Try again.",
  OIDC_REFUSED: "The answer of the sign-in provider could not be trusted. Tell whoever runs the server.",
  OIDC_EMAIL_UNVERIFIED: "Your address is not verified at the sign-in provider. Verify it there, then try again.",
  OIDC_NOT_ALLOWED: "Single sign-on worked, but your address may not join here. Ask whoever runs the server.",
  OIDC_ACCOUNT_EXISTS: "Your address has an account with a password. Sign in with that, then link single sign-on to it.",
  OIDC_OTHER_ACCOUNT: "That identity belongs to another account here.",
  ACCOUNT_DISABLED: "Your account is disabled. Ask whoever runs the server.",
  NOT_CLAIMED: "Nobody owns this server yet. Open the claim link that its terminal printed.",
  RATE_LIMITED: "Too many sign-ins in a short time. Wait a minute, then try again.",
};

const form = byId("form");
const code = byId("code");
const found = await begin();
if (found?.signedIn) location.replace(nextPath());
if (found && !found.claimed) say("Nobody owns this server yet. Open the claim link that its terminal printed.", "caution");
if (found?.oidcName) {
  byId("oidc-name").textContent = found.oidcName;
  show(byId("oidc"));
}
const problem = new URLSearchParams(location.search).get("problem");
if (problem) say(PROBLEMS[problem.toUpperCase()] ?? "Single sign-on did not work. Try again, or sign in with a password.", "danger");

function step(name) {
  for (const part of form.querySelectorAll("[data-step]")) show(part, part.dataset.step === name);
  code.disabled = name !== "code";
  code.required = name === "code";
  code.value = "";
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
