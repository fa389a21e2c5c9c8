import { call } from "./api.js";
import { begin, byId, show } from "./page.js";

const found = await begin();
if (found?.signedIn) {
  byId("hello").textContent = `Welcome, ${found.person.name}`;
  byId("where").textContent = where(found.workspaces);
  show(byId("signed-in"));
  byId("health").textContent = await health();
} else if (found?.claimed) {
  location.replace("/login");
} else if (found) {
  document.title = "Nobody owns this server yet · OpenCTO";
  show(byId("unclaimed"));
}

function where(workspaces) {
  if (workspaces.length === 0) return "You are in no workspace yet. Ask somebody for an invitation.";
  const named = workspaces.map((one) => `${one.name} (${one.role})`);
  return `You are in ${new Intl.ListFormat("en").format(named)}.`;
}

async function health() {
  try {
    const { checks } = await call("GET", "/ready");
    return `Ready. ${new Intl.ListFormat("en").format(Object.keys(checks))} answered just now.`.replace(/ (.)/, (found) => found.toUpperCase());
  } catch (problem) {
    return problem.status === 503 ? "Not ready. Open this to see what fails" : problem.message;
  }
}
