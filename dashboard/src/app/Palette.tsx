/** Everything by typing: pages, people, keys, models, and what can be done. */
import { useNavigate } from "@tanstack/react-router";
import { Dialog } from "radix-ui";
import { type KeyboardEvent, useId, useState } from "react";

import { useModels } from "~/api/figures";
import { asProblem } from "~/api/problem";
import { useHere, useMay } from "~/api/workspace";
import { Icon } from "~/ui/icons";
import { useSay } from "~/ui/Said";

import { useFound } from "./found";
import { match, type PaletteEntry } from "./match";
import { usePagesHere } from "./Rail";
import { chooseTheme } from "./theme";
import { signOut } from "./TopBar";

function useEntries(typed: string) {
  const { workspaces, choose, workspace } = useHere();
  const navigate = useNavigate();
  const say = useSay();
  const models = useModels(workspace.workspaceId);
  const mayMember = useMay("member");
  const mayAdmin = useMay("admin");
  const go = (to: string) => () => void navigate({ to });
  const pages = usePagesHere();
  const found = useFound(workspace.workspaceId, typed, go);
  const entries: PaletteEntry[] = [
    ...pages.map((page) => ({ kind: "Page", name: page.name, icon: page.icon, run: go(page.path) })),
    { kind: "Page", name: "Your account", icon: "account" as const, run: () => location.assign("/account") },
    { kind: "Page", name: "API reference", icon: "book" as const, run: () => location.assign("/docs") },
    ...(mayMember ? [{ kind: "Do", name: "Run the doctor", icon: "doctor" as const, run: () => void navigate({ to: "/", search: { doctor: "run" } }) }] : []),
    { kind: "Do", name: "Check the sound of this device", icon: "talk" as const, run: go("/diagnostics") },
    { kind: "Page", name: "HTTPS on your network", icon: "phone" as const, run: go("/https") },
    ...(mayMember ? [{ kind: "Do", name: "Add a key", icon: "keys" as const, run: go("/keys/new") }] : []),
    ...(mayAdmin ? [{ kind: "Do", name: "Invite somebody", icon: "people" as const, run: go("/people/invite") }] : []),
    { kind: "Do", name: "Use the light colours", icon: "sun" as const, run: () => chooseTheme("light") },
    { kind: "Do", name: "Use the dark colours", icon: "moon" as const, run: () => chooseTheme("dark") },
    { kind: "Do", name: "Sign out", icon: "out" as const, run: () => void signOut(say) },
    ...workspaces
      .filter((one) => one.workspaceId !== workspace.workspaceId)
      .map((one) => ({ kind: "Workspace", name: `Switch to ${one.name}`, icon: "workspace" as const, run: () => choose(one.workspaceId) })),
    ...found.entries,
    ...(models.data?.data ?? []).map((model) => ({ kind: "Model", name: model.id, icon: "models" as const, run: go(`/models/${encodeURIComponent(model.id)}`) })),
  ];
  return { entries, isAsking: found.isAsking, failure: found.failure };
}

export function Palette({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const listId = useId();
  const { entries, isAsking, failure } = useEntries(typed);
  const found = match(entries, typed);
  const current = found[Math.min(at, found.length - 1)];
  const run = (entry: PaletteEntry | undefined) => {
    if (!entry) return;
    onClose();
    entry.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setAt((Math.min(at, found.length - 1) + step + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(current);
    }
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="veil" />
        <Dialog.Content className="palette" aria-describedby={undefined}>
          <Dialog.Title className="sr">Search or do</Dialog.Title>
          <input
            role="combobox"
            aria-label="Search or do"
            aria-expanded="true"
            aria-controls={listId}
            aria-activedescendant={current ? `${listId}-${found.indexOf(current)}` : undefined}
            autoFocus
            placeholder="A page, a person, a key, a model, something to do…"
            value={typed}
            onChange={(event) => {
              setTyped(event.target.value);
              setAt(0);
            }}
            onKeyDown={onKeyDown}
          />
          <ul role="listbox" id={listId} aria-label="Found">
            {found.map((entry, index) => (
              <li
                key={`${entry.kind} ${entry.id ?? entry.name}`}
                id={`${listId}-${index}`}
                role="option"
                aria-selected={entry === current}
                onClick={() => run(entry)}
                onPointerMove={() => setAt(index)}
              >
                <Icon name={entry.icon} size={18} />
                <span>{entry.name}</span>
                {entry.also && <span className="soft small">{entry.also}</span>}
                <span className="soft">{entry.kind}</span>
              </li>
            ))}
          </ul>
          {failure && <p className="palette-none">People and keys could not be looked up. {asProblem(failure).message}</p>}
          {found.length === 0 && !failure && (
            <p className="palette-none" role="status">
              {isAsking ? "Looking…" : "Nothing is called that."}
            </p>
          )}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
