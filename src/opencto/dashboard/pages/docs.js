// Swagger UI over our own document. It calls this server alone, with the session of this browser or a pasted token.
import { call } from "./api.js";
import { begin, byId, tell } from "./page.js";

const WRITES = new Set(["POST", "PUT", "PATCH", "DELETE"]);
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches); // Swagger UI's own switch
dark.addEventListener("change", follow);
follow();

const found = await begin();
try {
  const spec = await call("GET", "/openapi.json");
  spec.servers = [{ url: location.origin, description: "This server" }]; // under the name by which this page was reached
  globalThis.SwaggerUIBundle({
    domNode: byId("reference"),
    spec,
    deepLinking: true,
    defaultModelsExpandDepth: -1,
    docExpansion: "list",
    filter: true,
    persistAuthorization: false,
    tryItOutEnabled: false,
    validatorUrl: null,
    requestInterceptor(request) {
      if (found?.csrfToken && WRITES.has((request.method ?? "GET").toUpperCase()) && !request.headers.Authorization) request.headers["X-CSRF-Token"] = found.csrfToken;
      return request;
    },
  });
} catch (problem) {
  tell(problem);
}
