import { useWaiting } from "~/api/approvals";
import { useWorkspaceId } from "~/api/workspace";
import { ApprovalAsk } from "~/ui/ApprovalAsk";
import { ProblemNotice } from "~/ui/Notice";
import { Section } from "~/ui/Page";

/** What the assistant asked for and nobody decided on yet. Nothing where nothing waits; where that is not known, so much is said. */
export function WaitingForYou() {
  const { data, error, refetch } = useWaiting(useWorkspaceId());
  if (data === undefined && error)
    return (
      <Section title="Waiting for a yes" note="What the assistant wants to change could not be read.">
        <ProblemNotice failure={error} onRetry={() => void refetch()} />
      </Section>
    );
  if (!data?.length) return null;
  const isMine = data.some((one) => one.mayDecide);
  return (
    <Section title={isMine ? `Waiting for you (${data.length})` : `Waiting for a yes (${data.length})`} note="What the assistant wants to change.">
      <ul className="approvals">
        {data.map((one) => (
          <li key={one.id}>
            <ApprovalAsk approval={one} />
          </li>
        ))}
      </ul>
    </Section>
  );
}
