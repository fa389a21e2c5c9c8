// The second factor: off → key and code → on, with recovery codes shown once.
import { call } from "./api.js";
import { bindForm, byId, element, say, show } from "./page.js";

const ROUTE = "/api/v1/auth/second-factor";

export function factor(isOn) {
  state(isOn);
  bindForm(byId("factor-begin"), async ({ password }) => {
    const setup = await call("POST", ROUTE, { password });
    byId("factor-begin").reset();
    byId("factor-qr").src = `data:image/svg+xml;utf8,${encodeURIComponent(standalone(setup.qrSvg))}`;
    byId("factor-secret").textContent = setup.secret;
    show(byId("factor-begin"), false);
    show(byId("factor-confirm"));
    byId("factor-code").focus();
  });
  bindForm(byId("factor-confirm"), async ({ code }) => {
    const { recoveryCodes } = await call("POST", `${ROUTE}/confirm`, { code });
    byId("codes").replaceChildren(...recoveryCodes.map((one) => element("li", { textContent: one })));
    byId("factor-confirm").reset();
    byId("factor-secret").textContent = "";
    byId("factor-qr").removeAttribute("src");
    state(true);
    show(byId("factor-codes"));
    byId("factor-codes").focus();
  });
  bindForm(byId("factor-off"), async ({ password }) => {
    await call("DELETE", ROUTE, { password });
    byId("factor-off").reset();
    byId("codes").replaceChildren();
    state(false);
    say("The second factor is off.");
  });
}

// As an image of its own the drawing needs its namespace.
function standalone(svg) {
  return svg.includes("xmlns=") ? svg : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
}

function state(isOn) {
  const tag = byId("factor-state");
  tag.textContent = isOn ? "on" : "off";
  tag.classList.toggle("good", isOn);
  show(byId("factor-begin"), !isOn);
  show(byId("factor-off"), isOn);
  show(byId("factor-confirm"), false);
  show(byId("factor-codes"), false);
}
