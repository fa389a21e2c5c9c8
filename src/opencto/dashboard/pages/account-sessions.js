// The browsers in which one is signed in.
import { call } from "./api.js";
import { ago, byId, element, tell } from "./page.js";

export async function sessions() {
  try {
    const { data } = await call("GET", "/api/v1/auth/sessions?limit=200");
    byId("sessions").replaceChildren(...data.map(entry));
  } catch (problem) {
    tell(problem);
  }
}

function entry(one) {
  const row = byId("entry").content.cloneNode(true).firstElementChild;
  row.querySelector(".name").append(one.browser);
  row.querySelector(".detail").append(`from ${one.address}, seen `, ago(one.lastSeenAt));
  const button = row.querySelector("button");
  if (one.current) {
    row.querySelector(".name").append(" ", element("span", { className: "tag good", textContent: "this browser" }));
    button.remove();
    return row;
  }
  button.textContent = "End";
  button.setAttribute("aria-label", `End the sign-in of ${one.browser} from ${one.address}`);
  button.addEventListener("click", async () => {
    try {
      await call("DELETE", `/api/v1/auth/sessions/${encodeURIComponent(one.id)}`);
      await sessions();
    } catch (problem) {
      tell(problem);
    }
  });
  return row;
}
