import { Link } from "@tanstack/react-router";

import { useHere } from "~/api/workspace";

import { useMember } from "./api";

/** Somebody of the workspace by name. */
export function Who({ personId }: { personId: string }) {
  const { person, workspace } = useHere();
  const { data, isPending } = useMember(workspace.workspaceId, personId);
  if (personId === person.id) return "you";
  if (isPending) return <span className="soft">…</span>;
  if (data === undefined) return "somebody who is not a member here";
  return (
    <Link to="/people/$item" params={{ item: personId }} search={(now: object) => now}>
      {data.name}
    </Link>
  );
}
