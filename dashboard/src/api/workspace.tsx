/** Which workspace the pages are about, and what the person may do in it. */
import { createContext, useContext } from "react";

import { atLeast, type Membership, type Person, type Role } from "./session";

export interface Here {
  person: Person;
  workspace: Membership;
  workspaces: readonly Membership[];
  choose: (workspaceId: string) => void;
}

const HereContext = createContext<Here | null>(null);

export const HereProvider = HereContext.Provider;

export function useHere(): Here {
  const here = useContext(HereContext);
  if (here === null) throw new Error("useHere outside of a workspace");
  return here;
}

/** Whether the person has at least this role here. What they may not do is not shown; the server refuses it anyway. */
export function useMay(role: Role): boolean {
  return atLeast(useHere().workspace.role, role);
}

export function useWorkspaceId(): string {
  return useHere().workspace.workspaceId;
}
