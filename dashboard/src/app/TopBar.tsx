import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { api, leave, read } from "~/api/client";
import { useStatus } from "~/api/figures";
import { asProblem } from "~/api/problem";
import { useHere } from "~/api/workspace";
import { forgetUnsent } from "~/features/talk/unsent";
import { Icon, Mark } from "~/ui/icons";
import { Menu, MenuChoice, MenuItem, MenuLabel } from "~/ui/Menu";
import { useSay } from "~/ui/Said";

import { install, useInstalled } from "./installed";
import { useReachable } from "./reachable";
import { SpendToday } from "./SpendToday";
import { chooseTheme, chosenTheme, type Theme } from "./theme";

export function TopBar({ onPalette }: { onPalette: () => void }) {
  return (
    <header className="top-bar">
      <Link to="/" className="top-mark" aria-label="OpenCTO, overview">
        <Mark />
      </Link>
      <WorkspaceSwitch />
      <button type="button" className="palette-button" onClick={onPalette}>
        <Icon name="search" size={18} />
        <span>Search or do…</span>
        <kbd aria-hidden="true">{/Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘K" : "Ctrl K"}</kbd>
      </button>
      <span className="top-gap" />
      <Health />
      <SpendToday />
      <AccountMenu />
    </header>
  );
}

function WorkspaceSwitch() {
  const { workspace, workspaces, choose } = useHere();
  return (
    <Menu
      align="start"
      trigger={
        <button type="button" className="workspace-switch" aria-label={`Workspace: ${workspace.name}`}>
          <span>{workspace.name}</span>
          <Icon name="down" size={16} />
        </button>
      }
    >
      <MenuLabel>Workspace</MenuLabel>
      {workspaces.map((one) => (
        <MenuChoice key={one.workspaceId} checked={one.workspaceId === workspace.workspaceId} onSelect={() => choose(one.workspaceId)}>
          {one.name} <span className="soft">{one.role}</span>
        </MenuChoice>
      ))}
    </Menu>
  );
}

function Health() {
  const reachable = useReachable();
  const { data, error } = useStatus();
  const [tone, word] =
    reachable === "offline"
      ? ["danger", "offline"]
      : reachable === "reconnecting" || error
        ? ["caution", "reconnecting"]
        : data === undefined
          ? ["plain", "asking"]
          : data.status === "ready"
            ? ["good", "healthy"]
            : ["danger", "not ready"];
  return (
    <Link to="/" className={`health ${tone}`} aria-label={`Server: ${word}`}>
      <span className="dot" aria-hidden="true" />
      <span className="health-word">{word}</span>
    </Link>
  );
}

const THEMES: [Theme, string][] = [
  ["system", "As the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

/** Leaves the page; where that fails, `say` tells that the person is signed in still. */
export async function signOut(say: (text: string) => void): Promise<void> {
  leave(true);
  try {
    await read(api.POST("/api/v1/auth/logout"));
    forgetUnsent();
    location.assign("/login");
  } catch (failure) {
    leave(false);
    const { message, requestId } = asProblem(failure);
    say(`You are signed in still. ${message}${requestId ? ` (${requestId})` : ""}`);
  }
}

function AccountMenu() {
  const { person } = useHere();
  const navigate = useNavigate();
  const [theme, setTheme] = useState(chosenTheme);
  const { isOffered } = useInstalled();
  const say = useSay();
  return (
    <Menu
      trigger={
        <button type="button" className="avatar" aria-label={`Account of ${person.name}`}>
          <span aria-hidden="true">{person.name.slice(0, 1).toUpperCase()}</span>
        </button>
      }
    >
      <MenuLabel>
        {person.name}
        <br />
        <span className="soft">{person.email}</span>
      </MenuLabel>
      <MenuItem icon="account" onSelect={() => void navigate({ href: "/account", reloadDocument: true })}>
        Your account
      </MenuItem>
      <MenuItem icon="book" onSelect={() => location.assign("/docs")}>
        API reference
      </MenuItem>
      <MenuItem icon="phone" onSelect={() => void navigate({ to: "/https" })}>
        Open on your phone
      </MenuItem>
      {isOffered && (
        <MenuItem icon="download" onSelect={install}>
          Install on this device
        </MenuItem>
      )}
      <MenuLabel>Appearance</MenuLabel>
      {THEMES.map(([value, label]) => (
        <MenuChoice
          key={value}
          checked={theme === value}
          onSelect={() => {
            chooseTheme(value);
            setTheme(value);
          }}
        >
          {label}
        </MenuChoice>
      ))}
      <MenuItem icon="out" onSelect={() => void signOut(say)}>
        Sign out
      </MenuItem>
    </Menu>
  );
}
