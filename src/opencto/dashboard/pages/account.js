import { call } from "./api.js";
import { factor } from "./account-factor.js";
import { identities } from "./account-identities.js";
import { sessions } from "./account-sessions.js";
import { tokens } from "./account-tokens.js";
import { begin, bindCopies, bindForm, byId, say, show, tell } from "./page.js";
import { signInAgain } from "./sign-in-again.js";
import { signOnProblem } from "./sign-on.js";

const found = await begin();
if (found && !found.signedIn) location.replace("/login?next=/account");
if (found?.signedIn) {
  byId("email").textContent = found.person.email ?? "";
  byId("name").value = found.person.name;
  byId("password-form").elements.username.value = found.person.email ?? "";
  bindForm(byId("name-form"), async ({ name }) => {
    await call("PATCH", "/api/v1/auth/account", { name });
    say("Your name is saved.");
  });
  bindForm(byId("password-form"), async ({ currentPassword, newPassword }) => {
    await call("PUT", "/api/v1/auth/password", { newPassword, ...(currentPassword ? { currentPassword } : {}) });
    byId("password-form").reset();
    say("Your password is changed. Your other browsers are signed out.");
    await sessions();
  });
  bindCopies();
  signInAgain(found.person, found.oidcName ?? null);
  factor(found.person.secondFactor);
  show(byId("sections"));
  if (signOnProblem) {
    tell(signOnProblem);
    history.replaceState(null, "", location.pathname);
  }
  await Promise.all([sessions(), tokens(), identities(found.oidcName ?? null)]);
}
