/** The pages in the order of the rail. A page that is not here is not reachable, by the rail or by the palette. */
import type { IconName } from "~/ui/icons";
import type { Role } from "~/api/session";

export interface PageEntry {
  path: string;
  name: string;
  short: string;
  icon: IconName;
  role: Role;
  /** Whether it stands in the bar of a phone; the others are in its menu. */
  inBar: boolean;
}

export const PAGES: readonly PageEntry[] = [
  { path: "/talk", name: "Talk", short: "Talk", icon: "talk", role: "viewer", inBar: true },
  { path: "/", name: "Overview", short: "Overview", icon: "overview", role: "viewer", inBar: true },
  { path: "/models", name: "Models", short: "Models", icon: "models", role: "viewer", inBar: true },
  { path: "/usage", name: "Usage", short: "Usage", icon: "usage", role: "viewer", inBar: false },
  { path: "/keys", name: "Keys", short: "Keys", icon: "keys", role: "viewer", inBar: true },
  { path: "/sessions", name: "Sessions", short: "Sessions", icon: "sessions", role: "viewer", inBar: false },
  { path: "/people", name: "People and access", short: "People", icon: "people", role: "viewer", inBar: false },
  { path: "/workspace", name: "Workspace", short: "Workspace", icon: "workspace", role: "viewer", inBar: false },
  { path: "/audit", name: "Audit", short: "Audit", icon: "audit", role: "admin", inBar: false },
];
