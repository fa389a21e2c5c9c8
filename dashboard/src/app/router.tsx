/** The addresses of the app. Each page is a part of its own, loaded when first opened. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link } from "@tanstack/react-router";

import { asProblem } from "~/api/problem";
import { ProblemNotice } from "~/ui/Notice";
import { Page } from "~/ui/Page";

import { Shell } from "./Shell";

type Search = Record<string, string | undefined>;

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  validateSearch: (search: Record<string, unknown>): Search =>
    Object.fromEntries(Object.entries(search).filter((pair): pair is [string, string] => typeof pair[1] === "string")),
});

function page(path: string, load: () => Promise<Record<string, unknown>>, name: string) {
  return createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load, name) });
}

/** A page whose rows open a side sheet with an address of its own. */
function pageWithRows(path: string, load: () => Promise<Record<string, unknown>>, name: string, row: string) {
  const parent = page(path, load, name);
  const child = createRoute({ getParentRoute: () => parent, path: "$item", component: lazyRouteComponent(load, row) });
  return parent.addChildren([child]);
}

const routes = [
  page("/talk", () => import("~/features/talk/TalkPage"), "TalkPage"),
  page("/diagnostics", () => import("~/features/talk/checks/DiagnosticsPage"), "DiagnosticsPage"),
  page("/https", () => import("~/features/https/HttpsPage"), "HttpsPage"),
  page("/", () => import("~/features/overview/OverviewPage"), "OverviewPage"),
  pageWithRows("/models", () => import("~/features/models/ModelsPage"), "ModelsPage", "ModelSheet"),
  pageWithRows("/usage", () => import("~/features/usage/UsagePage"), "UsagePage", "UsageSheet"),
  pageWithRows("/keys", () => import("~/features/keys/KeysPage"), "KeysPage", "KeySheet"),
  pageWithRows("/sessions", () => import("~/features/sessions/SessionsPage"), "SessionsPage", "SessionSheet"),
  pageWithRows("/people", () => import("~/features/people/PeoplePage"), "PeoplePage", "PersonSheet"),
  pageWithRows("/workspace", () => import("~/features/workspace/WorkspacePage"), "WorkspacePage", "NoSheet"),
  pageWithRows("/audit", () => import("~/features/audit/AuditPage"), "AuditPage", "EventSheet"),
];

function NotFound() {
  return (
    <Page title="There is no such page" lead="The address may be mistyped, or the page has moved.">
      <p>
        <Link to="/">Go to the overview</Link>
      </p>
    </Page>
  );
}

function Failed({ error, reset }: { error: unknown; reset: () => void }) {
  return (
    <Page title="This page did not open">
      <ProblemNotice failure={asProblem(error)} onRetry={reset} />
    </Page>
  );
}

export const router = createRouter({
  routeTree: root.addChildren(routes),
  defaultPreload: "intent",
  defaultErrorComponent: Failed,
  // Values stay text: ids and days must not turn into numbers.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(Object.entries(search).filter((pair): pair is [string, string] => typeof pair[1] === "string")).toString();
    return text ? `?${text}` : "";
  },
});
