import { Link } from "@tanstack/react-router";

import { useHere } from "~/api/workspace";

import { useMember } from "./api";

/** Somebody of a workspace by name. */
export function Who({ ws, personId }: { ws: string; personId: string }) {
  const { person, workspace } = useHere();
  const { data, isPending } = useMember(ws, personId);
  if (personId === person.id) return "you";
  if (isPending) return <span className="soft">…</span>;
  if (data === undefined) return "somebody who is not a member here";
  if (ws !== workspace.workspaceId) return data.name;
  return (
    <Link to="/people/$item" params={{ item: personId }} search={(now: object) => now}>
      {data.name}
    </Link>
  );
}
