import "./styles/base.css";
import "./styles/frame.css";
import "./styles/parts.css";
import "./styles/touch.css";

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { Problem } from "~/api/problem";
import { watchInstallation } from "~/app/installed";
import { watchReachability } from "~/app/reachable";
import { router } from "~/app/router";
import { chooseTheme, chosenTheme } from "~/app/theme";

chooseTheme(chosenTheme());
watchReachability();
watchInstallation();

/** What did not reach the server, or was its stumble, is asked again; a refusal is an answer. */
function isWorthRetrying(failures: number, failure: Error): boolean {
  return failures < 6 && failure instanceof Problem && (failure.isOffline || failure.status === 503);
}

const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: isWorthRetrying, retryDelay: (failures) => Math.min(8_000, 500 * 2 ** failures), staleTime: 10_000, networkMode: "always" },
    mutations: { retry: false, networkMode: "always" },
  },
});

const place = document.getElementById("app");
if (place === null) throw new Error("there is no #app on the page");
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
